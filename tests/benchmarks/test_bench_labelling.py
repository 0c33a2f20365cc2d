"""Facts about `python -m benchmarks labelling`: a window is worked, and every figure is there."""

from __future__ import annotations

import json

import pytest

from benchmarks import window
from benchmarks.__main__ import main


@pytest.mark.gui
@pytest.mark.slow
def test_labelling_is_timed_in_every_order_of_the_pool(capsys):
    assert main(["labelling", "--images", "48", "--labels", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["images"] == 48
    assert 0 < found["opening_processor_s"] < 60
    assert set(found["held_p95_ms"]) == {"suggested", "similar", "disagree", "name"}
    assert min(found["held_p95_ms"].values()) > 0
    assert set(found["theme_ms"]) == {"label", "train", "inspect", "explain", "export", "settings"}


def test_too_few_images_for_a_preview_are_refused_in_one_sentence(capsys):
    assert main(["labelling", "--images", "3"]) != 0
    assert "--images must be at least 48" in capsys.readouterr().err


def test_without_qt_nothing_is_timed(capsys, monkeypatch):
    monkeypatch.setattr(window, "QT_WORKS", "import there_is_no_such_module")
    assert main(["labelling", "--images", "48", "--labels", "2"]) != 0
    assert "Qt does not run here" in capsys.readouterr().err
