"""The user's own phrases: drop a pack, read what its check found, take it away again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.ui.explain.state import PacksState
from clipsvd_app.ui.kit.drop_area import DropArea
from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.kit.page_parts import GAP, Banner, Card, Lines, button, empty, label

if TYPE_CHECKING:
    from clipsvd_app.corpus import PackReport

_SENTENCE = "A CSV table of visible features, with the columns listed in docs/corpus.md"
_MOST = 6


class PacksCard(Card):
    """Signals: ``pack_dropped(path)``, ``remove_requested(name)``, ``explain_again()``."""

    pack_dropped = Signal(str)
    remove_requested = Signal(str)
    explain_again = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Your own phrases", parent)
        self._area = DropArea("Drop a pack of phrases here", _SENTENCE, "Choose a file…")
        self.banner = Banner()
        self._again = destructive(button("Explain this run again with them"))
        self._findings = Lines()
        self._packs = vertical(spacing=GAP)
        for part in (self._area, self.banner, self._findings):
            self.body.addWidget(part)
        row = QHBoxLayout()
        row.addWidget(self._again)
        row.addStretch(1)
        self.body.addLayout(row)
        self.body.addLayout(self._packs)
        self._area.paths_dropped.connect(self._take)
        self._area.pressed.connect(self._choose)
        self._again.clicked.connect(self.explain_again)
        self.set_state(PacksState())

    def set_state(self, state: PacksState) -> None:
        """Show the packs, and what came of the last one dropped."""
        refused, added = state.refused, next((p for p in state.packs if p.name == state.added), None)
        self.banner.setVisible(refused is not None or added is not None)
        self._again.setVisible(added is not None)
        if refused is not None:
            faults = counted(len(refused.faults), "fault")
            self.banner.show_text(
                "error", f"“{refused.name}” was not added", f"It has {faults}. Fix them, then drop it again."
            )
        elif added is not None:
            self.banner.show_text(
                "success",
                f"“{added.name}” added",
                "Existing runs keep their descriptions until you explain them again.",
            )
        self._findings.set_lines(_findings(refused or added))
        empty(self._packs)
        for report in state.packs:
            self._packs.addWidget(self._row(report))

    def _row(self, report: PackReport) -> QWidget:
        row = QWidget()
        across = horizontal(row)
        across.addWidget(label(f"{report.name}: {summary(report)}"), 1)
        hint = f"Do not use “{report.name}” in new explanations"
        remove = destructive(button("Remove", "quiet", hint=hint))
        remove.setAccessibleName(f"Remove the pack {report.name}")
        remove.clicked.connect(lambda: self.remove_requested.emit(report.name))
        across.addWidget(remove)
        return row

    def _take(self, paths: list[str]) -> None:
        if paths:
            self.pack_dropped.emit(paths[0])

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Pack of phrases", str(Path.home()), "Tables (*.csv)")
        if path:
            self.pack_dropped.emit(path)


def summary(report: PackReport) -> str:
    """Say what a pack holds in one line."""
    if not report.is_usable:
        return f"left out, {report.faults[0]}"
    kinds = ", ".join(f"{name} {number}" for name, number in report.by_modality.items())
    controls = f", {counted(report.controls, 'control')}" if report.controls else ""
    return f"{counted(report.phrases, 'description')}{controls} ({kinds or 'no kind of image'})"


def _findings(report: PackReport | None) -> list[tuple[str, str, str]]:
    """Return (mark, sentence, kind) of faults first, then warnings; the rest is counted."""
    if report is None:
        return []
    found = [("✗", fault, "error") for fault in report.faults]
    found += [("!", warning, "warning") for warning in report.warnings]
    more = len(found) - _MOST
    rest = [("", f"and {more:,} more; clipsvd corpus check lists all of them", "muted")] if more > 0 else []
    return [*found[:_MOST], *rest]
