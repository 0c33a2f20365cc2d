from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from clipsvd_app.cli import main
from clipsvd_app.corpus import COLUMNS, user_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINE = "m-1,a pale zone around a vein,any,any,vascular,present,,,,me,CC0,true"


@pytest.fixture(autouse=True)
def _no_packs_left() -> Iterator[None]:
    yield
    shutil.rmtree(user_folder(), ignore_errors=True)


def written(folder: Path, line: str) -> str:
    path = folder / "mine.csv"
    path.write_text(",".join(COLUMNS) + "\n" + line + "\n", encoding="utf-8")
    return str(path)


def test_a_sound_pack_passes_its_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpus", "check", written(tmp_path, LINE), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["phrases"] == 1
    assert report["by_axis"] == {"vascular": 1}
    assert report["faults"] == []


def test_a_faulty_pack_ends_with_1_and_says_the_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["corpus", "check", written(tmp_path, LINE.replace("any,any", "sonar,any"))]) == 1
    assert "Line 2 of the pack “mine.csv” has an unknown modality." in capsys.readouterr().out


def test_packs_are_added_listed_and_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpus", "add", written(tmp_path, LINE)]) == 0
    capsys.readouterr()
    assert main(["corpus", "list", "--json"]) == 0
    assert [pack["name"] for pack in json.loads(capsys.readouterr().out)["packs"]] == ["mine"]
    assert main(["corpus", "remove", "mine"]) == 0
    assert main(["corpus", "remove", "mine"]) == 1
