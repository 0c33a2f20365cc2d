"""Panes side by side: one, two, four, or the three planes of a volume; one of them is active."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from clipsvd_app.ui.session.state import EmptySpec
from clipsvd_app.ui.viewer.pane.mouse import PaneMouse
from clipsvd_app.ui.viewer.pane.pane import Pane

if TYPE_CHECKING:
    from clipsvd_app.ui.look.theme import Theme
    from clipsvd_app.ui.viewer.pane.drawing_hand import Measures
    from clipsvd_app.ui.viewer.state import LayoutName

# (row, column, rows, columns) of each pane
PLACES: dict[LayoutName, tuple[tuple[int, int, int, int], ...]] = {
    "1": ((0, 0, 2, 2),),
    "2": ((0, 0, 2, 1), (0, 1, 2, 1)),
    "4": ((0, 0, 1, 1), (0, 1, 1, 1), (1, 0, 1, 1), (1, 1, 1, 1)),
    "mpr": ((0, 0, 2, 1), (0, 1, 1, 1), (1, 1, 1, 1)),
}
NOTHING_SHOWN = EmptySpec(
    "image",
    "No image",
    "Drop a folder, files or a ZIP archive on the window, or choose a study on the left.",
)
FREE_PANE = EmptySpec("image", "", "Drag an image here, or click and choose one.")
GAP_PX = 2


class PaneGrid(QWidget):
    """Makes panes as layouts need them and keeps them.

    Signals: ``pane_added(int)``, ``activated(int)`` another pane, ``arranged()`` others are visible.
    """

    pane_added = Signal(int)
    activated = Signal(int)
    arranged = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pane_grid")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self._measures: Measures = {}
        self.panes: list[Pane] = []
        self.layout_name: LayoutName = "1"
        self.active = 0
        self.enlarged = False
        self._focused = False
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP_PX)
        for line in (0, 1):
            self._grid.setRowStretch(line, 1)
            self._grid.setColumnStretch(line, 1)

    @property
    def pane(self) -> Pane:
        """The active pane."""
        return self.panes[self.active]

    @property
    def shown(self) -> range:
        """The panes of the layout."""
        return range(len(PLACES[self.layout_name]))

    def set_layout(self, name: LayoutName) -> None:
        """Arrange the panes; those that are not needed keep nothing."""
        self.layout_name, self.enlarged = name, False
        while len(self.panes) < len(PLACES[name]):
            self._add_pane()
        for number in range(len(PLACES[name]), len(self.panes)):
            self.panes[number].set_frame(None)
        self.activate(min(self.active, len(PLACES[name]) - 1))
        self._arrange()

    def activate(self, number: int) -> None:
        """Let keys and choices go to another pane."""
        changed, self.active = number != self.active, number
        if changed and self.enlarged:
            self._arrange()
        self._mark()
        if changed:
            self.activated.emit(number)

    def enlarge(self) -> None:
        """Show the active pane only, or all of them again."""
        self.enlarged = not self.enlarged and len(self.shown) > 1
        self._arrange()

    def set_focused(self, focused: bool) -> None:
        """Show where the keyboard is."""
        self._focused = focused
        self._mark()

    def forget_measures(self) -> None:
        """Drop everything that was drawn on any picture."""
        self._measures.clear()
        self._refresh()

    def set_opacity(self, opacity: float) -> None:
        """Make heat maps fainter or stronger."""
        for pane in self.panes:
            pane.set_opacity(opacity)

    def _add_pane(self) -> None:
        number = len(self.panes)
        pane = Pane(self._theme, self._measures, FREE_PANE if number else NOTHING_SHOWN, self)
        PaneMouse(pane)
        self.panes.append(pane)
        pane.pressed.connect(lambda: self.activate(number))
        pane.measures_changed.connect(self._refresh)
        self.pane_added.emit(number)

    def _arrange(self) -> None:
        for pane in self.panes:
            self._grid.removeWidget(pane)
            pane.hide()
        for number, place in enumerate(PLACES[self.layout_name]):
            if not self.enlarged or number == self.active:
                self._grid.addWidget(self.panes[number], *((0, 0, 2, 2) if self.enlarged else place))
                self.panes[number].show()
        self._mark()
        self.arranged.emit()

    def _mark(self) -> None:
        """Ring the active pane among several, or when the keyboard is here."""
        several = len(self.shown) > 1 and not self.enlarged
        for number, pane in enumerate(self.panes):
            here = number == self.active
            pane.set_ring(here and (self._focused or several))
            pane.set_handle_shown(here and pane.frame is not None)

    def _refresh(self) -> None:
        for pane in self.panes:
            pane.refresh()
