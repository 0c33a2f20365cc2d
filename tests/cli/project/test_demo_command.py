"""``clipsvd demo`` and what follows from it, once, with the embedded backbone and a real process."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.watched import NetworkWatch

from clipsvd_app.adapter_file import read_adapter
from clipsvd_app.demo_studies import FINDINGS
from clipsvd_app.project import open_project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
BLOCKS, LAYERS, MATRICES_EACH = 12, 4, 6


def clipsvd(*arguments: object, environment: dict[str, str] | None = None) -> dict:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "clipsvd_app.cli", *map(str, arguments), "--json", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> NetworkWatch:
    return NetworkWatch(tmp_path_factory.mktemp("network") / "log")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, watch: NetworkWatch) -> tuple[Path, dict]:
    out = tmp_path_factory.mktemp("demo")
    return out, clipsvd("demo", "--out", out, environment=watch.environment)


def test_the_whole_job_uses_no_network(demo: tuple[Path, dict], watch: NetworkWatch) -> None:
    assert demo[1]["verified"]
    assert watch.started() > 0
    assert watch.seen() == []


def test_the_demo_trains_every_matrix_of_both_towers(demo: tuple[Path, dict]) -> None:
    assert demo[1]["matrices"] == MATRICES_EACH * (BLOCKS + LAYERS)
    with open_project(Path(demo[1]["project"])) as project:
        changes = project.run_result(1).explanation.matrices
    assert {change.tower for change in changes} == {"image", "text"}
    assert all(change.relative_change > 0 for change in changes)


def test_adaptation_beats_zero_shot_on_patients_it_has_not_seen(demo: tuple[Path, dict]) -> None:
    evaluation = demo[1]["evaluation"]
    scores = {score["method"]: score for score in evaluation["methods"]}
    assert {"zero_shot", "linear_probe", "clip_svd"} < set(scores)
    assert evaluation["verdict"] == "helped"
    adapted = scores["clip_svd"]
    assert adapted["interval"]["low"] > scores["zero_shot"]["balanced_accuracy"]
    assert adapted["interval"]["low"] <= adapted["balanced_accuracy"] <= adapted["interval"]["high"]


def test_no_patient_of_the_demo_is_on_both_sides(demo: tuple[Path, dict]) -> None:
    with open_project(Path(demo[1]["project"])) as project:
        patients = {image.id: image.patient_key for image in project.images()}
        predictions = project.run_result(1).predictions
    sides = {
        role: {patients[p.image_id] for p in predictions if p.role == role} for role in ("train", "test")
    }
    assert sides["train"]
    assert sides["test"]
    assert not sides["train"] & sides["test"]


def test_the_exported_adapter_names_the_findings_and_no_patient(demo: tuple[Path, dict]) -> None:
    adapter = Path(demo[1]["adapter"])
    assert demo[1]["verified"]
    assert tuple(entry.name for entry in read_adapter(adapter).document.classes) == FINDINGS
    content = adapter.read_bytes()
    assert str(demo[0]).encode() not in content
    assert b"DEMO-0" not in content
    assert b"DEMO^" not in content


def test_the_adapter_predicts_new_files_and_refuses_junk(demo: tuple[Path, dict], tmp_path: Path) -> None:
    pictures = sorted((demo[0] / "studies" / "png").glob("*.png"))[:3]
    junk = tmp_path / "junk.png"
    junk.write_text("no picture")
    table = tmp_path / "out.csv"
    answer = clipsvd("predict", *pictures, junk, "--adapter", demo[1]["adapter"], "--csv", table)
    assert answer["classes"] == list(FINDINGS)
    assert len(answer["images"]) == 3
    assert [Path(row["path"]).name for row in answer["refused"]] == ["junk.png"]
    for row in answer["images"]:
        assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    with table.open(newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 4


def test_a_case_of_the_demo_is_explained(demo: tuple[Path, dict]) -> None:
    film = demo[0] / "studies" / "dicom" / "P001" / "IM1.dcm"
    answer = clipsvd("explain", demo[1]["project"], "--run", 1, "--image", film)
    assert answer["run"] == 1
    assert len(answer["explanation"]["matrices"]) == demo[1]["matrices"]
    assert len(answer["case"]["adapted"]) == 3
    assert answer["case"]["how_we_know"]
    parts = [part["value"] for part in answer["decomposition"]]
    assert len(parts) >= 1 + 2 * 12 + 12 * 3
    assert sum(parts) + answer["residual"] == pytest.approx(answer["score"], abs=1e-6)
    change = answer["attribution"]
    moved = sum(part["value"] for part in change["parts"]) + change["residual"]
    assert moved == pytest.approx(change["adapted"] - change["zero_shot"], abs=1e-6)
    assert max(abs(answer["residual"]), abs(change["residual"])) < 1e-3
    assert answer["map_passed"] in (True, False)
    assert [head["tower"] for head in answer["explanation"]["heads"]].count("image") == 36
    assert answer["explanation"]["controls"]


def test_the_run_is_listed_and_its_adapter_shown_and_verified(demo: tuple[Path, dict]) -> None:
    (run,) = clipsvd("runs", demo[1]["project"])["runs"]
    assert run["verdict"] == "helped"
    assert clipsvd("adapter", "verify", demo[1]["adapter"])["passed"]
    shown = clipsvd("adapter", "show", demo[1]["adapter"])
    assert shown["trained_numbers"] == demo[1]["trainable_parameters"]
