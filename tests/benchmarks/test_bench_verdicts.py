"""The benchmark of verdicts: what it counts, and that it goes on where it stopped."""

from __future__ import annotations

import pytest
from PIL import Image

from benchmarks.verdicts import VerdictBench, verdict_records
from benchmarks.verdicts_command import summary_of
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.engine.fewshot.benchmark import BenchSource
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.requests import BackboneRef

RECIPE = Recipe(steps=3, choice_steps=1, batch_size=4, folds=2)


def quiet(*_):
    """Take progress and drop it."""


@pytest.fixture
def bench(studies, tiny_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("clipsvd_app.engine.fewshot.benchmark.recipe_for", lambda preset: RECIPE)
    for image in studies:
        folder = tmp_path / "discs" / ("bright", "dark")[image.label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.open(image.path).save(folder / f"{image.id}.png")
    source = BenchSource(tmp_path / "discs", None, None, (), None, ())
    return VerdictBench(
        source, BackboneRef("tiny", str(tiny_folder)), "quick", 4, 2, tmp_path / "lines.jsonl"
    )


def test_every_draw_is_estimated_with_true_and_with_shuffled_labels_and_kept(bench):
    records = list(verdict_records(bench, quiet))
    assert [(r["seed"], r["shuffled"]) for r in records] == [(0, False), (0, True), (1, False), (1, True)]
    for record in records:
        assert record["verdict"] in ("helped", "harmed", "not_shown")
        low, high = record["interval"]
        assert 0 <= low <= record["balanced_accuracy"] <= high <= 1
        assert (record["images"], record["folds"]) == (8, 2)
        assert ("held" in record) == (not record["shuffled"])
    assert {r["remaining_images"] for r in records if not r["shuffled"]} == {8}
    kept = bench.lines.read_text().splitlines()
    # A line that was cut off, and one lost: both are measured again, the others are not.
    bench.lines.write_text("\n".join([kept[0], kept[3], kept[1][:40]]))
    seen = []
    again = list(verdict_records(bench, lambda stage, *_: seen.append(stage)))
    assert sorted((r["seed"], r["shuffled"]) for r in again) == [(0, False), (0, True), (1, False), (1, True)]
    assert not any(stage.startswith("Seed 1 of 2, true") for stage in seen)
    assert any(stage.startswith("Seed 2 of 2, true") for stage in seen)
    assert len(bench.lines.read_text().splitlines()) == 5

    # Nothing is left to do: not even the pictures are read.
    seen.clear()
    assert len(list(verdict_records(bench, lambda stage, *_: seen.append(stage)))) == 4
    assert seen == []


@pytest.mark.parametrize("held", ["path,class\na.png,cyst\n", '{"mine": 1}\n', "[1]\n"])
def test_a_file_of_something_else_is_never_added_to(bench, held):
    bench.lines.write_text(held)
    with pytest.raises(UserError, match="does not contain records"):
        list(verdict_records(bench, quiet))
    assert bench.lines.read_text() == held


def record(verdict: str, *, shuffled: bool = False, held: bool = True, gain: float = 0.0):
    facts = {"held": held, "remaining_gain": gain, "detectable": 0.15}
    return {"verdict": verdict, "shuffled": shuffled, "seconds": 1.0} | ({} if shuffled else facts)


def test_the_summary_counts_false_alarms_intervals_and_clear_gains():
    found = summary_of(
        [
            record("helped", shuffled=True),
            record("not_shown", shuffled=True),
            record("helped", gain=0.2),
            record("not_shown", gain=0.12, held=False),
            record("not_shown", gain=0.3),
            record("harmed", gain=-0.1),
        ]
    )
    assert (found["shuffled"], found["shuffled_helped"]) == (2, 1)
    assert (found["seeds"], found["interval_held"]) == (4, 3)
    assert (found["clear_gains"], found["clear_gains_helped"], found["clear_gains_out_of_reach"]) == (3, 1, 1)
