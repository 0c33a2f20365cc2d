"""Leaving: what is under way is seen on every page, and nothing of it ends without a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QMessageBox

from clipsvd_app.ui.kit.focus import destructive

if TYPE_CHECKING:
    from PySide6.QtGui import QSessionManager

    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.session.state import LongJob
    from clipsvd_app.ui.shell.main_window import MainWindow

STOP = "Stop and quit"


class LeavingController(QObject):
    """Shows the long jobs of the session, and asks before the window closes on one."""

    def __init__(self, session: Session, window: MainWindow) -> None:
        super().__init__(window)
        self._session, self._window = session, window
        window.may_close = self.may_close
        self._closed = False
        session.long_jobs.changed.connect(self._show)
        window.closing.connect(self._on_closing)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        # The answer must be there when this returns, or the computer shuts down meanwhile.
        app.commitDataRequest.connect(self._on_session_end, Qt.ConnectionType.DirectConnection)

    def may_close(self) -> bool:
        """Ask, if anything is under way."""
        jobs = self._session.long_jobs
        if self._closed or not jobs.all():
            return True
        box = _question(jobs.all(), self._window)

        def look() -> None:
            if not jobs.all():  # what ended while the question stood there leaves nothing to ask
                box.reject()

        jobs.changed.connect(look)
        box.exec()
        jobs.changed.disconnect(look)
        clicked = box.clickedButton()
        box.deleteLater()
        return clicked is not None and clicked.text() == STOP

    def _on_session_end(self, manager: QSessionManager) -> None:
        if not self._session.long_jobs.all() or not manager.allowsInteraction():
            return
        if not self.may_close():
            manager.cancel()
        manager.release()

    def _on_closing(self) -> None:
        self._closed = True

    def _show(self) -> None:
        if not self._closed:
            self._window.set_jobs(self._session.long_jobs.all())


def _question(jobs: tuple[LongJob, ...], window: MainWindow) -> QMessageBox:
    box = QMessageBox(window)
    box.setObjectName("leaving")
    box.setOption(QMessageBox.Option.DontUseNativeDialog)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Quit?")
    box.setTextFormat(Qt.TextFormat.PlainText)
    if len(jobs) == 1:
        box.setText(f"{jobs[0].title} is still running.")
        box.setInformativeText(jobs[0].if_closed)
    else:
        box.setText(f"{len(jobs)} jobs are still running.")
        box.setInformativeText("\n".join(f"{job.title}: {job.if_closed}" for job in jobs))
    keep = box.addButton(_keep(jobs), QMessageBox.ButtonRole.RejectRole)
    destructive(box.addButton(STOP, QMessageBox.ButtonRole.DestructiveRole))
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    return box


def _keep(jobs: tuple[LongJob, ...]) -> str:
    words = {job.keep for job in jobs}
    return words.pop() if len(words) == 1 else "Keep window open"
