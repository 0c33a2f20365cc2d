"""The run that every page shows: the newest one, until another is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from clipsvd_app.ui.session.when_shown import WhenShown

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from clipsvd_app.domain.results.run import RunResult
    from clipsvd_app.ui.session.session import Session


class RunOnShow(QObject):
    """``number`` is None while the project has no run. Signal: ``changed()``, also when runs were added."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._number: int | None = None
        self._result: RunResult | None = None
        session.runs_changed.connect(self.show_newest)

    @property
    def number(self) -> int | None:
        """The run's number."""
        return self._number

    @property
    def numbers(self) -> tuple[int, ...]:
        """All runs of the project, the newest first."""
        project = self._session.project
        return () if project is None else tuple(run.number for run in reversed(project.runs()))

    @property
    def result(self) -> RunResult | None:
        """What the run found; the first look decodes it, which takes a moment."""
        project = self._session.project
        if self._result is None and project is not None and self._number is not None:
            self._result = project.run_result(self._number)
        return self._result

    def position_of(self, class_id: int | None) -> int | None:
        """Return where a class of the project stands among those of the run, by its name."""
        names = () if self.result is None else self.result.class_names
        name = next((known.name for known in self._session.classes() if known.id == class_id), None)
        return names.index(name) if name in names else None

    def leave(self) -> None:
        """Show none: another project is about to be opened."""
        self._number = self._result = None

    def reread(self) -> None:
        """Read the run again when it is looked at next: it was explained again."""
        self._result = None

    def show(self, number: int | None) -> None:
        """Show a run on every page."""
        self._number, self._result = number, None
        self.changed.emit()

    def show_newest(self) -> None:
        """Show the newest run, or that there is none."""
        self.show(next(iter(self.numbers), None))

    def follow(self, page: QWidget, refresh: Callable[[], None]) -> WhenShown:
        """Refresh what shows the run, in the order in which a page's parts asked, while the page is seen."""
        follower = page.findChild(_Follower)
        if follower is None:
            follower = _Follower(page)
            self.changed.connect(follower.ask)
        follower.parts.append(refresh)
        return follower


class _Follower(WhenShown):
    """One for each page, so that its parts are refreshed in their order whenever it is shown."""

    def __init__(self, page: QWidget) -> None:
        super().__init__(page, self._refresh_parts)
        self.parts: list[Callable[[], None]] = []

    def _refresh_parts(self) -> None:
        for refresh in self.parts:
            refresh()
