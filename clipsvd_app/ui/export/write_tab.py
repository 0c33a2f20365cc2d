"""The tab that exports a run: contents, model card, and verification of the written file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from clipsvd_app.domain.words.numbers import file_size
from clipsvd_app.ui.export.state import CardFields, ExportState
from clipsvd_app.ui.kit.focus import destructive
from clipsvd_app.ui.kit.layouts import horizontal
from clipsvd_app.ui.kit.page_parts import (
    GAP,
    Banner,
    Card,
    Facts,
    Lines,
    button,
    choice,
    column,
    label,
    scrolled,
)
from clipsvd_app.ui.run.run_box import RunBox

if TYPE_CHECKING:
    from clipsvd_app.jobs.answers import VerifyResult


class WriteTab(QWidget):
    """Signals: ``run_chosen(int)``, ``method_chosen(str)``, ``export_requested(path, CardFields)``."""

    run_chosen = Signal(int)
    method_chosen = Signal(str)
    export_requested = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = ExportState()
        self._runs = RunBox()
        self._methods = choice("File type")
        self._advice = label("", "small")
        self._file = label("", "headline")
        self._size = label("", "muted")
        self._facts = Facts()
        self._never = Lines()
        self._use = QPlainTextEdit()
        self._contact = QLineEdit()
        self._licence = QLineEdit()
        self._path = QLineEdit()
        self._browse = button("Browse…")
        self._write = destructive(button("Write adapter", "primary"))
        self._blocked = label("", "warning")
        self.banner = Banner()
        self._checks = Lines()
        self._arrange()
        self._connect()

    def set_state(self, state: ExportState) -> None:
        """Show a run's export; fields are refilled only when the run or its card changes."""
        refill = (state.run, state.card, state.path) != (self._state.run, self._state.card, self._state.path)
        self._state = state
        self._runs.set_runs(state.runs, state.run)
        self._show_methods(state)
        self._file.setText(state.file_name)
        self._size.setText(file_size(state.size_bytes) if state.size_bytes else "")
        self._facts.set_facts(state.facts)
        self._never.set_lines(("✓", line, "success") for line in state.never_inside)
        if refill:
            self._fill(state)
        self._blocked.setText(state.blocked)
        self._blocked.setVisible(bool(state.blocked))
        kind = "adapter" if state.method == "clip_svd" else "classifier"
        self._write.setText("Writing…" if state.writing else f"Write {kind}")
        self._update_button()
        self._show_result(state)

    @property
    def is_edited(self) -> bool:
        """Whether something is typed that was not written yet."""
        fields = (self._contact, self._licence, self._path)
        return self._use.document().isModified() or any(field.isModified() for field in fields)

    def card(self) -> CardFields:
        """Return what is typed now."""
        return CardFields(
            self._use.toPlainText().strip(), self._contact.text().strip(), self._licence.text().strip()
        )

    def _arrange(self) -> None:
        contents = Card("Contents")
        contents.head.addWidget(self._runs)
        for widget in (self._methods, self._advice, self._file, self._size, self._facts):
            contents.body.addWidget(widget)
        never = Card("Never included")
        never.body.addWidget(self._never)
        self._result = Card("Verification")
        self._result.body.addWidget(self.banner)
        self._result.body.addWidget(self._checks)
        row = horizontal(self, GAP * 2, margins=GAP * 2)
        row.addWidget(scrolled(column(contents, never)), 1)
        row.addWidget(scrolled(column(self._card_form(), self._result)), 1)

    def _card_form(self) -> Card:
        form = Card("Model card: intended use")
        self._use.setPlaceholderText("Purpose and intended users. Do not enter patient names or IDs.")
        self._use.setAccessibleName("Intended use")
        self._use.setFixedHeight(96)
        self._use.setTabChangesFocus(True)
        self._contact.setPlaceholderText("Contact for questions (optional)")
        self._licence.setPlaceholderText("For example CC-BY-4.0 (optional)")
        fields = QFormLayout()
        fields.setSpacing(GAP + 2)
        fields.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        fields.addRow("Intended use", self._use)
        fields.addRow("Contact", self._contact)
        fields.addRow("Licence", self._licence)
        fields.addRow("File", self._path_row())
        form.body.addLayout(fields)
        form.body.addWidget(
            label("The card always states: for research and teaching, not for diagnostic use.", "small")
        )
        form.body.addWidget(self._blocked)
        self._write.setMinimumHeight(40)
        form.body.addWidget(self._write)
        return form

    def _path_row(self) -> QWidget:
        holder = QWidget()
        row = horizontal(holder)
        self._path.setAccessibleName("File to write")
        row.addWidget(self._path, 1)
        row.addWidget(self._browse)
        return holder

    def _connect(self) -> None:
        self._runs.run_chosen.connect(self.run_chosen)
        self._methods.activated.connect(lambda row: self.method_chosen.emit(self._state.methods[row].method))
        self._browse.clicked.connect(self._choose_path)
        self._path.textChanged.connect(self._update_button)
        self._write.clicked.connect(lambda: self.export_requested.emit(self._path.text(), self.card()))

    def _choose_path(self) -> None:
        suffix = self._state.suffix
        kind = "Sigma adapter" if self._state.method == "clip_svd" else "Frozen classifier"
        path, _ = QFileDialog.getSaveFileName(
            self, self._write.text(), self._path.text(), f"{kind} (*{suffix})"
        )
        if path:
            self._path.setText(path if path.endswith(suffix) else path + suffix)

    def _update_button(self) -> None:
        ready = not self._state.blocked and not self._state.writing and self._state.run is not None
        self._write.setEnabled(ready and bool(self._path.text().strip()))

    def _fill(self, state: ExportState) -> None:
        """Show the card and the path of a run; who typed into the card has said it of every run."""
        written = state.writing or state.result is not None or state.run is None
        if written or not self._use.document().isModified():
            self._use.setPlainText(state.card.intended_use)
        for field, text in ((self._contact, state.card.contact), (self._licence, state.card.licence)):
            if written or not field.isModified():
                field.setText(text)
        self._path.setText(state.path)

    def _show_result(self, state: ExportState) -> None:
        self._result.setVisible(state.result is not None)
        if state.result is None:
            return
        if state.result.checks.passed:
            self.banner.show_text("success", f"{state.result.file_name} written", "All checks passed.")
        else:
            self.banner.show_text(
                "error", "The file failed verification", "Do not share it. Export it again."
            )
        self._checks.set_lines(check_lines(state.result.checks))

    def _show_methods(self, state: ExportState) -> None:
        self._methods.clear()
        self._methods.addItems([entry.title for entry in state.methods])
        methods = [entry.method for entry in state.methods]
        if state.method in methods:
            self._methods.setCurrentIndex(methods.index(state.method))
        self._methods.setVisible(len(methods) > 1)
        self._advice.setText(state.advice)
        self._advice.setVisible(bool(state.advice))


def check_lines(result: VerifyResult) -> list[tuple[str, str, str]]:
    """Return a ticked or crossed line for each check."""
    return [
        (
            "✓" if check.passed else "✗",
            f"{check.name}: {check.detail}",
            "success" if check.passed else "error",
        )
        for check in result.checks
    ]
