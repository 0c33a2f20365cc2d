"""Who the patients are: the ways to tell them apart, beside the groups that each would make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHeaderView,
    QLineEdit,
    QSpinBox,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from clipsvd_app.services.studies.patient_rules import FIRST_PART
from clipsvd_app.ui.kit.layouts import horizontal, vertical
from clipsvd_app.ui.kit.page_parts import Banner, ChoiceGroup, Level, button, label, scrolled

if TYPE_CHECKING:
    from clipsvd_app.services.studies.rule_preview import GroupPreview

CHOICES = (
    (
        "header",
        "File header",
        "The patient ID in the header; look-alike images without a header share one patient.",
        "",
    ),
    ("folder", "Folder", "All files below one folder are one patient.", ""),
    ("regex", "Part of the file name", "For example, everything before the first underscore.", ""),
    ("csv", "Table", "A table with the columns path and patient.", ""),
)
TYPING_PAUSE_MS = 250
SHOWN_AT_MOST = 500
PATTERN_HELP = "Pattern: the first group in parentheses is the patient."
LEVELS_HELP = "Levels up: 1 is the folder that holds the file, 2 the folder above it."
NO_TABLE = "No table chosen"


class PatientRulePane(QWidget):
    """The ways to tell patients apart, beside the groups that each makes.

    Signals: ``rule_changed(str)`` as ``services.grouping.parse_rule`` reads it, ``usable_changed(bool)``.
    """

    rule_changed = Signal(str)
    usable_changed = Signal(bool)

    def __init__(self, rule: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        kind, _, rest = rule.partition(":")
        self.choices = ChoiceGroup()
        self.choices.set_choices(CHOICES, "header" if kind == "auto" else kind)
        self.pattern = QLineEdit(rest if kind == "regex" else FIRST_PART)
        self.pattern.setAccessibleName("Pattern whose first group is the patient")
        self.pattern.setToolTip("A regular expression; its first group in parentheses is the patient")
        self.levels = QSpinBox()
        self.levels.setRange(1, 9)
        self.levels.setValue(int(rest) if kind == "folder" and rest.isdigit() else 1)
        self.levels.setAccessibleName("Number of folder levels above the file")
        self._levels_help = label(LEVELS_HELP, "small")
        self._pattern_help = label(PATTERN_HELP, "small")
        self._table = ""
        self._table_name = label(NO_TABLE, "small")
        self._choose_table = button("Choose table…")
        self._choose_table.setAutoDefault(False)
        self._sentence = label("", "headline")
        self.banner = Banner()
        self.groups = _group_list()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(TYPING_PAUSE_MS)
        self._arrange()
        self._connect()
        self._show_fields()

    @property
    def rule(self) -> str:
        """The rule chosen, as ``services.grouping.parse_rule`` reads it."""
        kind = self.choices.current()
        if kind == "regex":
            return f"regex:{self.pattern.text()}"
        if kind == "folder" and self.levels.value() > 1:
            return f"folder:{self.levels.value()}"
        return f"csv:{self._table}" if kind == "csv" else kind

    def set_rule(self, rule: str) -> None:
        """Choose a way, with its details where it has some."""
        kind, _, rest = rule.partition(":")
        self.choices.set_choices(CHOICES, "header" if kind == "auto" else kind)
        if kind == "regex":
            self.pattern.setText(rest)
        self.levels.setValue(int(rest) if kind == "folder" and rest.isdigit() else 1)
        self._show_fields()

    def set_table(self, path: str) -> None:
        """Take patients from a table."""
        self._table = path
        self._table_name.setText(Path(path).name if path else NO_TABLE)
        self.rule_changed.emit(self.rule)

    def show_preview(self, preview: GroupPreview) -> None:
        """Show the groups that the rule makes, largest first."""
        self._sentence.setText(preview.sentence)
        self.groups.clear()
        for group in preview.groups[:SHOWN_AT_MOST]:
            more = ", …" if group.files > len(group.examples) else ""
            examples = ", ".join(group.examples) + more
            row = QTreeWidgetItem([group.title, str(group.files), examples])
            row.setToolTip(0, group.title)
            row.setToolTip(2, examples)
            row.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.groups.addTopLevelItem(row)
        self.banner.setVisible(bool(preview.warning))
        self.banner.show_text("warning", "Please check", preview.warning)
        self.usable_changed.emit(True)

    def show_error(self, message: str, remedy: str, level: Level = "error") -> None:
        """Say why the rule cannot be used yet; nothing can be added by it."""
        self.groups.clear()
        self._sentence.setText("")
        self.banner.show()
        self.banner.show_text(level, message, remedy)
        self.usable_changed.emit(False)

    def _arrange(self) -> None:
        ways = QWidget()
        left = vertical(ways, 8, margins=(0, 0, 8, 0))
        left.addWidget(self.choices)
        left.addWidget(self._levels_help)
        left.addWidget(self.levels, 0, Qt.AlignmentFlag.AlignLeft)
        left.addWidget(self._pattern_help)
        left.addWidget(self.pattern)
        left.addWidget(self._table_name)
        left.addWidget(self._choose_table, 0, Qt.AlignmentFlag.AlignLeft)
        left.addStretch(1)
        right = vertical(spacing=8)
        right.addWidget(self._sentence)
        right.addWidget(self.groups, 1)
        right.addWidget(self.banner)
        halves = horizontal(self, 20)
        halves.addWidget(scrolled(ways), 2)
        halves.addLayout(right, 3)

    def _connect(self) -> None:
        self.choices.chosen.connect(self._on_choice)
        self.levels.valueChanged.connect(lambda _levels: self._pause.start())
        self.pattern.textChanged.connect(lambda _text: self._pause.start())
        self._pause.timeout.connect(lambda: self.rule_changed.emit(self.rule))
        self._choose_table.clicked.connect(self._ask_table)

    def _on_choice(self, _kind: str) -> None:
        self._show_fields()
        self.rule_changed.emit(self.rule)

    def _show_fields(self) -> None:
        kind = self.choices.current()
        self.levels.setVisible(kind == "folder")
        self._levels_help.setVisible(kind == "folder")
        self.pattern.setVisible(kind == "regex")
        self._pattern_help.setVisible(kind == "regex")
        self._table_name.setVisible(kind == "csv")
        self._choose_table.setVisible(kind == "csv")

    def _ask_table(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Table of patients", "", "Tables (*.csv *.tsv *.txt)")
        if path:
            self.set_table(path)


def _group_list() -> QTreeWidget:
    result = QTreeWidget()
    result.setHeaderLabels(["Patient", "Files", "Example"])
    result.setRootIsDecorated(False)
    result.setUniformRowHeights(True)
    result.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    result.setAccessibleName("Images by patient")
    header = result.header()
    header.setStretchLastSection(True)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
    return result
