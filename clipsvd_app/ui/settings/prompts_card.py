"""The sentences that the text tower reads for each class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QWidget

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.page_parts import Card, button, choice, label
from clipsvd_app.ui.look.class_colours import class_icon

if TYPE_CHECKING:
    from clipsvd_app.domain.classes import ClassSpec


class PromptsCard(Card):
    """One prompt a line. ``prompts_changed(class position, tuple of prompts)`` on Save."""

    prompts_changed = Signal(int, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Prompts", parent)
        self._classes: tuple[ClassSpec, ...] = ()
        self._choice = choice("Class")
        self._choice.setIconSize(QSize(18, 18))
        self._editor = QPlainTextEdit()
        self._editor.setAccessibleName("Prompts, one per line")
        self._editor.setTabChangesFocus(True)
        self._editor.setMinimumHeight(130)
        self._note = label("", "small")
        self._reset = destructive(button("Reset to templates"))
        self._save = destructive(button("Save prompts"))
        self.head.addWidget(self._choice)
        self.body.addWidget(
            label(
                "One sentence per line, written as in a report. The class is represented by their mean.",
                "small",
            )
        )
        self.body.addWidget(self._editor, 1)
        self.body.addWidget(self._note)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self._reset)
        buttons.addWidget(self._save)
        self.body.addLayout(buttons)
        self._choice.currentIndexChanged.connect(self._show_class)
        self._editor.textChanged.connect(self._update_buttons)
        self._reset.clicked.connect(self._fill_templates)
        self._save.clicked.connect(self._emit)

    def set_classes(self, classes: tuple[ClassSpec, ...], locked: str = "") -> None:
        """Show these classes; unsaved text is kept while its class is there."""
        if classes != self._classes:
            self._offer(classes)
        self._editor.setReadOnly(bool(locked))
        self._note.setText(locked or ("" if classes else "Add a class first."))
        self._note.setVisible(bool(self._note.text()))
        self._update_buttons()

    def prompts(self) -> tuple[str, ...]:
        """Return the lines typed, without empty ones."""
        return tuple(line.strip() for line in self._editor.toPlainText().splitlines() if line.strip())

    def _show_class(self) -> None:
        spec = self._spec()
        self._editor.setPlainText("\n".join(spec.prompts) if spec else "")

    def _offer(self, classes: tuple[ClassSpec, ...]) -> None:
        before, row = self._spec(), max(0, self._choice.currentIndex())
        names = [spec.name for spec in classes]
        renamed = len(classes) == len(self._classes)  # else a class that is not there was removed
        same = before is not None and (before.name in names or renamed)
        if before is not None and before.name in names:
            row = names.index(before.name)
        typed = before is not None and self.prompts() != before.prompts
        self._classes = classes
        self._choice.blockSignals(True)
        self._choice.clear()
        for position, name in enumerate(names):
            self._choice.addItem(class_icon(position), name)
        self._choice.setCurrentIndex(min(row, len(classes) - 1))
        self._choice.blockSignals(False)
        if not (same and typed):
            self._show_class()

    def _spec(self) -> ClassSpec | None:
        row = self._choice.currentIndex()
        return self._classes[row] if 0 <= row < len(self._classes) else None

    def _update_buttons(self) -> None:
        spec = self._spec()
        editable = spec is not None and not self._editor.isReadOnly()
        changed = spec is not None and self.prompts() != spec.prompts
        self._save.setEnabled(editable and changed and bool(self.prompts()))
        self._reset.setEnabled(editable)

    def _fill_templates(self) -> None:
        spec = self._spec()
        if spec is not None:
            self._editor.setPlainText("\n".join(class_from_name(spec.name).prompts))

    def _emit(self) -> None:
        self.prompts_changed.emit(self._choice.currentIndex(), self.prompts())
