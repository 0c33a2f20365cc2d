"""The tree of patients, studies and series on the left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSignalBlocker,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from clipsvd_app.ui import icons
from clipsvd_app.ui.image_mime import drag_images, ghost_of
from clipsvd_app.ui.label_page.label_keys import MOVING_KEYS
from clipsvd_app.ui.label_page.studies_model import (
    DEPTH_ROLE,
    FLAGS_ROLE,
    KEY_ROLE,
    PROGRESS_ROLE,
    StudiesModel,
    ids_below,
)
from clipsvd_app.ui.shell.empty_state import EmptyState
from clipsvd_app.ui.shell.state import EmptyAction, EmptySpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.ui.label_page.state import PatientRow
    from clipsvd_app.ui.theme import Palette, Theme

ROW_PX = 30
CHIP_PX = 46
ICON_PX = 16
SIGN_PX = 14
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_ICONS = ("patient", "study", "series")
NO_STUDIES = EmptySpec(
    "folder",
    "No studies yet",
    "Drop a folder, files or a ZIP here.",
    (
        EmptyAction("file.add_folder", "Add folder…", primary=True),
        EmptyAction("file.add_studies", "Add files…"),
    ),
)


class StudiesTree(QWidget):
    """What the project holds, and how much of it is labelled.

    Signals: ``images_selected(tuple of ids)`` of all chosen rows, ``action_requested(str)`` a button of the
    empty state.
    """

    images_selected = Signal(object)
    action_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = StudiesModel(self)
        self.view = _Tree(theme, self._model)
        self._empty = EmptyState(theme, NO_STUDIES)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)
        column.addWidget(self._empty)
        self.view.selectionModel().selectionChanged.connect(self._tell_selection)
        self._empty.action_requested.connect(self.action_requested)
        self._open: tuple[set[str], list[str]] = set(), []
        self._model.modelAboutToBeReset.connect(self._remember)
        self._model.modelReset.connect(self._restore)
        self.set_patients(())

    def set_patients(self, patients: Sequence[PatientRow]) -> None:
        """Show other studies, or the way to get some."""
        first_time = self._model.rowCount() == 0
        self._model.set_patients(patients)
        if first_time and len(patients) == 1:
            self.view.expandAll()
        self.view.setVisible(bool(patients))
        self._empty.setVisible(not patients)
        self.setFocusProxy(self.view if patients else self._empty)

    def select(self, key: str) -> None:
        """Choose a row by its key and bring it into view."""
        index = self._model.index_of(key)
        if index.isValid():
            self.view.setCurrentIndex(index)
            self.view.scrollTo(index)

    def select_nothing(self) -> None:
        """Take the choice back without saying so."""
        with QSignalBlocker(self.view.selectionModel()):
            self.view.selectionModel().clear()
        self.view.viewport().update()

    @property
    def selected_ids(self) -> tuple[int, ...]:
        """The images of all chosen rows."""
        return ids_below(self.view.selectionModel().selectedIndexes())

    def _tell_selection(self) -> None:
        self.images_selected.emit(self.selected_ids)

    def _unfolded(self) -> set[str]:
        tops = [self._model.index(row, 0) for row in range(self._model.rowCount())]
        below = [self._model.index(row, 0, top) for top in tops for row in range(self._model.rowCount(top))]
        return {index.data(KEY_ROLE) for index in (*tops, *below) if self.view.isExpanded(index)}

    def _remember(self) -> None:
        chosen = [index.data(KEY_ROLE) for index in self.view.selectionModel().selectedIndexes()]
        self._open = self._unfolded(), chosen

    def _restore(self) -> None:
        unfolded, chosen = self._open
        for key in unfolded:
            self.view.setExpanded(self._model.index_of(key), True)
        select = QItemSelectionModel.SelectionFlag.Select
        self.view.selectionModel().blockSignals(True)
        for key in chosen:
            self.view.selectionModel().select(self._model.index_of(key), select)
        self.view.selectionModel().blockSignals(False)


class _Tree(QTreeView):
    """Keeps the keys that move in it; the page has a use for all others."""

    def __init__(self, theme: Theme, model: StudiesModel) -> None:
        super().__init__()
        self._theme = theme
        self.setModel(model)
        self.setItemDelegate(_StudyDelegate(theme, self))
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setIndentation(14)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Studies")
        theme.changed.connect(lambda _palette: self.viewport().update())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in MOVING_KEYS and not event.modifiers() & Qt.KeyboardModifier.AltModifier:
            super().keyPressEvent(event)
        else:
            event.ignore()

    def startDrag(self, supported_actions: Qt.DropAction) -> None:
        ids = ids_below(self.selectionModel().selectedIndexes())
        if ids:
            drag_images(self, ids, ghost_of(None, len(ids), self._theme.palette))


class _StudyDelegate(QStyledItemDelegate):
    """Draws the kind of row, its name, a sign on irregular series and how many images are labelled."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._ratio = parent.devicePixelRatioF()
        self._draw_icons(theme.palette)
        theme.changed.connect(self._draw_icons)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(120, ROW_PX)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        self.initStyleOption(option, index)
        name, option.text = option.text, ""
        style = option.widget.style()
        style.drawControl(style.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        palette, area = self._theme.palette, option.rect
        depth, (labelled, images) = index.data(DEPTH_ROLE), index.data(PROGRESS_ROLE)
        painter.save()
        ink = palette.color("text" if depth == 0 else "text_muted")
        painter.drawPixmap(area.left() + 4, area.center().y() - ICON_PX // 2 + 1, self._pictures[depth])
        words = area.adjusted(ICON_PX + 10, 0, -CHIP_PX - 8, 0)
        if index.data(FLAGS_ROLE):
            words.setRight(words.right() - SIGN_PX - 4)
            painter.drawPixmap(words.right() + 4, area.center().y() - SIGN_PX // 2 + 1, self._sign)
        painter.setPen(ink)
        fitted = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, fitted)
        self._paint_progress(painter, area, labelled, images)
        painter.restore()

    def _draw_icons(self, palette: Palette) -> None:
        faint = palette.color("text_faint")
        self._pictures = [icons.pixmap(name, faint, ICON_PX, self._ratio) for name in _ICONS]
        self._sign = icons.pixmap("warning", palette.color("warning"), SIGN_PX, self._ratio)

    def _paint_progress(self, painter: QPainter, area: QRect, labelled: int, images: int) -> None:
        palette = self._theme.palette
        chip = QRectF(area.right() - CHIP_PX - 2, area.center().y() - 8, CHIP_PX, 17)
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() * 0.84)
        painter.setFont(font)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        done = images > 0 and labelled == images
        if labelled:
            painter.setBrush(palette.color("success_soft" if done else "accent_soft"))
            painter.drawRoundedRect(chip, 8, 8)
        painter.setPen(palette.color("success" if done else "accent" if labelled else "text_faint"))
        text = f"{labelled}/{images}" if labelled else str(images)
        aside = Qt.AlignmentFlag.AlignCenter if labelled else Qt.AlignmentFlag.AlignRight
        painter.drawText(chip.adjusted(0, 0, 0 if labelled else -6, 0), aside | _MIDDLE, text)
