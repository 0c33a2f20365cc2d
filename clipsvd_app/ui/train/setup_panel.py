"""The left side: classes, warnings, recipe, what is held out, device, and the one button."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QWidget,
)

from clipsvd_app.domain.recipe import PRESETS, DeviceName, PresetName
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import duration
from clipsvd_app.domain.words.trained import PLAIN_SENTENCE, PLAIN_TITLE
from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.kit.page_parts import (
    GAP,
    Card,
    ChoiceGroup,
    Lines,
    button,
    choice,
    empty,
    fill_choice,
    label,
    scrolled,
)
from clipsvd_app.ui.look.class_colours import class_icon
from clipsvd_app.ui.train.state import PRESET_WORDS, ClassCount, TrainChoice, TrainState

_ALL, _SHOTS = "all", "shots"
# The width of a check box with the gap to its words.
_BOX_PX = 26


class SetupPanel(QWidget):
    """Says what will be learned and asks for the few things that are the user's to choose."""

    train_requested = Signal(object)
    choice_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._devices: tuple[DeviceName, ...] = ("auto",)
        self._classes = _ClassesCard()
        self._presets = ChoiceGroup()
        self._estimate = ChoiceGroup()
        self._shots = QSpinBox()
        self._device = choice("Device")
        self._plain = QCheckBox(PLAIN_TITLE)
        self._plain_note = label(PLAIN_SENTENCE, "small")
        self._mirror = QCheckBox("Do not mirror images (left and right matter)")
        self._locked = QCheckBox("Set patients aside as a fixed test set")
        self._locked_note = label("", "small")
        self._blocked = label("", "warning")
        self._plain.setAccessibleDescription(PLAIN_SENTENCE)
        self._train = destructive(button("Train", "primary"))
        self._arrange()
        self._connect()
        self.setFocusProxy(self._presets)

    def set_state(self, state: TrainState) -> None:
        """Show the state; nothing is emitted."""
        self.blockSignals(True)
        self._classes.show_classes(state.classes, state.warnings, state.backbone)
        seconds = dict(state.preset_seconds)
        self._presets.set_choices(
            (
                (name, *PRESET_WORDS[name], f"about {duration(seconds[name])}" if name in seconds else "")
                for name in PRESETS
            ),
            state.choice.preset,
        )
        self._show_estimate(state)
        self._show_devices(state)
        self._plain.setChecked(state.choice.plain)
        self._mirror.setChecked(not state.choice.flip)
        self._locked.setChecked(state.choice.locked and state.locked_possible)
        self._locked.setEnabled(state.locked_possible)
        self._locked_note.setText(state.locked_sentence)
        self._blocked.setText(state.blocked)
        self._blocked.setVisible(bool(state.blocked))
        self._train.setEnabled(not state.blocked)
        self.blockSignals(False)

    def set_running(self, running: bool) -> None:
        """Lock the choices while a run trains."""
        for widget in (
            self._presets,
            self._plain,
            self._estimate,
            self._shots,
            self._device,
            self._mirror,
            self._judged,
        ):
            widget.setEnabled(not running)
        self._train.setVisible(not running)

    def choice(self) -> TrainChoice:
        """Return what is chosen now."""
        preset: PresetName = next(name for name in PRESETS if name == self._presets.current())
        shots = self._shots.value() if self._estimate.current() == _SHOTS else None
        device = self._devices[max(0, self._device.currentIndex())]
        return TrainChoice(
            preset,
            shots,
            device,
            flip=not self._mirror.isChecked(),
            locked=self._locked.isChecked(),
            plain=self._plain.isChecked(),
        )

    def _arrange(self) -> None:
        recipe = Card("Recipe")
        recipe.body.addWidget(self._presets)
        explained = vertical(spacing=2)
        explained.addWidget(self._plain)
        # Under the words of the box, not under the box itself.
        note_row = horizontal(margins=(_BOX_PX, 0, 0, 0))
        note_row.addWidget(self._plain_note)
        explained.addLayout(note_row)
        recipe.body.addLayout(explained)
        recipe.body.addWidget(self._mirror)
        device_row = QHBoxLayout()
        device_row.addWidget(label("Runs on", "muted", wrap=False))
        device_row.addWidget(self._device, 1)
        recipe.body.addLayout(device_row)
        held_out = Card("Evaluation")
        held_out.body.addWidget(self._estimate)
        held_out.body.addLayout(self._shots_row())
        held_out.body.addWidget(self._locked)
        held_out.body.addWidget(self._locked_note)
        self._judged = held_out
        content = QWidget()
        column = vertical(content, GAP * 2, margins=(0, 0, GAP, 0))
        for card in (self._classes, recipe, held_out):
            column.addWidget(card)
        column.addStretch(1)
        whole = vertical(self, GAP)
        whole.addWidget(scrolled(content), 1)
        whole.addWidget(self._blocked)
        self._train.setMinimumHeight(44)
        self._train.setAccessibleDescription("Start training with these settings")
        whole.addWidget(self._train)

    def _shots_row(self) -> QHBoxLayout:
        self._shots.setRange(1, 999)
        self._shots.setAccessibleName("Images per class for training")
        row = horizontal(margins=(GAP + 4, 0, 0, 0))
        row.addWidget(self._shots)
        row.addWidget(label("images per class", "muted"), 1)
        return row

    def _connect(self) -> None:
        self._train.clicked.connect(lambda: self.train_requested.emit(self.choice()))
        for signal in (
            self._presets.chosen,
            self._estimate.chosen,
            self._shots.valueChanged,
            self._device.currentIndexChanged,
            self._plain.toggled,
            self._mirror.toggled,
            self._locked.toggled,
        ):
            signal.connect(self._changed)

    def _changed(self) -> None:
        self._shots.setEnabled(self._estimate.current() == _SHOTS)
        if not self.signalsBlocked():
            self.choice_changed.emit(self.choice())

    def _show_estimate(self, state: TrainState) -> None:
        shots = state.choice.shots
        self._estimate.set_choices(
            (
                (
                    _ALL,
                    "Train on all labelled images",
                    "Cross-validated by patient",
                    "",
                ),
                (
                    _SHOTS,
                    "Train on a few, test on the rest",
                    "Patients with training images are not in the test set.",
                    "",
                ),
            ),
            _ALL if shots is None else _SHOTS,
        )
        if state.shot_options:
            self._shots.setMaximum(max(state.shot_options))
        if not self._shots.hasFocus():  # what is being typed stays, an empty field too
            self._shots.setValue(shots or min(4, self._shots.maximum()))
        self._shots.setEnabled(shots is not None)

    def _show_devices(self, state: TrainState) -> None:
        self._devices = tuple(option.name for option in state.devices)
        chosen = state.choice.device
        place = self._devices.index(chosen) if chosen in self._devices else 0
        fill_choice(self._device, [option.title for option in state.devices], place)


