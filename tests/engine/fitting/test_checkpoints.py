"""A fit that was stopped goes on as if it had not been."""

from __future__ import annotations

import pytest
import torch
from support.changing import replace

from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.engine.fitting.checkpoints import FolderCheckpoints, run_checkpoints
from clipsvd_app.engine.fitting.fit import FitTask, fit
from clipsvd_app.engine.fitting.forward import WholeForward
from clipsvd_app.engine.fitting.learner import Learner
from clipsvd_app.errors import Cancelled

TASK = FitTask("the fit", 0.05, 8, 3)
WHOLE = Recipe(batch_size=8, flip=False)
UPPER = replace(WHOLE, trained_share=1 / 3, views=2)
RECIPES = pytest.mark.parametrize("recipe", [WHOLE, UPPER], ids=["whole towers", "upper blocks"])


class StopAfter:
    """Cancels after a number of steps, as a user does."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def __call__(self, _point) -> None:
        self.left -= 1
        if self.left == 0:
            raise Cancelled


def ignore(_point) -> None:
    """Take a point of the curve and drop it."""


@pytest.fixture
def learner(backbone, basis, disc_classes):
    return Learner(backbone, basis, disc_classes, WHOLE)


@RECIPES
@pytest.mark.parametrize("stop", [1, 5])
def test_a_resumed_fit_has_the_bytes_of_an_uninterrupted_one(learner, disc_examples, tmp_path, recipe, stop):
    learner = replace(learner, recipe=recipe)
    straight = fit(learner, disc_examples, TASK, ignore)
    kept = replace(learner, checkpoints=FolderCheckpoints(tmp_path))
    with pytest.raises(Cancelled):
        fit(kept, disc_examples, TASK, StopAfter(stop))
    points = []
    resumed = fit(kept, disc_examples, TASK, points.append)
    assert torch.equal(resumed.a, straight.a)
    assert resumed.curve == straight.curve
    assert points == list(straight.curve), "what was done before is told again, for the curve on the screen"


def test_a_finished_fit_is_not_computed_again(learner, disc_examples, tmp_path, monkeypatch):
    kept = replace(learner, checkpoints=FolderCheckpoints(tmp_path))
    first = fit(kept, disc_examples, TASK, ignore)
    monkeypatch.setattr(WholeForward, "logits", None)
    assert torch.equal(fit(kept, disc_examples, TASK, ignore).a, first.a)


def test_the_state_survives_a_step_that_was_not_finite(learner, disc_examples, tmp_path, monkeypatch):
    inputs = WholeForward.inputs

    def poisoned(forward, examples, positions, seed, step):
        given = inputs(forward, examples, positions, seed, step)
        return given * float("nan") if step == 2 else given

    monkeypatch.setattr(WholeForward, "inputs", poisoned)
    straight = fit(learner, disc_examples, TASK, ignore)
    kept = replace(learner, checkpoints=FolderCheckpoints(tmp_path))
    with pytest.raises(Cancelled):
        fit(kept, disc_examples, TASK, StopAfter(4))
    resumed = fit(kept, disc_examples, TASK, ignore)
    assert torch.equal(resumed.a, straight.a)
    assert resumed.notes == straight.notes != ()


def test_a_fit_that_ran_short_of_memory_goes_on_in_the_same_parts(
    learner, disc_examples, tmp_path, monkeypatch
):
    logits = WholeForward.logits

    def scarce(forward, inputs, *given):
        if len(inputs) > 4:
            raise torch.OutOfMemoryError
        return logits(forward, inputs, *given)

    kept = replace(learner, checkpoints=FolderCheckpoints(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(WholeForward, "logits", scarce)
        straight = fit(learner, disc_examples, TASK, ignore)
        with pytest.raises(Cancelled):
            fit(kept, disc_examples, TASK, StopAfter(3))
    assert torch.equal(fit(kept, disc_examples, TASK, ignore).a, straight.a), "now there is memory enough"


@pytest.mark.parametrize("damage", [b"", b"no safetensors at all", None])
def test_a_damaged_state_counts_as_none(learner, disc_examples, tmp_path, damage):
    straight = fit(learner, disc_examples, TASK, ignore)
    kept = replace(learner, checkpoints=FolderCheckpoints(tmp_path))
    with pytest.raises(Cancelled):
        fit(kept, disc_examples, TASK, StopAfter(3))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-10] if damage is None else damage)
    assert torch.equal(fit(kept, disc_examples, TASK, ignore).a, straight.a)


def test_runs_that_differ_share_nothing_and_old_ones_are_dropped(tmp_path):
    import os

    one, same, other = (run_checkpoints(tmp_path, facts) for facts in (("a", 1), ("a", 1), ("a", 2)))
    assert one.folder == same.folder != other.folder
    for checkpoints in (one, other):
        checkpoints.folder.mkdir(parents=True)
    os.utime(one.folder, (0, 0))
    run_checkpoints(tmp_path, ("a", 2))
    assert [folder.name for folder in tmp_path.iterdir()] == [other.folder.name]
