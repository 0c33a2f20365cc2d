"""``clipsvd backbones``: what it prints, what it writes, and what it takes away again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.tiny_backbone import MATRICES, TRAINED_NUMBERS, write_tiny_backbone

from clipsvd_app.cli import main
from clipsvd_app.cli.model import backbones as commands
from clipsvd_app.services.models import backbones


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def document(capsys, *arguments: object) -> dict:
    code, out, _ = run(capsys, *arguments, "--json")
    assert code == 0
    return json.loads(out)


@pytest.fixture(autouse=True)
def _no_backbones_of_other_tests():
    yield
    shutil.rmtree(backbones.own_folder(), ignore_errors=True)


@pytest.fixture
def download(tmp_path) -> Path:
    return write_tiny_backbone(tmp_path / "Tiny CLIP", seed=11)


def test_a_backbone_is_added_listed_and_removed(capsys, download) -> None:
    added = document(capsys, "backbones", "add", download)
    assert added["name"] == "Tiny CLIP"
    assert (added["matrices"], added["singular_values"]) == (MATRICES, TRAINED_NUMBERS)
    listed = document(capsys, "backbones", "list")["backbones"]
    assert [entry["name"] for entry in listed] == ["demo", "Tiny CLIP"]
    facts = ("folder", "sha256", "source_sha256", "architecture", "parameters", "matrices", "singular_values")
    assert {name: listed[1][name] for name in facts} == {name: added[name] for name in facts}
    code, out, err = run(capsys, "backbones", "add", download, "--name", "second")
    assert code == 0
    assert "already" in err
    assert "“Tiny CLIP”" in out
    assert document(capsys, "backbones", "remove", "Tiny CLIP") == {"removed": "Tiny CLIP"}
    assert not Path(added["folder"]).exists()
    assert [entry["name"] for entry in document(capsys, "backbones", "list")["backbones"]] == ["demo"]


def test_a_refused_backbone_leaves_no_trace(capsys, download) -> None:
    (download / "vocab.txt").unlink()
    code, out, err = run(capsys, "backbones", "add", download, "--quiet")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "vocabulary" in err
    assert [entry["name"] for entry in document(capsys, "backbones", "list")["backbones"]] == ["demo"]
    assert not backbones.own_folder().exists() or not list(backbones.own_folder().iterdir())


def test_the_kinds_of_the_command_line_are_those_of_the_engine() -> None:
    from clipsvd_app.engine.backbone.random_weights import RANDOM_KINDS

    assert commands.RANDOM_KINDS == RANDOM_KINDS


def test_a_random_backbone_is_not_written_over_files(capsys, tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    code, _, err = run(capsys, "backbones", "make-random", "biomedclip", tmp_path, "--quiet")
    assert code == 1
    assert "not empty" in err
