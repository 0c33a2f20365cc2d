"""The viewer: panes under a tool strip, and keys for everything that can be done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from clipsvd_app.ui.viewer.commands import BY_ID, OF_PROJECT, WITHOUT_FRAME, Command
from clipsvd_app.ui.viewer.image_view import ImageView
from clipsvd_app.ui.viewer.keys import ARROWS, key_command
from clipsvd_app.ui.viewer.tool_bar import ViewerBar

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent
    from PySide6.QtWidgets import QWidget

    from clipsvd_app.ui.look.theme import Theme


class ImageViewer(ImageView):
    """Keys and the tool strip belong to the active pane."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, looks_only: bool = False) -> None:
        super().__init__(theme, parent, looks_only=looks_only)
        self.bar = ViewerBar(theme)
        if looks_only:
            self.bar.look_only()
        self.column.insertWidget(0, self.bar)
        self.bar.command.connect(lambda name: self.carry_out(BY_ID[name]))
        self.bar.measure_chosen.connect(self._mark_measure)
        self.bar.opacity_changed.connect(self.grid.set_opacity)
        self.changed.connect(self._show_strip)
        self._show_strip()

    def carry_out(self, command: Command) -> None:
        """Do what a command of the table says."""
        command.act(self)
        self.pane.refresh()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.take_key(event):
            super().keyPressEvent(event)

    def take_key(self, event: QKeyEvent) -> bool:
        """Follow a key, wherever on the page it was pressed; returns whether it means anything here."""
        shift = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if self.pane.hand.drawing is not None and event.key() in ARROWS and (plain or shift):
            across, down = ARROWS[event.key()]
            self.pane.hand.step(across * (10 if shift else 1), down * (10 if shift else 1))
            return True
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.pane.hand.delete_selected():
            return True
        command = key_command(event)
        if command is None or not self._applies(command):
            return False
        self.carry_out(command)
        return True

    def _applies(self, command: Command) -> bool:
        """Whether a command means anything to what is displayed; with nothing to stop, Escape leaves."""
        if self.frame is None and command.id not in WITHOUT_FRAME:
            return False
        hand = self.pane.hand
        busy = self.tool != "window" or hand.drawing is not None or hand.selected is not None
        return not self.looks_only or not (command.id in OF_PROJECT or (command.id == "escape" and not busy))

    def _mark_measure(self, index: int) -> None:
        self.pane.hand.select(index)
        self.setFocus()  # so that Delete takes it away

    def _show_strip(self) -> None:
        """Let the tool strip speak of the active pane."""
        bar, frame = self.bar, self.frame
        bar.setEnabled(frame is not None or len(self.panes_shown) > 1)
        bar.set_tool(self.tool)
        bar.set_heat_shown(self.pane.canvas.heat_shown)
        bar.set_layout_name(self.layout_name, volume=self.has_volume)
        bar.set_latched("link", self.linked)
        bar.set_latched("model", self.as_model)
        bar.set_latched("texts", self.texts_shown)
        bar.set_link(self.link_way)
        presets = () if frame is None else frame.presets
        windowed = frame is not None and frame.file_window is not None
        trained = frame is not None and frame.training_window is not None
        bar.set_presets(presets, windowed=windowed or bool(presets), trained=trained)
        bar.set_measures(() if frame is None else tuple(s.lines for s in self.pane.corner.state.shapes))
        trainable = frame is not None and not frame.derived and not self.looks_only
        drawn = trainable and self.pane.region is not None
        bar.set_region(drawn=drawn, stored=frame is not None and frame.crop is not None)
