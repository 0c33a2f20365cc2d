"""Fitting: it learns, it is repeatable, and it survives what is not finite."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.changing import replace
from support.tiny_backbone import TRAINED_NUMBERS
from torch.nn import functional

from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.results.run import RunNote
from clipsvd_app.engine.fitting import adapt as adapt_module
from clipsvd_app.engine.fitting import fit as fit_module
from clipsvd_app.engine.fitting.adapt import adapt, class_texts
from clipsvd_app.engine.fitting.choice import Choice
from clipsvd_app.engine.fitting.fit import FitTask, fit
from clipsvd_app.engine.fitting.forward import WholeForward
from clipsvd_app.engine.fitting.learner import Learner
from clipsvd_app.engine.fitting.memory import MemoryPlan
from clipsvd_app.engine.fitting.start import probe_head
from clipsvd_app.errors import Cancelled, UserError

RECIPE = Recipe(steps=12, batch_size=8, flip=False)


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
    # On whole images: the loss of a step is that of the patches it drew, of which this image has few.
    forward = WholeForward(learner)
    forward.attachment.refresh()
    before = whole_loss(forward, examples)
    assert whole_loss(fit(learner, examples, task(25, 0), ignore).forward, examples) < 0.7 * before


def whole_loss(forward, examples):
    logits = forward.plain_logits(examples.plain)
    return float(functional.cross_entropy(logits, torch.tensor(examples.labels)))


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
            # Single images only measure how sensitive the backbone is.
            self.calls += len(pixels) > 1
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

    def scarce(forward, inputs, *given):
        if len(inputs) > 4:
            raise torch.OutOfMemoryError
        return logits(forward, inputs, *given)

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


def test_an_adaptation_carries_all_it_trained_and_reports_every_step(learner, examples):
    reported = []
    plain = replace(learner, recipe=replace(RECIPE, plain=True))
    trained = adapt(plain, examples, 0, lambda *event: reported.append(event))
    assert trained.trainable_parameters == TRAINED_NUMBERS
    assert len(trained.curve) == RECIPE.steps
    stages = [event[0] for event in reported]
    assert stages.count("Training") == RECIPE.steps
    assert reported[-1][3] == trained.curve[-1]
    for name, sigma in trained.sigmas.items():
        assert sigma.dtype == np.float32
        assert (sigma >= 0).all()
        assert sigma.shape == trained.sigma_base[name].shape


def test_several_seeds_are_averaged_and_then_the_share_is_kept(learner, examples, monkeypatch):
    monkeypatch.setattr(adapt_module, "choose", lambda *_: Choice("probe", 0.5, 1.3))
    recipe = replace(RECIPE, seeds=2, steps=4, learning_rate=0.001)
    both = adapt(replace(learner, recipe=recipe), examples, 0, ignore)
    head = probe_head(examples, class_texts(learner), learner.backbone.logit_scale)
    rates = {"learning_rate": recipe.learning_rate, "steps": recipe.steps, "head": head}
    fits = [fit(learner, examples, FitTask(f"fit {seed}", seed=seed, **rates), ignore) for seed in (0, 1)]
    state = fits[0].forward.attachment.state
    with torch.no_grad():
        state.a.copy_(0.5 * (fits[0].a + fits[1].a) / 2)
    assert (both.share, both.temperature) == (0.5, 1.3)
    for name, sigma in state.sigmas().items():
        np.testing.assert_array_equal(both.sigmas[name], sigma)


def test_a_cancelled_training_stops_at_the_next_step(learner, examples):
    calls = []

    def stop(stage, done, total, metrics=None):
        calls.append(done)
        if len(calls) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        adapt(learner, examples, 0, stop)
    assert len(calls) == 2
