"""The clock's plan of a run is what the run does."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.striped_images import CLASSES, studies, tiny_folder  # noqa: F401

from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.engine.jobs.job import Engine
from clipsvd_app.errors import Cancelled
from clipsvd_app.jobs.folders import read_request, write_request
from clipsvd_app.jobs.requests import BackboneRef, TrainRequest
from clipsvd_app.ui.train.run_clock import clock_of

RECIPE = Recipe(steps=3, choice_steps=2, batch_size=4, folds=2, fewest_to_choose=3, trained_share=1 / 3)


@pytest.mark.parametrize(
    ("recipe", "shots"),
    [(RECIPE, None), (RECIPE, 4), (RECIPE, 2), (replace(RECIPE, plain=True), None)],
    ids=["cross-validated", "held out", "too few to choose", "plain"],
)
def test_the_plan_of_a_run_is_the_steps_that_it_makes(recipe, shots, studies, tiny_folder, tmp_path):  # noqa: F811
    backbone = BackboneRef("tiny", str(tiny_folder))
    write_request(tmp_path, TrainRequest(backbone, CLASSES, studies, recipe, shots=shots))
    request = read_request(tmp_path)
    clock, shares, steps = clock_of(request), [0.0], []

    def report(stage, done, total, metrics=None):
        if stage == "Saving the adapter":
            raise Cancelled
        before = clock.done
        clock.observe(stage, done, total, 0.0, steps=metrics is not None)
        if metrics is not None:
            steps.append(stage)
            assert clock.done == before + 1 == len(steps)
            shares.append(clock.done / clock.total)

    with pytest.raises(Cancelled):
        Engine().run(tmp_path, request, report)
    assert shares == sorted(shares)
    # Whatever has been counted since then: no step is planned any more, and none was missed.
    assert clock._steps_done == clock._steps_total == len(steps)
