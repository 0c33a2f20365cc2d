"""``backbone.json``: what was found out about a backbone when it was added, kept beside its weights."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from clipsvd_app.domain.codec import CodecError, from_json, to_json
from clipsvd_app.jobs.answers import AddBackboneResult

if TYPE_CHECKING:
    from pathlib import Path

RECORD = "backbone.json"


def write_record(folder: Path, result: AddBackboneResult) -> None:
    """Write the record without the folder, which is wherever the record lies."""
    stored = to_json(replace(result, folder="", notes=()))
    (folder / RECORD).write_text(json.dumps(stored, indent=1), encoding="utf-8")


def read_record(folder: Path) -> AddBackboneResult | None:
    """Return the record of a backbone folder; None for a folder that was not written by this program."""
    try:
        stored = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return replace(from_json(AddBackboneResult, stored), folder=str(folder))
    except (OSError, ValueError, CodecError):
        return None
