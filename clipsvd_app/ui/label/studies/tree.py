"""The tree of patients, studies and series on the left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSignalBlocker,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from clipsvd_app.ui.kit.empty_state import EmptyState
from clipsvd_app.ui.kit.image_mime import drag_images, ghost_of
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.label.label_keys import MOVING_KEYS
from clipsvd_app.ui.label.studies.model import (
    DATE,
    DEPTH_ROLE,
    DESCRIPTION,
    FLAGS_ROLE,
    KEY_ROLE,
    MODALITY,
    NAME,
    PROGRESS_ROLE,
    StudiesModel,
    ids_below,
)
from clipsvd_app.ui.look import icons
from clipsvd_app.ui.session.state import EmptyAction, EmptySpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clipsvd_app.ui.label.state import PatientRow, SeriesFacts
    from clipsvd_app.ui.look.theme import Palette, Theme

ROW_PX = 30
CHIP_PX = 46
ICON_PX = 16
SIGN_PX = 14
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
LOOK_PAUSE_MS = 60
_COLUMN_PX = {MODALITY: (64, 250), DATE: (84, 330), DESCRIPTION: (130, 460)}
"""Width of each column, and of the tree from which on it is shown."""
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
    empty state, ``facts_needed(list of (key, image id))`` of series that have come into sight.
    """

    images_selected = Signal(object)
    facts_needed = Signal(object)
    action_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = StudiesModel(self)
        self.view = _Tree(theme, self._model)
        self._empty = EmptyState(theme, NO_STUDIES)
        column = vertical(self)
        column.addWidget(self.view)
        column.addWidget(self._empty)
        self._asked: set[str] = set()
        self._followed = False  # the choice came from the viewer, not from the user
        self._looking = QTimer(self)
        self._looking.setSingleShot(True)
        self._looking.setInterval(LOOK_PAUSE_MS)
        self._looking.timeout.connect(self._ask_for_seen)
        for moved in (self.view.verticalScrollBar().valueChanged, self.view.expanded, self.view.resized):
            moved.connect(lambda _moved: self._looking.start())
        self.view.header().sortIndicatorChanged.connect(self._sort)
        self.view.clicked.connect(self._mean_it)
        self.view.activated.connect(self._mean_it)
        self.view.pressed.connect(self._mean_it_for_its_menu)
        self.view.selectionModel().selectionChanged.connect(self._tell_selection)
        self._empty.action_requested.connect(self.action_requested)
        self._open: tuple[set[str], list[str]] = set(), []
        self._model.modelAboutToBeReset.connect(self._remember)
        self._model.modelReset.connect(self._restore)
        self.set_patients(())

    def set_patients(self, patients: Sequence[PatientRow]) -> None:
        """Show other studies, or the way to get some."""
        first_time = self._model.rowCount() == 0
        self.view.setVisible(bool(patients))
        self._model.set_patients(patients)
        if first_time and len(patients) == 1:
            self.view.expandAll()
        self._empty.setVisible(not patients)
        self.setFocusProxy(self.view if patients else self._empty)
        self._looking.start()

    def set_facts(self, facts: Mapping[str, SeriesFacts]) -> None:
        """Show what files say of series, by the keys of their rows."""
        self._model.set_facts(facts)

    def forget_facts(self) -> None:
        """Ask again for what files say."""
        self._asked.clear()
        self._model.forget_facts()
        self._looking.start()

    def follow(self, image_id: int | None) -> None:
        """Mark the series on the screen without taking the focus or choosing for the user."""
        index = QModelIndex() if image_id is None else self._model.series_of(image_id)
        if not index.isValid() or (not self._followed and image_id in self.selected_ids):
            return
        patient = index.parent().parent()
        alone = self._model.rowCount(patient) == 1 and self._model.rowCount(index.parent()) == 1
        if alone and not self.view.isExpanded(patient):
            index = patient  # its row says all there is
        elif alone and not self.view.isExpanded(index.parent()):
            index = index.parent()
        if self._followed and self.view.currentIndex().siblingAtColumn(0) == index:
            return
        self._followed = True
        flag, chosen = QItemSelectionModel.SelectionFlag, self.view.selectionModel().selectedRows()
        with QSignalBlocker(self.view.selectionModel()):
            self.view.selectionModel().setCurrentIndex(index, flag.ClearAndSelect | flag.Rows)
        self.view.scrollTo(index)
        for row in (*chosen, index):
            for column in range(self._model.columnCount()):
                self.view.update(row.siblingAtColumn(column))

    def select(self, key: str) -> None:
        """Choose a row by its key and bring it into view."""
        index = self._model.index_of(key)
        if index.isValid():
            self.view.setCurrentIndex(index)
            self.view.scrollTo(index)

    def select_nothing(self) -> None:
        """Take the choice back without saying so."""
        self._followed = False
        with QSignalBlocker(self.view.selectionModel()):
            self.view.selectionModel().clear()
        self.view.viewport().update()

    @property
    def selected_ids(self) -> tuple[int, ...]:
        """The images of all chosen rows."""
        return ids_below(self._selected())

    def _selected(self) -> list[QModelIndex]:
        return [index for index in self.view.selectionModel().selectedIndexes() if index.column() == NAME]

    def _tell_selection(self) -> None:
        self._followed = False
        self.images_selected.emit(self.selected_ids)

    def _mean_it(self, _index: QModelIndex) -> None:
        """Choose the row that only followed the viewer until it was clicked."""
        if self._followed:
            self._tell_selection()

    def _mean_it_for_its_menu(self, index: QModelIndex) -> None:
        """Choose the row that a menu is about to be opened for; no click follows the right button."""
        if QApplication.mouseButtons() & Qt.MouseButton.RightButton:
            self._mean_it(index)

    def _ask_for_seen(self) -> None:
        index = self.view.indexAt(QPoint(1, 1))
        wanted: list[tuple[str, int]] = []
        while index.isValid() and self.view.visualRect(index).top() <= self.view.viewport().height():
            wanted += self._model.unread_below(index)
            index = self.view.indexBelow(index)
        self._ask(wanted)

    def _sort(self, column: int, order: Qt.SortOrder) -> None:
        """Sort by a column; what it goes by is read of every study first."""
        if column != NAME:
            tops = [self._model.index(row, NAME) for row in range(self._model.rowCount())]
            self._ask([wanted for top in tops for wanted in self._model.unread_below(top)])
        self._model.sort(column, order)

    def _ask(self, wanted: Sequence[tuple[str, int]]) -> None:
        fresh = [(key, image_id) for key, image_id in dict(wanted).items() if key not in self._asked]
        self._asked |= {key for key, _image_id in fresh}
        if fresh and self.isVisible():
            self.facts_needed.emit(fresh)

    def _unfolded(self) -> set[str]:
        tops = [self._model.index(row, 0) for row in range(self._model.rowCount())]
        below = [self._model.index(row, 0, top) for top in tops for row in range(self._model.rowCount(top))]
        return {index.data(KEY_ROLE) for index in (*tops, *below) if self.view.isExpanded(index)}

    def _remember(self) -> None:
        chosen = [index.data(KEY_ROLE) for index in self._selected()]
        self._open = self._unfolded(), chosen

    def _restore(self) -> None:
        unfolded, chosen = self._open
        for key in unfolded:
            self.view.setExpanded(self._model.index_of(key), True)
        select = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        self.view.selectionModel().blockSignals(True)
        for key in chosen:
            self.view.selectionModel().select(self._model.index_of(key), select)
        self.view.selectionModel().blockSignals(False)


