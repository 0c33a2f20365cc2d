"""The singular directions that changed most, with the phrases at their two poles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from clipsvd_app.ui.plots.inks import palette_in_force
from clipsvd_app.ui.plots.layers_picture import KIND_TITLES, TOWER_TITLES
from clipsvd_app.ui.plots.page_parts import Card, button, choice, label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clipsvd_app.domain.explanation import DirectionChange, MatrixChange, Phrase

NO_WORDS = "no reliable description"
_HEADINGS = ("Matrix", "Direction", "σ before → after", "Effect", "One pole", "Other pole")
TowerFilter = Literal["", "image", "text"]
_FILTERS: tuple[tuple[TowerFilter, str], ...] = (
    ("", "Both towers"),
    ("image", TOWER_TITLES["image"]),
    ("text", TOWER_TITLES["text"]),
)


class DirectionsCard(Card):
    """A row a direction, strongest effect first; filtered by tower or by one matrix."""

    filter_cleared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Directions that changed most", parent)
        self._directions: tuple[DirectionChange, ...] = ()
        self._kinds: Mapping[str, str] = {}
        self._matrix = ""
        self._tower = choice("Tower")
        self._tower.addItems([title for _, title in _FILTERS])
        self._clear = button("Show all", "quiet")
        self._note = label("", "muted")
        self.table = _table()
        self.head.addWidget(self._clear)
        self.head.addWidget(self._tower)
        self.body.addWidget(self._note, 0, Qt.AlignmentFlag.AlignTop)
        self.body.addWidget(self.table, 1)
        self._tower.currentIndexChanged.connect(self._refresh)
        self._clear.clicked.connect(self.filter_cleared)

    def set_directions(
        self, directions: tuple[DirectionChange, ...], matrices: tuple[MatrixChange, ...] = ()
    ) -> None:
        """Show these directions, unfiltered by matrix; ``matrices`` say of what kind each is."""
        self._kinds = {matrix.name: matrix.kind for matrix in matrices}
        self._directions = tuple(sorted(directions, key=lambda direction: -direction.effect))
        self.show_matrix("")

    def show_matrix(self, name: str) -> None:
        """Show the directions of one matrix, or of all with an empty name."""
        self._matrix = name
        self._refresh()

    def show_tower(self, tower: TowerFilter) -> None:
        """Show the directions of one tower, or of both with an empty name."""
        self._tower.setCurrentIndex([name for name, _ in _FILTERS].index(tower))

    def shown(self) -> tuple[DirectionChange, ...]:
        """Return the directions that pass the filters, in order."""
        tower = _FILTERS[max(0, self._tower.currentIndex())][0]
        return tuple(
            direction
            for direction in self._directions
            if direction.tower in (tower or direction.tower)
            and direction.matrix in (self._matrix or direction.matrix)
        )

    def _refresh(self) -> None:
        shown = self.shown()
        largest = max((direction.effect for direction in self._directions), default=0.0)
        self.table.setRowCount(len(shown))
        for row, direction in enumerate(shown):
            for column, text in enumerate(self._texts(direction, largest)):
                item = QTableWidgetItem(text)
                item.setToolTip(_tooltip(direction))
                if text == NO_WORDS:
                    # an item keeps its colour when the theme changes; this one reads well in both
                    item.setForeground(palette_in_force().color("text_faint"))
                self.table.setItem(row, column, item)
        self.table.setVisible(bool(shown))
        self._clear.setVisible(bool(self._matrix))
        self._note.setText(_note(len(shown), self._matrix))
        self._note.setVisible(bool(self._note.text()))

    def _texts(self, direction: DirectionChange, largest: float) -> tuple[str, ...]:
        share = direction.effect / largest if largest else 0.0
        return (
            self._title_of(direction),
            str(direction.index + 1),
            f"{direction.sigma_base:.2f} → {direction.sigma:.2f}",
            f"{share * 100:.0f} % of the top",
            _phrases(direction.positive),
            _phrases(direction.negative),
        )

    def _title_of(self, direction: DirectionChange) -> str:
        """Return “Image 11 · value” of a direction's matrix."""
        kind = KIND_TITLES.get(self._kinds.get(direction.matrix, ""), "")
        where = f"{direction.tower.capitalize()} {direction.layer + 1}"
        return f"{where} · {kind}" if kind else where


def _table() -> QTableWidget:
    table = QTableWidget(0, len(_HEADINGS))
    table.setHorizontalHeaderLabels(list(_HEADINGS))
    table.setAccessibleName("Changed directions")
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setShowGrid(False)
    table.setMinimumHeight(140)
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(32)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    for column in (4, 5):
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
    return table


def _phrases(phrases: tuple[Phrase, ...]) -> str:
    return ", ".join(phrase.text for phrase in phrases) or NO_WORDS


def _tooltip(direction: DirectionChange) -> str:
    lines = [direction.matrix, f"effect {direction.effect:.4g}"]
    for pole, phrases in (("one pole", direction.positive), ("other pole", direction.negative)):
        lines += [f"{pole}: {phrase.text} ({phrase.score:.2f})" for phrase in phrases]
    return "\n".join(lines)


def _note(number: int, matrix: str) -> str:
    if number:
        return ""
    if matrix:
        return "None of the strongest directions lies in this matrix."
    return "No direction is listed for this run."
