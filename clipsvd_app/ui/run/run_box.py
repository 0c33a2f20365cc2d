"""A drop-down of the project's runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from clipsvd_app.ui.kit.choice import Choice
from clipsvd_app.ui.kit.page_parts import fill_choice

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


def run_title(number: int) -> str:
    """Return how a run is named everywhere."""
    return f"Run {number}"


class RunBox(Choice):
    """Signal: ``run_chosen(run number)`` by the user."""

    run_chosen = Signal(int)

    def __init__(self, name: str = "Run", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._runs: tuple[int, ...] = ()
        self.activated.connect(lambda row: self.run_chosen.emit(self._runs[row]))

    def set_runs(self, runs: tuple[int, ...], run: int | None) -> None:
        """Offer these and show one, the first where it is none of them."""
        self._runs = runs
        fill_choice(self, [run_title(number) for number in runs], runs.index(run) if run in runs else 0)

    def show_run(self, run: int) -> None:
        """Show another of those that are offered."""
        self.set_runs(self._runs, run)
