"""What an adapter says of new images: sortable, those unlike its training images and the uncertain first."""

from __future__ import annotations

from os.path import commonprefix
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.ui.look.class_colours import class_colour, class_icon
from clipsvd_app.ui.look.inks import palette_in_force

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QColor, QKeyEvent, QPainter

    from clipsvd_app.ui.export.state import AppliedRow

Index = QModelIndex | QPersistentModelIndex
HEADINGS = (
    "File",
    "Study",
    "Prediction",
    "Probability",
    "Warning",
    "All classes",
    "Zero-shot",
    "All, zero-shot",
)
FILE, STUDY, CLASS, TOP, UNLIKE, STRIP, BASE_CLASS, BASE_STRIP = range(len(HEADINGS))
MARKED = "⚠ Unlike"
FAINT = 0.35  # how much is left of the ink of an answer that does not count
LONGEST_PX, SHORTEST_PX = 300, 84
_Role = Qt.ItemDataRole
VALUES_ROLE, FAINT_ROLE = _Role.UserRole + 1, _Role.UserRole + 2


class ResultsTable(QTableView):
    """A row an image. It opens with the least certain on top; a click on a heading sorts.

    Signal: ``opened(int)`` an image, by a double click or Enter.
    """

    opened = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = _RowsModel(self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self._rows)
        self._sorted.setSortRole(_Role.UserRole)
        self.setModel(self._sorted)
        strip = _StripDelegate(self)
        for column in (STRIP, BASE_STRIP):
            self.setItemDelegateForColumn(column, strip)
        self.setSortingEnabled(True)
        self.sortByColumn(TOP, Qt.SortOrder.AscendingOrder)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setIconSize(QSize(18, 18))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(34)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setMaximumSectionSize(LONGEST_PX)
        header.setMinimumSectionSize(SHORTEST_PX)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        for column in (STRIP, BASE_STRIP):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        self.setAccessibleName("Predictions")
        self.doubleClicked.connect(self._open)

    def set_rows(self, names: tuple[str, ...], rows: tuple[AppliedRow, ...]) -> None:
        """Show rows in the order that is sorted by."""
        self._rows.set_rows(names, rows)
        self.setColumnHidden(UNLIKE, not any(row.unlike for row in rows))

    def step(self, images: int) -> None:
        """Open the previous or next image, stopping at the ends."""
        row = min(max(self.currentIndex().row() + images, 0), self._sorted.rowCount() - 1)
        if row >= 0 and row != self.currentIndex().row():
            self.selectRow(row)
            self._open(self.currentIndex())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._open(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(self._rows.rows[self._sorted.mapToSource(index).row()].image_id)

    def image_ids(self) -> tuple[int, ...]:
        """Return the images from top to bottom."""
        source = (
            self._sorted.mapToSource(self._sorted.index(row, 0)) for row in range(self._sorted.rowCount())
        )
        return tuple(self._rows.rows[index.row()].image_id for index in source)


def below_common(paths: Sequence[str]) -> dict[str, str]:
    """Return each path below the folder that all of them lie in, parts divided by “/”."""
    parts = {path: path.split("/") for path in paths}
    common = len(commonprefix([found[:-1] for found in parts.values()]))
    return {path: "/".join(found[common:]) for path, found in parts.items()}


class _RowsModel(QAbstractTableModel):
    """Rows with a text to read and a key to sort by."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.names: tuple[str, ...] = ()
        self.rows: tuple[AppliedRow, ...] = ()
        self._files: dict[str, str] = {}

    def set_rows(self, names: tuple[str, ...], rows: tuple[AppliedRow, ...]) -> None:
        self.beginResetModel()
        self.names, self.rows = names, rows
        self._files = below_common([row.file_name for row in rows])
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(HEADINGS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> Any:  # noqa: ANN401
        if orientation == Qt.Orientation.Horizontal and role in (_Role.DisplayRole, _Role.ToolTipRole):
            return HEADINGS[section]
        return None

    def data(self, index: Index, role: int = _Role.DisplayRole) -> Any:  # noqa: ANN401
        row, column = self.rows[index.row()], index.column()
        values = row.zero_shot if column in (BASE_CLASS, BASE_STRIP) else row.adapted
        best = values.index(max(values))
        if role == _Role.DisplayRole:
            return self._text(row, column, best)
        if role == _Role.UserRole:
            key = _sort_key(row, column, max(values))
            return self._text(row, column, best) if key is None else key
        if role == _Role.ForegroundRole and row.unlike and column not in (FILE, STUDY, UNLIKE):
            return palette_in_force().color("text_muted")
        if role in (_Role.ToolTipRole, _Role.AccessibleDescriptionRole) and column == UNLIKE:
            return row.unlike
        if role == _Role.DecorationRole and column in (CLASS, BASE_CLASS):
            return class_icon(best)
        if role == _Role.ToolTipRole and column == FILE:
            return row.file_name
        if role in (_Role.ToolTipRole, _Role.AccessibleTextRole) and column >= CLASS:
            said = ", ".join(f"{n} {percent(v)}" for n, v in zip(self.names, values, strict=True))
            return f"{row.unlike}\n{said}" if row.unlike else said
        if role == FAINT_ROLE:
            return bool(row.unlike)
        return values if role == VALUES_ROLE else None

    def _text(self, row: AppliedRow, column: int, best: int) -> str:
        if column in (STRIP, BASE_STRIP):
            return ""
        texts = {
            FILE: self._files[row.file_name],
            STUDY: row.study,
            TOP: percent(row.adapted[best]),
            UNLIKE: MARKED if row.unlike else "",
        }
        return texts.get(column, self.names[best])


def _sort_key(row: AppliedRow, column: int, largest: float) -> float | None:
    """Return what a column of figures is sorted by: below the least certain lies what does not count."""
    if column in (TOP, STRIP, BASE_STRIP):
        return largest - 1.0 if row.unlike and column != BASE_STRIP else largest
    return None


class _StripDelegate(QStyledItemDelegate):
    """Draws the probabilities of all classes as one bar."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        values = index.data(VALUES_ROLE)
        area = QRectF(option.rect).adjusted(8, 0, -8, 0)
        area = QRectF(area.x(), area.center().y() - 5, area.width(), 10)
        painter.save()
        painter.setOpacity(FAINT if index.data(FAINT_ROLE) else 1.0)
        _paint_probabilities(painter, area, tuple(values), palette_in_force().color("panel"))
        painter.restore()


def _paint_probabilities(
    painter: QPainter, area: QRectF, probabilities: tuple[float, ...], gap: QColor
) -> None:
    """Draw probabilities as one bar of class-coloured parts, for table cells; ``gap`` parts them."""
    painter.setPen(Qt.PenStyle.NoPen)
    x = area.x()
    for position, share in enumerate(probabilities):
        width = area.width() * share
        if width >= 1:
            painter.setBrush(class_colour(position))
            painter.drawRect(QRectF(x, area.y(), width, area.height()))
            painter.setBrush(gap)
            painter.drawRect(QRectF(x + width - 1, area.y(), 1, area.height()))
        x += width
