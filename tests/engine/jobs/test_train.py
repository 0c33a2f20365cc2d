"""Fitting: it learns, it is repeatable, and it survives what is not finite."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.changing import replace
from support.tiny_backbone import TRAINED_NUMBERS

from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.results.run import RunNote
from clipsvd_app.engine.fitting import fit as fit_module
from clipsvd_app.engine.fitting.adapt import adapt
from clipsvd_app.engine.fitting.fit import FitTask, fit
from clipsvd_app.engine.fitting.forward import WholeForward
from clipsvd_app.engine.fitting.learner import Learner
from clipsvd_app.engine.fitting.memory import MemoryPlan
from clipsvd_app.engine.fitting.rate_search import choose_rate
from clipsvd_app.errors import Cancelled, UserError

RECIPE = Recipe(steps=12, search_steps=4, batch_size=8, flip=False)


@pytest.fixture(scope="module")
def learner(backbone, basis, disc_classes):
    return Learner(backbone, basis, disc_classes, RECIPE)


@pytest.fixture
def examples(disc_examples):
    return disc_examples


def task(steps: int, seed: int = 0) -> FitTask:
    return FitTask("a fit", 0.05, steps, seed)


def ignore(*_):
    """Take progress and drop it."""


def test_training_lowers_the_loss(learner, examples):
    curve = fit(learner, examples, task(25, 0), ignore).curve
    assert np.mean([point.loss for point in curve[-5:]]) < 0.7 * np.mean([point.loss for point in curve[:5]])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(learner, examples):
    one, same, other = (fit(learner, examples, task(5, seed), ignore).a for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_the_curve_has_one_point_for_each_step_and_ends_with_a_small_rate(learner, examples):
    points = []
    fitted = fit(learner, examples, task(12, 0), points.append)
    assert [point.step for point in points] == list(range(12))
    assert fitted.curve == tuple(points)
    assert points[-1].learning_rate < 0.1 * max(point.learning_rate for point in points)


class Poisoned:
    """A Learner's images with a value that is no number, now and then."""

    def __init__(self, monkeypatch, when):
        from clipsvd_app.engine.data.images import Augmentation

        plain, self.calls = Augmentation.__call__, 0

        def poison(augmentation, pixels, generator):
            self.calls += 1
            images = plain(augmentation, pixels, generator)
            return images * float("nan") if when(self.calls) else images

        monkeypatch.setattr(Augmentation, "__call__", poison)


def test_a_step_that_is_not_finite_goes_back_and_says_so(learner, examples, monkeypatch):
    Poisoned(monkeypatch, lambda call: call == 3)
    fitted = fit(learner, examples, task(6, 0), ignore)
    assert fitted.a.isfinite().all()
    assert RunNote("not_finite") in fitted.notes
    assert [point.step for point in fitted.curve if point.loss is None] == [2], "a gap, and no loss of 0"
    assert [point.step for point in fitted.curve if point.accuracy is None] == [2]


def test_training_that_never_is_finite_ends_with_a_remedy(learner, examples, monkeypatch):
    Poisoned(monkeypatch, lambda call: True)
    with pytest.raises(UserError, match="diverged"):
        fit(learner, examples, task(20, 0), ignore)


def test_running_out_of_memory_splits_the_batch_and_changes_nothing(learner, examples, monkeypatch):
    whole = fit(learner, examples, task(3), ignore)
    logits = WholeForward.logits

    def scarce(forward, inputs, classes):
        if len(inputs) > 4:
            raise torch.OutOfMemoryError
        return logits(forward, inputs, classes)

    monkeypatch.setattr(WholeForward, "logits", scarce)
    parts = fit(learner, examples, task(3), ignore)
    assert any(note.code == "smaller_parts" for note in parts.notes)
    # The first steps of Adam have the sign of the gradient, which rounding turns where it is nearly nothing.
    assert ((parts.a - whole.a).abs() < 0.02).float().mean() > 0.95
    assert [p.loss for p in parts.curve] == pytest.approx([p.loss for p in whole.curve], rel=0.05)


def test_keeping_block_inputs_alone_gives_the_same_fit(learner, examples, monkeypatch):
    whole = fit(learner, examples, task(3), ignore)
    monkeypatch.setattr(fit_module, "plan_memory", lambda *_: MemoryPlan(short=True, checkpointed=True))
    twice = fit(learner, examples, task(3), ignore)
    assert torch.equal(twice.a, whole.a)
    assert RunNote("recomputed") in twice.notes


def test_the_rate_is_searched_among_the_candidates(learner, examples):
    seen = []
    choice = choose_rate(learner, examples, 0, lambda candidate, step: seen.append((candidate, step.step)))
    assert choice.learning_rate in RECIPE.learning_rates
    assert len(seen) == len(set(seen)) == len(RECIPE.learning_rates) * RECIPE.search_steps


@pytest.mark.parametrize("positions", [[0, 1, 2, 3], [0, 1]])
def test_with_too_few_examples_the_middle_rate_is_used_and_said(learner, examples, positions):
    choice = choose_rate(learner, examples.subset(positions), 0, ignore)
    assert choice.learning_rate == sorted(RECIPE.learning_rates)[1]
    assert [note.code for note in choice.notes] == ["few_images"]


def test_examples_of_one_patient_do_not_choose_the_rate(learner, examples):
    together = replace(examples, patient_ids=("one",) * len(examples))
    assert [note.code for note in choose_rate(learner, together, 0, ignore).notes] == ["few_patients"]


def test_an_adaptation_carries_all_it_trained_and_reports_every_step(learner, examples):
    reported = []
    trained = adapt(learner, examples, 0, lambda *event: reported.append(event))
    assert trained.trainable_parameters == TRAINED_NUMBERS
    assert len(trained.curve) == RECIPE.steps
    stages = [event[0] for event in reported]
    assert stages.count("Training") == RECIPE.steps
    assert reported[-1][3] == trained.curve[-1]
    for name, sigma in trained.sigmas.items():
        assert sigma.dtype == np.float32
        assert (sigma >= 0).all()
        assert sigma.shape == trained.sigma_base[name].shape


def test_several_seeds_are_averaged_into_one(learner, examples):
    recipe = replace(RECIPE, seeds=2, steps=4, learning_rates=(0.001,))
    both = adapt(replace(learner, recipe=recipe), examples, 0, ignore)
    single = [
        adapt(replace(learner, recipe=replace(recipe, seeds=1)), examples, seed, ignore) for seed in (0, 1)
    ]
    for name, sigma in both.sigmas.items():
        mean = (single[0].sigmas[name] + single[1].sigmas[name]) / 2
        # Below nothing there is nothing: a value that one fit cut off at 0 has no simple mean.
        inside = mean > 0.02
        np.testing.assert_allclose(sigma[inside], mean[inside], atol=1e-5)


def test_a_cancelled_training_stops_at_the_next_step(learner, examples):
    calls = []

    def stop(stage, done, total, metrics=None):
        calls.append(done)
        if len(calls) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        adapt(learner, examples, 0, stop)
    assert len(calls) == 2
