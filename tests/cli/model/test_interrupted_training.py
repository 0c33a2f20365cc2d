"""Ctrl+C in a training: it stops between two steps, and the same command goes on from there."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest
from PIL import Image
from support.tiny_backbone import write_tiny_backbone

from clipsvd_app import settings
from clipsvd_app.cli import main
from clipsvd_app.cli.console import Console
from clipsvd_app.domain.results.run import RunNote
from clipsvd_app.domain.words.notes import note_text
from clipsvd_app.project import open_project
from clipsvd_app.services.runs.stopped_training import stopped_trainings


@pytest.fixture
def project(tmp_path, capsys):
    """A labelled project of two classes on a tiny backbone."""
    random = np.random.default_rng(5)
    for name, grey in (("dark", 60), ("bright", 190)):
        (tmp_path / "in" / name).mkdir(parents=True)
        for number in range(2):
            pixels = random.normal(grey, 40, (40, 40)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "in" / name / f"{number}.png")
    file, backbone = tmp_path / "p.clipsvd", write_tiny_backbone(tmp_path / "tiny")
    for command in (
        ["new", file, "--class", "dark", "--class", "bright", "--backbone", backbone],
        ["add", file, tmp_path / "in"],
        ["label", file, "--from-folders"],
    ):
        assert main([str(part) for part in command]) == 0
    capsys.readouterr()
    return file


def kept_runs():
    folder = settings.cache_folder() / "checkpoints"
    return folder.iterdir() if folder.is_dir() else ()


def test_ctrl_c_stops_between_two_steps_and_the_same_command_goes_on(project, capsys, monkeypatch):
    before, told, report = signal.getsignal(signal.SIGINT), [], Console.report

    def interrupting(console, stage, done, total, metrics=None):
        told.append((stage, done))
        if (stage, done) == ("Training", 7):
            os.kill(os.getpid(), signal.SIGINT)
        report(console, stage, done, total, metrics)

    others = set(kept_runs())
    command = ["train", str(project), "--preset", "quick", "--json"]
    with monkeypatch.context() as patch:
        patch.setattr(Console, "report", interrupting)
        assert main(command) == 130
    assert told[-1] == ("Training", 7)
    assert len(set(kept_runs()) - others) == 1
    with open_project(project) as opened:
        (stopped,) = stopped_trainings(opened)
    assert stopped.stages[-1][1:] == (8, stopped.request.recipe.steps), "the step that found it was to stop"
    assert "To resume, run the same command again" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) == before

    assert main(command) == 0
    assert note_text(RunNote("resumed")) in json.loads(capsys.readouterr().out)["notes"]
    assert set(kept_runs()) == others
    with open_project(project) as opened:
        assert stopped_trainings(opened) == ()
