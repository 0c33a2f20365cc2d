"""How far a whole training run is, over all of its fits, and how long it has still to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.recipe import STARTS
from clipsvd_app.jobs.stages import CHOICE_STAGE, STEP_STAGES
from clipsvd_app.ui.kit.time_left import TimeLeft

if TYPE_CHECKING:
    from clipsvd_app.domain.recipe import Recipe
    from clipsvd_app.jobs.requests import TrainRequest

_RUN = "run"


class RunClock:
    """Counts optimiser steps over the stages of a run; stages without steps (reading, saving) are short.

    A run makes one fit, and before it one a fold when it is cross-validated. Each may first choose how much
    to keep, and each that is tested is followed by a fit of plain CLIP-SVD. What turns out not to be needed
    leaves the plan. A run longer than its plan is never done before its last known step. What follows the
    last step, such as the explanation, is counted stage by stage.
    """

    def __init__(self, recipe: Recipe, *, fits: int, tested: int, chosen: bool) -> None:
        self._choice = len(STARTS) * recipe.choice_folds * recipe.choice_steps if chosen else 0
        self._fit = recipe.steps * recipe.seeds
        # Where plain CLIP-SVD is the recipe itself, it is not fitted again.
        self._beside = 0 if recipe.plain else self._fit
        self._fits, self._tested, self._skipped = fits, tested, 0
        self._stage = ""
        self._before = self._stage_done = self._stage_total = 0
        self._after: tuple[int, int] | None = None
        self._time_left = TimeLeft()

    def plan(self, fits: int, tested: int) -> None:
        """Take note of how many fits the run makes and tests, known once its patients are drawn."""
        self._fits, self._tested = fits, tested

    def observe(self, stage: str, done: int, total: int, now_s: float, *, steps: bool) -> None:
        """Take note of a report; ``steps`` is true when it counts optimiser steps (it carries metrics)."""
        if not steps and stage.endswith(STEP_STAGES):
            if stage != self._stage and done == total:
                self._skipped += self._choice if stage.endswith(CHOICE_STAGE) else self._fit
            return
        if not steps:
            if self._steps_done >= self._steps_total:
                self._after = (done, total)
                self._time_left.observe(stage, done, total, now_s)
            return
        self._after = None
        if stage != self._stage:
            self._before += self._stage_done
            self._stage, self._stage_total = stage, total
        self._stage_done = done
        self._time_left.observe(_RUN, self.done, self.total, now_s)

    @property
    def done(self) -> int:
        """Steps made so far in the whole run; after the last, what is done of the stage at hand."""
        return self._steps_done if self._after is None else self._after[0]

    @property
    def total(self) -> int:
        """Steps that the whole run will make, as far as is known; after the last, those of the stage."""
        return self._steps_total if self._after is None else self._after[1]

    @property
    def _steps_done(self) -> int:
        return self._before + self._stage_done

    @property
    def _steps_total(self) -> int:
        planned = self._fits * (self._choice + self._fit) + self._tested * self._beside
        return max(planned - self._skipped, self._before + self._stage_total)

    def seconds_left(self, now_s: float) -> float | None:
        """Return the seconds until the last step, or until the stage after it ends; None while unknown."""
        return self._time_left.seconds_left(now_s)


def clock_of(request: TrainRequest) -> RunClock:
    """Return the clock of a training: one fit, and before it one a fold where it is cross-validated."""
    recipe = request.recipe
    held_out = request.shots is not None or bool(request.locked)
    fits = 1 if held_out else 1 + recipe.folds * recipe.repeats
    fewest = min(training_images(request), default=0)
    chosen = not recipe.plain and fewest >= recipe.fewest_to_choose
    return RunClock(recipe, fits=fits, tested=max(1, fits - 1), chosen=chosen)


def training_images(request: TrainRequest) -> tuple[int, ...]:
    """Return how many images of each class it learns from at most."""
    locked = set(request.locked)
    labels = [image.label for image in request.images if image.patient not in locked]
    most = len(labels) if request.shots is None else request.shots
    return tuple(min(labels.count(place), most) for place in range(len(request.classes)))
