"""``backbone.json``: what was found out about a backbone when it was added, kept beside its weights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec.structs import replace

from clipsvd_app.domain.records import from_text, to_json
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
        return replace(from_text(AddBackboneResult, (folder / RECORD).read_bytes()), folder=str(folder))
    except (OSError, ValueError):
        return None
