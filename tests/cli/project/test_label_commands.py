from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from clipsvd_app.cli import main
from clipsvd_app.project import open_project
from clipsvd_app.project.reading_changes import SetReadings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, capsys) -> Path:
    """Two classes with two labelled pictures each."""
    random = np.random.default_rng(5)
    for name in ("cyst", "mass"):
        for number in range(2):
            path = tmp_path / "in" / name / f"{name}_{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = random.integers(0, 256, (9, 8), dtype=np.uint8)
            Image.fromarray(pixels).resize((64, 72), Image.Resampling.BICUBIC).save(path)
    target = tmp_path / "study.clipsvd"
    for command in (("new", target), ("add", target, tmp_path / "in"), ("label", target, "--from-folders")):
        assert main([str(part) for part in command]) == 0
    capsys.readouterr()
    return target


def run(capsys, *arguments: object) -> tuple[int, object]:
    code = main([*(str(argument) for argument in arguments), "--json"])
    text = capsys.readouterr().out
    return code, json.loads(text) if text else None


def test_a_table_of_labels_is_never_written_over_by_accident(capsys, project: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    assert run(capsys, "labels", project, "--out", table) == (0, {"file": str(table), "lines": 4})
    assert run(capsys, "labels", project, "--out", table)[0] == 1
    assert run(capsys, "labels", project, "--out", table, "--paths", "--overwrite")[0] == 0
    assert "cyst_0.png" in table.read_text()
    assert run(capsys, "label", project, "--csv", table)[1]["labelled"] == {"cyst": 2, "mass": 2}


def test_agreement_names_what_differs(capsys, project: Path) -> None:
    assert run(capsys, "agreement", project)[0] == 1
    with open_project(project) as opened:
        cyst, mass = (known.id for known in opened.classes())
        ids = [image.id for image in opened.images()]
        opened.apply(SetReadings("B", dict(zip(ids, (cyst, cyst, mass, cyst), strict=True))))
    code, (found,) = run(capsys, "agreement", project)
    assert code == 0
    assert (found["reader"], found["images"], found["agreed"]) == ("B", 4, 3)
    assert found["kappa"] == pytest.approx(0.5)
    assert [(one["first"], one["second"]) for one in found["disagreements"]] == [("mass", "cyst")]


def test_moved_images_are_found_and_collected(capsys, project: Path, tmp_path: Path) -> None:
    assert run(capsys, "relink", project, tmp_path) == (0, {"found": 0, "missing": []})
    (tmp_path / "in").rename(tmp_path / "moved")
    (tmp_path / "other").mkdir()
    assert run(capsys, "relink", project, tmp_path / "moved") == (0, {"found": 4, "missing": []})
    code, collected = run(capsys, "collect", project)
    assert (code, collected["files"], collected["left"]) == (0, 4, [])
    assert len(list((tmp_path / "study images").iterdir())) == 4
