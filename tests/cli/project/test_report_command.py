"""``clipsvd report``: the file it writes and what it says of it."""

from __future__ import annotations

import json

import pytest
from support.made_evaluation import made_run

from clipsvd_app.cli import main
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.records import to_json
from clipsvd_app.project import create_project


@pytest.fixture
def project(tmp_path):
    with create_project(tmp_path / "p.clipsvd") as made:
        made.add_run("quick", {"recipe": to_json(Recipe()), "labels": {}, "classes": []}, made_run(), b"")
    return tmp_path / "p.clipsvd"


@pytest.mark.parametrize(("name", "start"), [("r.pdf", b"%PDF"), ("r.html", b"<!DOCTYPE html>")])
def test_a_report_is_written_and_described(project, tmp_path, capsys, name, start):
    out = tmp_path / name
    assert main(["report", str(project), "--run", "1", "--out", str(out), "--failures", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert out.read_bytes().startswith(start)
    assert said["bytes"] == out.stat().st_size
    assert said["failures"] == 0, "the images are not in the project"
    assert said["withheld"] > 0


def test_a_file_that_is_there_is_replaced_only_when_asked(project, tmp_path, capsys):
    command = ["report", str(project), "--run", "1", "--out", str(tmp_path / "r.html")]
    assert [main(command), main(command), main([*command, "--overwrite"])] == [0, 1, 0]
    assert "already exists" in capsys.readouterr().err


def test_a_run_that_is_not_there_is_refused(project, tmp_path, capsys):
    assert main(["report", str(project), "--run", "9", "--out", str(tmp_path / "r.pdf")]) == 1
    assert "no run 9" in capsys.readouterr().err
