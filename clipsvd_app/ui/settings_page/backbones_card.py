"""The backbones: which there are, which one is used, and a way to add a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from clipsvd_app.ui.plots.numbers import short_hash
from clipsvd_app.ui.plots.page_parts import GAP, Card, button, empty, label
from clipsvd_app.ui.theme import set_kind

if TYPE_CHECKING:
    from clipsvd_app.ui.settings_page.state import BackboneRow


class BackbonesCard(Card):
    """Signals: ``folder_chosen(path)``, ``use_requested(key)``, ``remove_requested(key)``."""

    folder_chosen = Signal(str)
    use_requested = Signal(str)
    remove_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Backbones", parent)
        add = button("Add a folder…")
        add.clicked.connect(self._choose_folder)
        self.head.addWidget(add)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(GAP)
        self.body.addWidget(
            label(
                "The model that learns. A folder holds the weights, the configuration and the tokenizer of "
                "an open_clip model such as BiomedCLIP; nothing is fetched or copied.",
                "small",
            )
        )
        self.body.addLayout(self._rows)

    def set_backbones(self, backbones: tuple[BackboneRow, ...]) -> None:
        """Show one row a backbone."""
        empty(self._rows)
        for position, row in enumerate(backbones):
            if position:
                line = QFrame()
                set_kind(line, "line")
                self._rows.addWidget(line)
            self._rows.addWidget(self._row(row))

    def _row(self, row: BackboneRow) -> QWidget:
        holder = QWidget()
        whole = QHBoxLayout(holder)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(GAP)
        words = QVBoxLayout()
        words.setSpacing(2)
        top = QHBoxLayout()
        top.setSpacing(GAP)
        top.addWidget(label(row.name, wrap=False))
        if row.in_use:
            top.addWidget(label("in use", "chip", wrap=False))
        top.addStretch(1)
        words.addLayout(top)
        words.addWidget(label(_details(row), "small"))
        if row.problem:
            words.addWidget(label(row.problem, "warning"))
        whole.addLayout(words, 1)
        if not row.in_use:
            whole.addWidget(self._button("Use", row, enabled=not row.problem))
        if not row.embedded:
            whole.addWidget(self._button("Remove", row, enabled=not row.in_use))
        return holder

    def _button(self, text: str, row: BackboneRow, *, enabled: bool) -> QWidget:
        result = button(text, "quiet" if text == "Remove" else "")
        result.setAccessibleName(f"{text} {row.name}")
        result.setEnabled(enabled)
        signal = self.use_requested if text == "Use" else self.remove_requested
        result.clicked.connect(lambda: signal.emit(row.key))
        return result

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of a backbone")
        if folder:
            self.folder_chosen.emit(folder)


def _details(row: BackboneRow) -> str:
    size = f"{row.parameters / 1e6:,.1f} million parameters" if row.parameters else "size not yet known"
    place = "comes with the program" if row.embedded else row.folder
    return f"{place} · {size} · weights {short_hash(row.sha256)}"
