"""``clipsvd remove`` takes images out of a project and never touches their files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.films import ct_slices

from clipsvd_app.cli import main
from clipsvd_app.project import open_project

if TYPE_CHECKING:
    from pathlib import Path


def test_removed_slices_are_flagged_as_missing(capsys, tmp_path: Path) -> None:
    project, slices = tmp_path / "p.clipsvd", ct_slices(tmp_path / "ct", [0, 1, 2, 3])
    assert main(["new", str(project), "--class", "a"]) == 0
    assert main(["add", str(project), str(tmp_path / "ct")]) == 0
    capsys.readouterr()
    assert main(["remove", str(project), str(slices[1]), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"removed": 1, "flagged_series": 1}
    with open_project(project) as opened:
        assert len(opened.images()) == 3
    assert slices[1].is_file()
    assert main(["remove", str(project), str(slices[1])]) == 1
    assert "has no image from" in capsys.readouterr().err
