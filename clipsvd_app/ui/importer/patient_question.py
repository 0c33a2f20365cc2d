"""Asking who the patients of an import are, where the files leave it open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.services.labels.class_folders import FolderChoice, brings_labels, chosen_files
from clipsvd_app.services.studies.patient_rules import PatientRule, parse_rule
from clipsvd_app.services.studies.rule_preview import is_doubtful, must_ask, preview_groups
from clipsvd_app.ui.importer.patient_dialog import GroupingDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from clipsvd_app.project import Project
    from clipsvd_app.services.labels.class_folders import ClassFolders
    from clipsvd_app.services.studies.found_files import FilesRead
    from clipsvd_app.ui.kit.page_parts import Level
    from clipsvd_app.ui.session.background import Answer, Task
    from clipsvd_app.ui.session.session import Session

SETTING = "patient_rule"
NO_TABLE = "no_table"
FILES_AT_ONCE = 500  # groups of more are found in a thread


class GroupingController(QObject):
    """Finds the rule of an import: the one that served the project last, or what the user chooses."""

    def __init__(self, parent: QWidget, session: Session) -> None:
        super().__init__(parent)
        self._parent, self._session = parent, session
        self._preview: Task | None = None
        self.dialog: GroupingDialog | None = None
        self.used_again = False
        """Whether the rule taken last was chosen for other files before, and nobody was asked."""

    def is_open(self, project: Project, read: FilesRead, folders: ClassFolders | None) -> bool:
        """Whether the user must be asked who is who, or about folders that look like classes.

        Safe to call from a thread; thousands of files take a second.
        """
        rule = parse_rule(project.setting(SETTING, "header"))
        asks_classes = folders is not None and brings_labels(project, read, folders)
        return asks_classes or must_ask(read, rule) or is_doubtful(project, read, rule)

    def decide(
        self,
        project: Project,
        read: FilesRead,
        folders: ClassFolders | None,
        is_open: bool,
        take: Callable[[PatientRule, FolderChoice], None],
        give_up: Callable[[], None],
    ) -> None:
        """Call ``take`` with the rule and what is wanted of folders that look like classes.

        That is at once where nothing ``is_open``, or when the dialog is accepted; else ``give_up`` is called.
        """
        known = project.setting(SETTING, "header")
        rule = parse_rule(known)
        self.used_again = False
        if not is_open:
            self.used_again = rule.kind not in ("auto", "header")
            take(rule, FolderChoice())
            return
        dialog = self.dialog = GroupingDialog(known, self._parent)
        if folders is not None:
            suggested, names = folders.suggested(), [entry.name for entry in project.classes()]
            likely = suggested.as_classes and (not names or folders.names_are_all(names))
            dialog.show_folders(folders.folders, likely, suggested.left_out, names)
        dialog.patients.rule_changed.connect(lambda _rule: self._show(dialog, project, read, folders))
        dialog.classes.changed.connect(lambda: self._show(dialog, project, read, folders))
        dialog.accepted.connect(lambda: take(_kept(project, dialog.patients.rule), dialog.folder_choice))
        dialog.rejected.connect(give_up)
        dialog.finished.connect(lambda _how: setattr(self, "dialog", None))
        self._show(dialog, project, read, folders)
        dialog.open()

    def ask_anew(
        self,
        project: Project,
        read: FilesRead,
        anew: frozenset[int],
        take: Callable[[PatientRule], None],
        give_up: Callable[[], None],
    ) -> None:
        """Ask for another rule for files that are in the project already, as the images ``anew``."""
        dialog = self.dialog = GroupingDialog(project.setting(SETTING, "header"), self._parent)
        dialog.patients.rule_changed.connect(lambda _rule: self._show(dialog, project, read, None, anew))
        dialog.accepted.connect(lambda: take(_kept(project, dialog.patients.rule)))
        dialog.rejected.connect(give_up)
        dialog.finished.connect(lambda _how: setattr(self, "dialog", None))
        self._show(dialog, project, read, None, anew)
        dialog.open()

    def dismiss(self) -> None:
        """Give up what is being asked: it is about a project that is no longer open."""
        if self.dialog is not None:
            self.dialog.reject()

    def _show(
        self,
        dialog: GroupingDialog,
        project: Project,
        read: FilesRead,
        folders: ClassFolders | None,
        anew: frozenset[int] = frozenset(),
    ) -> None:
        if self.dialog is not dialog:
            return
        chosen = read if folders is None else chosen_files(read, folders, dialog.folder_choice)
        dialog.add.setText(f"{'Group' if anew else 'Add'} {counted(len(chosen.found), 'file')}")
        if self._preview is not None:
            self._preview.cancel()
            self._preview = None
        try:
            rule = chosen_rule(dialog.patients.rule)
            if len(chosen.found) <= FILES_AT_ONCE:
                dialog.patients.show_preview(preview_groups(project, chosen, rule, anew))
                return
        except UserError as error:
            _show_error(dialog, error)
            return
        self._preview = self._session.work(
            lambda _report: preview_groups(project, chosen, rule, anew),
            lambda answer: self._show_late(dialog, answer),
        )

    def _show_late(self, dialog: GroupingDialog, answer: Answer) -> None:
        if answer.cancelled or self.dialog is not dialog:
            return
        if answer.error is not None:
            _show_error(dialog, answer.error)
        else:
            dialog.patients.show_preview(answer.value)


def _show_error(dialog: GroupingDialog, error: UserError) -> None:
    level: Level = "info" if error.code == NO_TABLE else "error"
    dialog.patients.show_error(error.message, error.remedy, level)


def chosen_rule(text: str) -> PatientRule:
    """Read the rule that a page shows; UserError says what is wrong with it."""
    if text == "csv:":
        raise UserError(
            "No table chosen.", remedy="Choose a table with the columns path and patient.", code=NO_TABLE
        )
    return parse_rule(text)


def _kept(project: Project, text: str) -> PatientRule:
    """Remember a rule for the next import; a table serves once, because its name is no one's business."""
    if not text.startswith("csv:") and not project.read_only:
        project.set_setting(SETTING, text)
    return chosen_rule(text)
