"""The class bins: adding, renaming, moving, merging and removing classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.domain.classes import ClassSpec, class_from_name
from clipsvd_app.errors import UserError
from clipsvd_app.project.class_changes import AddClass, ChangeClass, MoveClass, RemoveClass

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.domain.project_values import ProjectClass
    from clipsvd_app.project.changes import Change
    from clipsvd_app.ui.label.classes.bins import ClassBins
    from clipsvd_app.ui.session.session import Session


class ClassesController(QObject):
    """Turns what the bins ask for into changes."""

    def __init__(self, session: Session, bins: ClassBins) -> None:
        super().__init__(bins)
        self._session = session
        self._bins = bins
        bins.add_class.connect(self._add)
        bins.rename_class.connect(self._rename)
        bins.remove_class.connect(self._remove)
        bins.merge_class.connect(self._merge)
        bins.move_class.connect(self._move)
        bins.prompts_requested.connect(lambda _class_id: session.action_requested.emit("settings"))

    def _add(self, name: str) -> None:
        if not self._do_with(lambda: AddClass(class_from_name(name))):
            self._bins.give_back(name)

    def _rename(self, class_id: int, name: str) -> None:
        """Rename a class; prompts that are still the templates follow the name."""
        old = self._known(class_id)

        def change() -> Change:
            fresh = class_from_name(name)
            untouched = old.prompts == class_from_name(old.name).prompts
            spec = fresh if untouched else ClassSpec(fresh.name, old.prompts)
            return ChangeClass(class_id, spec, f"rename “{old.name}”")

        self._do_with(change)

    def _remove(self, class_id: int) -> None:
        self._do(RemoveClass(class_id, title=f"remove “{self._known(class_id).name}”"))

    def _merge(self, class_id: int, into: int) -> None:
        names = f"merge “{self._known(class_id).name}” into “{self._known(into).name}”"
        self._do(RemoveClass(class_id, into, names))

    def _move(self, class_id: int, place: int) -> None:
        known = {entry.id: entry for entry in self._session.classes()}
        last = len(known) - 1
        if class_id in known and min(place, last) != known[class_id].position:
            self._do(MoveClass(class_id, min(place, last), f"move “{known[class_id].name}”"))

    def _known(self, class_id: int) -> ProjectClass:
        return next(known for known in self._session.classes() if known.id == class_id)

    def _do_with(self, make: Callable[[], Change]) -> bool:
        try:
            change = make()
        except UserError as error:
            self._session.tell(error, "change")
            return False
        return self._do(change)

    def _do(self, change: Change) -> bool:
        """Change the classes, but not under the labels that a second reader cannot see."""
        if self._session.reader:
            self._session.tell(
                UserError(
                    "Classes cannot be changed during a second reading.",
                    remedy="Finish the second reading first.",
                    code="reading",
                )
            )
            return False
        return self._session.do(change)
