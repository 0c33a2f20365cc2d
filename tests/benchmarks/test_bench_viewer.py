"""Facts about `python -m benchmarks viewer`: one document from reading and window."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.phantom_ct import chest, write_series

from benchmarks import window
from benchmarks.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

READING = {"slices", "series_s", "pydicom_series_s", "simpleitk_series_s", "threads", "runs"}
WINDOW = {"first_image_s", "scroll_p95_ms"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_series(tmp_path / "ct", chest(6, 32))
    return tmp_path / "ct"


def measured(folder: Path, capsys) -> dict:
    assert main(["viewer", str(folder), "--runs", "1", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.gui
def test_reading_and_window_are_timed_in_one_document(folder, capsys):
    found = measured(folder, capsys)
    assert set(found) == READING | WINDOW
    assert (found["slices"], found["runs"]) == (6, 1)
    assert min(found[f"{name}series_s"] for name in ("", "pydicom_", "simpleitk_")) > 0
    assert 0 < found["first_image_s"] < 60
    assert 0 < found["scroll_p95_ms"] < 60_000


def test_without_qt_reading_is_timed_alone(folder, capsys, monkeypatch):
    monkeypatch.setattr(window, "QT_WORKS", "import there_is_no_such_module")
    assert set(measured(folder, capsys)) == READING
