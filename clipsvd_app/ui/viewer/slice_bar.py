"""Below the picture: play, the place in the stack, the rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QLabel, QSlider, QSpinBox, QToolButton, QWidget

from clipsvd_app.ui.kit.layouts import horizontal
from clipsvd_app.ui.look import icons
from clipsvd_app.ui.look.theme import set_kind

if TYPE_CHECKING:
    from clipsvd_app.ui.look.theme import Palette, Theme

USUAL_RATE = 12
RATE_STEP = 2


class SliceBar(QFrame):
    """The stack of the active pane.

    Signals: ``index_chosen(int)`` by the slider, ``tick()`` at the rate of the cine while it plays.
    """

    index_chosen = Signal(int)
    tick = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("slice_bar")
        self._theme = theme
        self._play = QToolButton()
        self._play.setIconSize(QSize(16, 16))
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setAccessibleName("Slice")
        self._place = QLabel()
        set_kind(self._place, "small")
        self._rate = QSpinBox()
        self._rate.setRange(1, 60)
        self._rate.setValue(USUAL_RATE)
        self._rate.setSuffix(" /s")
        self._rate.setToolTip("Frames per second (, and .)")
        row = horizontal(self, 8, margins=(8, 4, 8, 4))
        row.addWidget(self._play)
        row.addWidget(self._slider, 1)
        row.addWidget(self._place)
        row.addWidget(self._rate)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.tick)
        self._play.clicked.connect(self.toggle_play)
        self._slider.valueChanged.connect(self.index_chosen)
        self._rate.valueChanged.connect(lambda rate: self._timer.setInterval(1000 // rate))
        theme.changed.connect(self._tint)
        self._tint(theme.palette)
        self.set_place(0, 1)

    @property
    def playing(self) -> bool:
        """Whether the cine runs."""
        return self._timer.isActive()

    @property
    def rate(self) -> int:
        """Frames a second."""
        return self._rate.value()

    def set_place(self, index: int, count: int) -> None:
        """Show which frame of how many is displayed; a single one needs no bar."""
        with QSignalBlocker(self._slider):
            self._slider.setRange(0, count - 1)
            self._slider.setValue(index)
        self._place.setText(f"{index + 1} / {count}")
        self._place.setMinimumWidth(self._place.fontMetrics().horizontalAdvance(f"{count} / {count}") + 4)
        self.setVisible(count > 1)
        if count == 1 and self.playing:
            self.toggle_play()

    def toggle_play(self) -> None:
        """Start or stop the cine."""
        if self.playing:
            self._timer.stop()
        elif self._slider.maximum() > 0:
            self._timer.start(1000 // self._rate.value())
        self._tint(self._theme.palette)

    def change_rate(self, steps: int) -> None:
        """Play faster or slower."""
        self._rate.setValue(self._rate.value() + RATE_STEP * steps)

    def _tint(self, palette: Palette) -> None:
        self._play.setIcon(icons.icon("pause" if self.playing else "play", palette))
        self._play.setToolTip("Stop (Space)" if self.playing else "Play (Space)")
        self._play.setAccessibleName(self._play.toolTip())
