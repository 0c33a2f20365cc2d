"""What to do about a label that is likely wrong: take the other class, or keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from clipsvd_app.domain.results.cases import best_known
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.kit.page_parts import GAP, button, label
from clipsvd_app.ui.look.class_colours import class_icon
from clipsvd_app.ui.run.case_filters import likelier_class

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from clipsvd_app.domain.results.run import Prediction


class MistakeBar(QWidget):
    """Signals: ``relabel_requested(image_id, class position)``, ``keep_requested(image_id)``.

    R relabels, K keeps; both can be undone or taken back by a digit.
    """

    relabel_requested = Signal(int, int)
    keep_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._case: Prediction | None = None
        self._sentence = label("", "muted")
        self._relabel = destructive(button("", hint="Key R; can be undone"))
        self._keep = destructive(button("Keep label", "quiet", hint="Key K: confirm this label"))
        row = horizontal(spacing=GAP)
        row.addWidget(self._relabel)
        row.addWidget(self._keep)
        row.addStretch(1)
        whole = vertical(self)
        whole.addWidget(self._sentence)
        whole.addLayout(row)
        self._relabel.clicked.connect(self.relabel)
        self._keep.clicked.connect(self.keep)

    @property
    def case(self) -> Prediction | None:
        """The case that is asked about."""
        return self._case

    def set_case(self, case: Prediction | None, names: tuple[str, ...] = ()) -> None:
        """Ask about a case, or about none."""
        self._case = case
        self._relabel.setEnabled(case is not None)
        self._keep.setEnabled(case is not None)
        if case is None or case.label is None:
            self._sentence.setText("Choose a case. Press R to relabel it, K to keep its label.")
            self._relabel.setText("Relabel")
            return
        other = likelier_class(case)
        self._relabel.setText(f"Relabel as “{names[other]}”")
        self._relabel.setIcon(class_icon(other))
        self._sentence.setText(
            f"Labelled “{names[case.label]}”. Predicted from other patients: “{names[other]}” "
            f"with {percent(best_known(case)[other])}."
        )

    def relabel(self) -> None:
        """Ask for the likelier class."""
        if self._case is not None:
            self.relabel_requested.emit(self._case.image_id, likelier_class(self._case))

    def keep(self) -> None:
        """Ask to keep the label."""
        if self._case is not None:
            self.keep_requested.emit(self._case.image_id)

    def take_key(self, event: QKeyEvent) -> bool:
        """Carry out R or K; False when the key is neither or nothing is asked."""
        if self._case is None or event.modifiers() != Qt.KeyboardModifier.NoModifier:
            return False
        if event.key() not in (Qt.Key.Key_R, Qt.Key.Key_K):
            return False
        if event.key() == Qt.Key.Key_R:
            self.relabel()
        else:
            self.keep()
        return True
