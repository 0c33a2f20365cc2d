"""The classes on the right: a bin for each, and a way to add one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QScrollArea,
    QToolButton,
    QWidget,
)

from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.label.classes.bin import ClassBin
from clipsvd_app.ui.look import icons
from clipsvd_app.ui.look.theme import set_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QImage, QKeyEvent

    from clipsvd_app.ui.label.state import BinState
    from clipsvd_app.ui.look.theme import Palette, Theme

NO_CLASS = "Add the classes to distinguish, for example “normal” and “nodule”. Then drag images onto them."
SOME_CLASS = "Drag images here from the pool, the viewer or the file manager, or press the class number."


class ClassBins(QFrame):
    """All classes of the project.

    Signals: ``images_dropped(class id, tuple of ids)``, ``files_dropped(class id, list of paths)``,
    ``add_class(str)``, ``rename_class(class id, str)``, ``remove_class(class id)``,
    ``merge_class(class id, class id)`` the first into the second, ``move_class(class id, place)``,
    ``prompts_requested(class id)``, ``show_requested(class id)`` its images in the pool,
    ``chosen(class position)`` label what is selected, ``thumbnails_needed(list of ids)``.
    """

    images_dropped = Signal(int, object)
    files_dropped = Signal(int, object)
    add_class = Signal(str)
    rename_class = Signal(int, str)
    remove_class = Signal(int)
    merge_class = Signal(int, int)
    move_class = Signal(int, int)
    prompts_requested = Signal(int)
    show_requested = Signal(int)
    chosen = Signal(int)
    adding_ended = Signal()
    thumbnails_needed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_kind(self, "panel")
        self._theme = theme
        self._bins: dict[int, ClassBin] = {}
        self._positions: dict[int, int] = {}
        self._build()
        theme.changed.connect(self._tint)
        self._tint(theme.palette)
        self.set_bins(())

    @property
    def bins(self) -> dict[int, ClassBin]:
        """The bins by class id."""
        return dict(self._bins)

    def set_bins(self, states: Sequence[BinState]) -> None:
        """Show other classes or counts; a bin keeps its focus and what is typed in it."""
        for class_id in self._bins.keys() - {state.class_id for state in states}:
            gone = self._bins.pop(class_id)
            self._column.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        missing: list[int] = []
        for place, state in enumerate(states):
            bin_ = self._bins.get(state.class_id) or self._add_bin(state)
            missing += bin_.set_state(state)
            bin_.set_others(tuple((o.class_id, o.name) for o in states if o.class_id != state.class_id))
            if self._column.indexOf(bin_) != place:
                self._column.insertWidget(place, bin_)
        self._positions = {state.class_id: state.position for state in states}
        self.setFocusProxy(self._bins[states[0].class_id] if states else self._plus)
        self._advice.setText(SOME_CLASS if states else NO_CLASS)
        if missing:
            self.thumbnails_needed.emit(missing)

    def set_thumbnail(self, image_id: int, picture: QImage) -> None:
        """Show a thumbnail that has arrived."""
        for bin_ in self._bins.values():
            bin_.set_thumbnail(image_id, picture)

    def start_adding(self) -> None:
        """Open the field for a new class."""
        self._new.show()
        self._new.setFocus()

    def give_back(self, name: str) -> None:
        """Put a name that was not taken back into the field it was typed in, to be corrected."""
        if self._new.isVisible() and self._new.hasFocus():
            self._new.setText(name)
            self._new.selectAll()

    def _build(self) -> None:
        heading = QLabel("Classes")
        set_kind(heading, "section")
        self._plus = QToolButton()
        self._plus.setIconSize(QSize(18, 18))
        self._plus.setToolTip("Add a class")
        self._plus.setAccessibleName("Add a class")
        self._plus.clicked.connect(self.start_adding)
        top = horizontal(margins=(16, 8, 8, 0))
        top.addWidget(heading)
        top.addStretch(1)
        top.addWidget(self._plus)
        self._new = _NewClass()
        self._new.entered.connect(self.add_class)
        self._new.closed.connect(self.adding_ended)
        self._advice = QLabel()
        self._advice.setWordWrap(True)
        set_kind(self._advice, "small")
        content = QWidget()
        content.setObjectName("content")
        column = vertical(content, 8, margins=(12, 4, 12, 12))
        self._column = vertical(spacing=8)
        column.addLayout(self._column)
        column.addWidget(self._new)
        column.addWidget(self._advice)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(content)
        outer = vertical(self, 4)
        outer.addLayout(top)
        outer.addWidget(scroll, 1)

    def _add_bin(self, state: BinState) -> ClassBin:
        bin_, class_id = ClassBin(self._theme, state), state.class_id
        bin_.images_dropped.connect(lambda ids: self.images_dropped.emit(class_id, ids))
        bin_.files_dropped.connect(lambda paths: self.files_dropped.emit(class_id, paths))
        bin_.renamed.connect(lambda name: self.rename_class.emit(class_id, name))
        bin_.remove_requested.connect(lambda: self.remove_class.emit(class_id))
        bin_.merge_requested.connect(lambda into: self.merge_class.emit(class_id, into))
        bin_.move_requested.connect(
            lambda step: self.move_class.emit(class_id, max(0, self._positions[class_id] + step))
        )
        bin_.class_dropped.connect(lambda other: self.move_class.emit(other, self._positions[class_id]))
        bin_.prompts_requested.connect(lambda: self.prompts_requested.emit(class_id))
        bin_.show_requested.connect(lambda: self.show_requested.emit(class_id))
        bin_.chosen.connect(lambda: self.chosen.emit(self._positions[class_id]))
        self._bins[class_id] = bin_
        return bin_

    def _tint(self, palette: Palette) -> None:
        self._plus.setIcon(icons.icon("plus", palette))


class _NewClass(QLineEdit):
    """``entered(str)`` the name of a new class; ``closed`` when Enter or Escape is done with it.

    Enter leaves the field open for the next name; Enter without a name, Escape or another focus closes it.
    """

    entered = Signal(str)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setPlaceholderText("Name of the class, then Enter")
        self.setAccessibleName("Name of the new class")
        self.editingFinished.connect(self._finish)
        self.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._take_name():
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            self.clear()
            self.hide()
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _finish(self) -> None:
        self._take_name()
        self.hide()

    def _take_name(self) -> bool:
        name = " ".join(self.text().split())
        self.clear()
        if name:
            self.entered.emit(name)
        return bool(name)
