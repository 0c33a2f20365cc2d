"""Choosing the start and the share of the change that is kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.changing import replace

from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.engine.fitting import choice as choice_module
from clipsvd_app.engine.fitting.adapt import adapt, class_texts
from clipsvd_app.engine.fitting.checkpoints import FolderCheckpoints
from clipsvd_app.engine.fitting.choice import Choice, _best, choice_steps, choose
from clipsvd_app.engine.fitting.fit import FitTask, fit
from clipsvd_app.engine.fitting.learner import Learner
from clipsvd_app.engine.fitting.lower_cache import LowerCache
from clipsvd_app.engine.fitting.upper_forward import UpperForward
from clipsvd_app.errors import Cancelled
from clipsvd_app.jobs.stages import CHOICE_STAGE

RECIPE = Recipe(steps=4, choice_steps=3, batch_size=8, flip=False, fewest_to_choose=2, views=2)
USUAL = ("probe", RECIPE.share)
UNCHANGED = ("text", 0.0)
OTHER = ("probe", next(share for share in RECIPE.shares if share not in (0.0, RECIPE.share)))
IMAGES = 60
TRUTH = np.arange(IMAGES) % 2
PATIENTS = tuple(map(str, range(IMAGES)))


@pytest.fixture
def learner(backbone, basis, disc_classes):
    return Learner(backbone, basis, disc_classes, RECIPE)


def ignore(*_) -> None:
    """Take progress and drop it."""


def made_logits(skill: float, seed: int = 0):
    """Logits (images, 2) that are noise but for ``skill`` on the true class."""
    logits = np.random.default_rng(seed).normal(size=(IMAGES, 2))
    logits[np.arange(IMAGES), TRUTH] += skill
    return logits


def chosen(answers, patients=PATIENTS) -> tuple[str, float]:
    found = _best(answers, TRUTH, patients, USUAL)
    return found.start, found.share


def test_the_usual_share_stays_unless_another_is_clearly_better():
    usual = made_logits(1.0)
    slightly = usual + 0.02 * np.random.default_rng(1).normal(size=usual.shape)
    slightly[np.arange(IMAGES), TRUTH] += 0.001
    assert chosen({UNCHANGED: made_logits(0.0, 2), USUAL: usual, OTHER: slightly}) == USUAL
    assert chosen({UNCHANGED: made_logits(0.0, 2), USUAL: usual, OTHER: made_logits(4.0)}) == OTHER


def test_many_images_of_one_patient_are_one_witness():
    usual = made_logits(1.0)
    answers = {UNCHANGED: made_logits(0.0, 2), USUAL: usual, OTHER: usual.copy()}
    answers[OTHER][:20], answers[OTHER][20:30] = made_logits(4.0)[:20], made_logits(0.5)[20:30]
    assert chosen(answers) == OTHER
    assert chosen(answers, ("one",) * 20 + PATIENTS[20:]) == USUAL


def test_no_change_is_chosen_where_zero_shot_is_good_and_every_adaptation_is_noise():
    noise = {("probe", share): made_logits(0.0, 1 + place) for place, share in enumerate(RECIPE.shares)}
    assert chosen({UNCHANGED: made_logits(3.0), **noise}) == UNCHANGED


@pytest.mark.parametrize("broken", [USUAL, OTHER])
def test_answers_that_are_not_finite_are_never_chosen(broken):
    answers = {UNCHANGED: made_logits(0.0), USUAL: made_logits(2.0), OTHER: made_logits(2.0, 1)}
    answers[broken] = np.full((IMAGES, 2), np.nan)
    assert chosen(answers) in {USUAL, OTHER} - {broken}


def test_a_choice_comes_with_the_temperature_of_unseen_images():
    sure, unsure = (_best({USUAL: scale * made_logits(1.0)}, TRUTH, PATIENTS, USUAL) for scale in (20.0, 1.0))
    assert sure.temperature > 5 * unsure.temperature


@pytest.mark.parametrize("why", ["few_images", "few_patients"])
def test_without_enough_to_choose_on_the_usual_share_is_kept(learner, disc_examples, why):
    examples = disc_examples
    if why == "few_images":
        learner = replace(learner, recipe=replace(RECIPE, fewest_to_choose=7))
    else:
        examples = replace(examples, patient_ids=("one",) * len(examples))
    found = choose(learner, examples, class_texts(learner), RECIPE.learning_rate, 0, ignore)
    assert (found.start, found.share) == USUAL
    assert [note.code for note in found.notes] == [why]
    assert found.folds == 0


def test_every_step_of_a_choice_is_reported_once_and_of_the_shares_one_is_kept(learner, disc_examples):
    steps = []
    found = choose(
        learner,
        disc_examples,
        class_texts(learner),
        RECIPE.learning_rate,
        0,
        lambda number, step: steps.append((number, step.step)),
    )
    assert len(steps) == len(set(steps)) == choice_steps(learner)
    assert found.share in RECIPE.shares
    assert found.folds == RECIPE.choice_folds
    assert found.notes == ()


def test_the_fits_of_a_choice_pass_each_view_of_an_image_through_the_lower_blocks_once(
    learner, disc_examples, monkeypatch
):
    seen, lower = [], UpperForward._lower_images
    monkeypatch.setattr(
        UpperForward, "_lower_images", lambda self, images: seen.append(len(images)) or lower(self, images)
    )
    for seed in range(2):
        choose(learner, disc_examples, class_texts(learner), RECIPE.learning_rate, seed, ignore)
    # The views for training, and the plain image on which a fold is tested.
    assert sum(seen) == (RECIPE.views + 1) * len(disc_examples)


def test_a_fit_takes_nothing_from_a_choice_on_fewer_blocks(learner, disc_examples):
    deeper = replace(learner, recipe=replace(RECIPE, trained_share=2 / 3))
    task = FitTask("a fit", 0.05, 3, 0)
    alone = fit(replace(deeper, lower=LowerCache()), disc_examples, task, ignore)
    assert deeper.recipe.choice_blocks < deeper.recipe.trained_share < 1
    choose(deeper, disc_examples, class_texts(learner), RECIPE.learning_rate, 0, ignore)
    assert torch.equal(fit(deeper, disc_examples, task, ignore).a, alone.a)


@pytest.fixture
def kept_half(monkeypatch):
    """Whatever the answers are, half of the change is kept."""
    monkeypatch.setattr(choice_module, "_best", lambda *_: Choice("probe", 0.5, 1.0))


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(learner, disc_examples, kept_half):
    one, same, other = (adapt(learner, disc_examples, seed, ignore) for seed in (3, 3, 4))
    for name, sigma in one.sigmas.items():
        np.testing.assert_array_equal(sigma, same.sigmas[name])
    assert any((sigma != other.sigmas[name]).any() for name, sigma in one.sigmas.items())


@pytest.mark.parametrize("stop", [2, 5, 11], ids=["first fold", "second fold", "fit"])
def test_a_resumed_adaptation_ends_in_the_bytes_of_an_uninterrupted_one(
    learner, disc_examples, tmp_path, kept_half, stop
):
    straight = adapt(learner, disc_examples, 0, ignore)
    kept = replace(learner, checkpoints=FolderCheckpoints(tmp_path))
    steps = []

    def stop_at(stage, done, total, metrics=None):
        if metrics is not None:
            steps.append(stage)
            if len(steps) == stop:
                raise Cancelled

    with pytest.raises(Cancelled):
        adapt(kept, disc_examples, 0, stop_at)
    assert steps[-1] == (CHOICE_STAGE if stop <= choice_steps(learner) else "Training")
    resumed = adapt(kept, disc_examples, 0, ignore)
    assert resumed.curve == straight.curve
    for name, sigma in straight.sigmas.items():
        np.testing.assert_array_equal(sigma, resumed.sigmas[name])
