"""The end of every way to get a backbone: check and copy it, register it, say what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.cli import engine
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.jobs.answers import AddBackboneResult
from clipsvd_app.services.models import backbones
from clipsvd_app.settings import load_settings, save_settings

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.cli.console import Console


def take_in(job: Path, console: Console) -> None:
    """Run the job that ``backbones.prepare_add`` has written."""
    result = engine.answer(job, AddBackboneResult, console)
    save_settings(backbones.record_added(load_settings(), result))
    for note in result.notes:
        console.note(note)
    console.say(
        f"“{result.name}” is ready: {result.parameters:,} parameters,"
        f" {counted(result.matrices, 'matrix', 'matrices')} to adapt,"
        f" {result.singular_values:,} singular values to train."
    )
    console.document(result)