class _ClassesCard(Card):
    """The classes with their counts, the backbone that will learn them, and what is missing."""

    def __init__(self) -> None:
        super().__init__("Classes")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(GAP)
        self._grid.setVerticalSpacing(GAP - 2)
        self._grid.setColumnStretch(1, 1)
        self._backbone = label("", "small")
        self._warnings = Lines()
        self.body.addLayout(self._grid)
        self.body.addWidget(self._backbone)
        self.body.addWidget(self._warnings)

    def show_classes(self, classes: tuple[ClassCount, ...], warnings: tuple[str, ...], backbone: str) -> None:
        """Show one row a class."""
        empty(self._grid)
        for row, entry in enumerate(classes):
            mark = QLabel()
            mark.setPixmap(class_icon(row).pixmap(QSize(18, 18)))
            self._grid.addWidget(mark, row, 0)
            self._grid.addWidget(label(entry.name), row, 1)
            self._grid.addWidget(_right(counted(entry.images, "image")), row, 2)
            self._grid.addWidget(_right(counted(entry.patients, "patient"), "muted"), row, 3)
        if not classes:
            self._grid.addWidget(label("No classes yet.", "muted"), 0, 0, 1, 4)
        self._backbone.setText(f"Backbone: {backbone}" if backbone else "")
        self._backbone.setVisible(bool(backbone))
        self._warnings.set_lines(("!", warning, "warning") for warning in warnings)


def _right(text: str, kind: str = "") -> QLabel:
    result = label(text, kind, wrap=False)
    result.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return result
