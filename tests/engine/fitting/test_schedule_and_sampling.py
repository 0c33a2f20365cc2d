"""The learning rate over the steps, and the images of a step."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.engine.fitting.forward import WholeForward, image_sensitivity
from clipsvd_app.engine.fitting.learner import Learner
from clipsvd_app.engine.fitting.sampling import balanced_batch
from clipsvd_app.engine.fitting.schedule import learning_rate_at, rate_factor


@pytest.mark.parametrize("steps", [2, 10, 40, 120, 1000])
def test_the_rate_peaks_once_and_ends_at_zero(steps):
    rates = [learning_rate_at(step, steps, 0.04, 0.08) for step in range(steps + 1)]
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates.count(max(rates)) == 1
    assert rates[-1] == pytest.approx(0, abs=1e-12)
    assert max(rates) == pytest.approx(0.04)


@given(st.lists(st.integers(1, 30), min_size=2, max_size=5), st.integers(2, 32), st.integers(0, 5))
def test_classes_are_seen_equally_often_however_unequal_they_are(counts, batch_size, seed):
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    batches = [balanced_batch(labels, batch_size, seed, step) for step in range(12)]
    for batch in batches:
        seen = Counter(labels[place] for place in batch)
        assert max(seen.values()) - min(seen.get(label, 0) for label in range(len(counts))) <= 1
    total = Counter(labels[place] for batch in batches for place in batch)
    assert max(total.values()) - min(total.get(label, 0) for label in range(len(counts))) <= 1


def test_no_image_returns_before_all_others_of_its_class_were_seen():
    labels = [0] * 5 + [1] * 5
    drawn = [place for step in range(2) for place in balanced_batch(labels, 10, 0, step)]
    zeros = [place for place in drawn if labels[place] == 0]
    assert sorted(zeros[:5]) == sorted(zeros[5:]) == [0, 1, 2, 3, 4]


def test_the_rate_falls_in_steps_of_four_with_a_more_sensitive_backbone_and_never_rises():
    usual = 75.0
    found = [rate_factor(usual * times) for times in (0.01, 0.6, 1.0, 1.6, 3.0, 7.0, 10.0, 1e6)]
    assert found == [1, 1, 1, 1, 1 / 4, 1 / 4, 1 / 16, 1 / 16]
    assert rate_factor(float("nan")) == rate_factor(0.0) == 1


def test_a_backbone_of_a_larger_logit_scale_is_as_much_more_sensitive(
    backbone, basis, disc_classes, disc_examples
):
    learner = Learner(backbone, basis, disc_classes, Recipe(steps=1), dtype=torch.float32)
    forward = WholeForward(learner)
    before = image_sensitivity(forward, disc_examples, basis, 0)
    assert forward.attachment.state.a.grad is None, "it leaves no gradient behind"
    forward.backbone = dataclasses.replace(backbone, logit_scale=6 * backbone.logit_scale)
    assert image_sensitivity(forward, disc_examples, basis, 0) == pytest.approx(6 * before, rel=1e-4)