class _Tree(QTreeView):
    """Keeps the keys that move in it; the page has a use for all others. ``resized(int)``: its width."""

    resized = Signal(int)

    def __init__(self, theme: Theme, model: StudiesModel) -> None:
        super().__init__()
        self._theme = theme
        self.setModel(model)
        self.setItemDelegate(_StudyDelegate(theme, self))
        self._arrange_columns()
        self.setUniformRowHeights(True)
        self.setIndentation(14)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Studies")
        theme.changed.connect(lambda _palette: self.viewport().update())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the columns that there is room for; the others are in the tooltips."""
        super().resizeEvent(event)
        for column, (_px, needs_px) in _COLUMN_PX.items():
            self.setColumnHidden(column, event.size().width() < needs_px)
        self.resized.emit(event.size().width())

    def _arrange_columns(self) -> None:
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(36)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column, (px, _needs_px) in _COLUMN_PX.items():
            header.resizeSection(column, px)
            self.setColumnHidden(column, True)  # until there is room: hiding it later lays every row out anew
        header.setSortIndicator(NAME, Qt.SortOrder.AscendingOrder)
        header.setSortIndicatorShown(True)
        header.setSectionsClickable(True)
        header.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in MOVING_KEYS and not event.modifiers() & Qt.KeyboardModifier.AltModifier:
            super().keyPressEvent(event)
        else:
            event.ignore()

    def startDrag(self, supported_actions: Qt.DropAction) -> None:
        ids = ids_below([index for index in self.selectionModel().selectedIndexes() if not index.column()])
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
        if index.column() != NAME:
            super().paint(painter, option, index)
            return
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
