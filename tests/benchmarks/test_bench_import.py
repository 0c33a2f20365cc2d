"""Facts about `python -m benchmarks import`: reading is timed beside another library."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.phantom_ct import chest, write_series

from benchmarks.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path


def test_adding_is_timed_beside_another_library(capsys, tmp_path: Path):
    write_series(tmp_path / "ct", chest(4, 32))
    assert main(["import", str(tmp_path / "ct"), "--runs", "1", "--quiet", "--json"]) == 0
    adding = json.loads(capsys.readouterr().out)
    assert adding["files"] == 4
    assert min(adding["files_per_s"], adding["pydicom_files_per_s"]) > 0


@pytest.mark.parametrize("name", ["viewer", "import"])
def test_there_is_nothing_to_time_in_an_empty_folder(capsys, tmp_path: Path, name: str):
    assert main([name, str(tmp_path)]) == 1
    assert "No image file in" in capsys.readouterr().err


@pytest.mark.gui
@pytest.mark.slow
def test_adding_in_the_window_says_how_long_it_was_blocked(capsys):
    assert main(["import", "--window", "24", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["images"] == 24
    assert 0 < found["held_ms"] < 1000 * found["adding_s"]


def test_an_import_is_of_a_folder_or_in_the_window(capsys):
    assert main(["import"]) == 1
    assert "No folder to import" in capsys.readouterr().err
