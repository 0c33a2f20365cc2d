"""One case: image, what both models say, how much that is worth, and the label in the user's hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QPushButton, QSlider, QVBoxLayout, QWidget

from clipsvd_app.domain.results.cases import best_known, is_evidence
from clipsvd_app.domain.words.case import as_unseen, case_statements
from clipsvd_app.figures.probabilities import probabilities_figure
from clipsvd_app.ui.kit.figures.figure_view import FigureView
from clipsvd_app.ui.kit.layouts import vertical
from clipsvd_app.ui.kit.page_parts import GAP, Card, Lines, button, empty, label, scrolled
from clipsvd_app.ui.look.class_colours import class_icon
from clipsvd_app.ui.look.theme import set_kind
from clipsvd_app.ui.run.case_filters import ROLE_SENTENCES
from clipsvd_app.ui.run.case_image import CaseImage
from clipsvd_app.ui.run.nearest_strip import NearestStrip

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QResizeEvent

    from clipsvd_app.ui.run.state import CaseSheetState

_COLUMNS = 3


class CaseSheet(Card):
    """Signals: ``explain_requested(image_id)``, ``relabel_requested(image_id, class position)``.

    Keys 1 to 9 give the case another label.
    """

    explain_requested = Signal(int)
    relabel_requested = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Case", parent)
        self._state: CaseSheetState | None = None
        self.image = CaseImage()
        self.bars = FigureView("Class probabilities")
        self._role = label("", "success")
        self._hint = label("Choose a case on the left.", "muted")
        self._flags = Lines()
        self.nearest = NearestStrip()
        self._text = label("")
        self._how = label("", "small")
        self._ask_how = button("How we know", "quiet")
        self._veil = QCheckBox("Show heat map")
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._explain = button("Explain this case")
        self._labels = QGridLayout()
        self._choices: list[QPushButton] = []
        self._content = QWidget()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._arrange()
        self._connect()
        self.set_case(None)

    def set_case(self, state: CaseSheetState | None) -> None:
        """Show a case, or that none is chosen."""
        self._state = state
        self._hint.setVisible(state is None)
        self._content.setVisible(state is not None)
        self._role.setVisible(state is not None)
        self.set_title(state.caption if state is not None and state.caption else "Case")
        if state is None:
            return
        self._show_role(state)
        self.image.set_image(state.image)
        self.bars.set_figure(
            probabilities_figure(
                state.class_names,
                best_known(state.prediction),
                state.prediction.zero_shot,
                state.label,
                calibrated=state.prediction.calibrated is not None,
            )
        )
        possible = (("•", state.set_text, "muted"),) if state.set_text else ()
        self._flags.set_lines((*possible, *(("!", flag, "warning") for flag in state.flags)))
        self.nearest.set_cases(state.nearest, state.class_names)
        self._show_explanation(state)
        self._show_labels(state)

    def role_text(self) -> str:
        """Return what is said of how the image stood to training."""
        return self._role.text()

    def label_by_key(self, event: QKeyEvent) -> bool:
        """Give the case the label of a digit key; False when the key is none."""
        position = event.key() - Qt.Key.Key_1
        known = self._state is not None and 0 <= position < min(9, len(self._state.class_names))
        if known and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            self._relabel(position)
            return True
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.label_by_key(event):
            super().keyPressEvent(event)

    def _arrange(self) -> None:
        self._opacity.setRange(0, 100)
        self._opacity.setValue(60)
        self._opacity.setAccessibleName("Strength of the overlay")
        self._labels.setSpacing(GAP - 2)
        veil_row = QHBoxLayout()
        veil_row.addWidget(self._veil)
        veil_row.addWidget(self._opacity, 1)
        seen = QWidget()
        column = vertical(seen, GAP, margins=(0, 0, GAP, 0))
        column.addWidget(self.image, 1)
        column.addLayout(veil_row)
        for part in (self.bars, self._flags, self._text):
            column.addWidget(part)
        column.addWidget(self._ask_how, 0, Qt.AlignmentFlag.AlignLeft)
        for last in (self._how, self._explain, self.nearest):
            column.addWidget(last)
        whole = QVBoxLayout(self._content)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(GAP)
        whole.addWidget(scrolled(seen), 1)
        whole.addWidget(label("Label: click, or keys 1 to 9", "section"))
        whole.addLayout(self._labels)
        self.body.addWidget(self._role)
        self.body.addWidget(self._hint)
        self.body.addWidget(self._content, 1)

    def _connect(self) -> None:
        self._ask_how.setCheckable(True)
        self._ask_how.toggled.connect(self._how.setVisible)
        self._opacity.valueChanged.connect(lambda value: self.image.set_opacity(value / 100))
        self._veil.toggled.connect(self._show_veil)
        self._explain.clicked.connect(self._ask_to_explain)

    def _show_role(self, state: CaseSheetState) -> None:
        role = state.prediction.role
        self._role.setText(ROLE_SENTENCES[role])
        set_kind(self._role, "success" if is_evidence(state.prediction) else "warning")

    def _show_explanation(self, state: CaseSheetState) -> None:
        found = state.explanation
        statements = case_statements(found) if found is not None else ()
        worth = as_unseen(state.prediction, state.class_names) if found is not None else ()
        self._text.setText(" ".join(statement.text for statement in (*statements, *worth)))
        self._text.setVisible(found is not None)
        self._how.setText(" ".join(statement.how_we_know for statement in statements))
        self._how.setVisible(found is not None and self._ask_how.isChecked())
        self._ask_how.setVisible(found is not None)
        trusted = found is not None and found.saliency_trusted and bool(found.saliency)
        self._veil.setEnabled(trusted)
        self._opacity.setVisible(trusted)
        self._veil.setText("Show heat map" if found is None or trusted else "No heat map: it failed its test")
        self._explain.setEnabled(found is not None or not state.explaining)
        self._explain.setText(_explain_title(state))
        self._veil.blockSignals(True)
        self._veil.setChecked(trusted)
        self._veil.blockSignals(False)
        self._show_veil(trusted)

    def _show_veil(self, shown: bool) -> None:
        found = self._state.explanation if self._state else None
        if self._state is not None and found is not None and shown:
            self.image.set_saliency(found.saliency, self._state.model_view)
        else:
            self.image.set_saliency(())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_labels()

    def _show_labels(self, state: CaseSheetState) -> None:
        empty(self._labels)
        self._choices = [
            self._label_button(position, name) for position, name in enumerate(state.class_names)
        ]
        for position, shown in enumerate(self._choices):
            shown.setChecked(position == state.label)
        self._place_labels()

    def _label_button(self, position: int, name: str) -> QPushButton:
        shown = button(name, hint=f"Label as “{name}”, key {position + 1}")
        shown.setIcon(class_icon(position))
        shown.setIconSize(QSize(18, 18))
        shown.setCheckable(True)
        shown.clicked.connect(lambda: self._relabel(position))
        return shown

    def _place_labels(self) -> None:
        """Put the label buttons into as many columns as have room for the longest name."""
        widest = max((shown.sizeHint().width() for shown in self._choices), default=1)
        columns = max(1, min(_COLUMNS, (self.width() - 4 * GAP) // (widest + GAP)))
        for position, shown in enumerate(self._choices):
            self._labels.addWidget(shown, position // columns, position % columns)

    def _relabel(self, position: int) -> None:
        if self._state is not None:
            self.relabel_requested.emit(self._state.prediction.image_id, position)

    def _ask_to_explain(self) -> None:
        if self._state is not None:
            self.explain_requested.emit(self._state.prediction.image_id)


def _explain_title(state: CaseSheetState) -> str:
    if state.explanation is not None:
        return "Contributions, heat map and concepts"
    return "Explaining…" if state.explaining else "Explain this case"
