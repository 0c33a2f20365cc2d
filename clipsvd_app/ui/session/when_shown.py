"""Pages that are refreshed only while somebody sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget


class WhenShown(QObject):
    """Refreshes a page at once while it is shown, else when it is shown next."""

    def __init__(self, page: QWidget, refresh: Callable[[], None]) -> None:
        super().__init__(page)
        self._page, self._refresh, self._due = page, refresh, False
        page.installEventFilter(self)

    def ask(self) -> None:
        """Refresh, now or when the page is shown."""
        self._due = True
        if self._page.isVisible():
            self.catch_up()

    def forget(self) -> None:
        """Drop a refresh that waits: what it would show is overtaken."""
        self._due = False

    def catch_up(self) -> None:
        """Do a refresh that waits, because somebody else needs what it reads."""
        if self._due:
            self._due = False
            self._refresh()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Catch up as soon as the page is shown."""
        if watched is self._page and event.type() == QEvent.Type.Show:
            self.catch_up()
        return False
