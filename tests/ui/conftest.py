"""What every test of the window shares: a theme, hands that drag and drop, and a check for leaks."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QMouseEvent
from PySide6.QtWidgets import QApplication
from support.made_evaluation import made_run
from support.scripted_studio import NAMES, close_without_asking, make_project, scripted_session

from clipsvd_app.domain.records import to_json
from clipsvd_app.ui.app import Studio
from clipsvd_app.ui.look.theme import Theme


@pytest.fixture
def theme(qapp):
    """A dark theme; the next test gets a fresh one."""
    made = Theme(qapp, "dark")
    qapp.setStyleSheet(made.sheet)  # a page alone looks as it does in its window
    yield made
    made.deleteLater()


@pytest.fixture(autouse=True)
def _no_widget_left_behind(request):
    """Fail a test after which more top-level widgets live than before it."""
    if "qtbot" not in request.fixturenames:
        yield
        return
    qapp = request.getfixturevalue("qapp")
    before = qapp.topLevelWidgets()
    yield
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    leaked = [widget for widget in qapp.topLevelWidgets() if widget not in before]
    assert not leaked, f"left behind: {leaked}"


@pytest.fixture
def drop_files():
    """Drop files of the file manager onto a widget; returns whether they were welcome."""

    def drop(widget, *paths) -> bool:
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        return _enter_and_drop(widget, mime)

    return drop


@pytest.fixture
def drop_mime():
    """Drop any data onto a widget; returns whether it was welcome."""
    return _enter_and_drop


@pytest.fixture
def drag_mouse():
    """Press, move in a few steps, release, as a hand does."""
    return _drag_mouse


def _enter_and_drop(widget, mime: QMimeData) -> bool:
    centre = widget.rect().center()
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPoint(centre), copy, mime, left, none)
    entering.ignore()
    QApplication.sendEvent(widget, entering)
    if entering.isAccepted():
        QApplication.sendEvent(widget, QDropEvent(QPointF(centre), copy, mime, left, none))
    return entering.isAccepted()


def _drag_mouse(widget, start, end, button, modifiers=Qt.KeyboardModifier.NoModifier, steps=5) -> None:
    kinds, nothing = QEvent.Type, Qt.MouseButton.NoButton
    begin, finish = QPointF(*start), QPointF(*end)
    _send_mouse(widget, kinds.MouseButtonPress, begin, button, button, modifiers)
    for step in range(1, steps + 1):
        along = begin + (finish - begin) * (step / steps)
        _send_mouse(widget, kinds.MouseMove, along, nothing, button, modifiers)
    _send_mouse(widget, kinds.MouseButtonRelease, finish, button, nothing, modifiers)


def _send_mouse(widget, kind, at, button, buttons, modifiers) -> None:
    globally = QPointF(widget.mapToGlobal(at.toPoint()))
    QApplication.sendEvent(widget, QMouseEvent(kind, at, globally, button, buttons, modifiers))


@pytest.fixture
def projects(tmp_path):
    """Two projects of four labelled pictures."""
    return make_project(tmp_path / "first.clipsvd"), make_project(tmp_path / "second.clipsvd")


@pytest.fixture
def scripted_studio(qtbot, qapp, tmp_path, projects):
    result = made_run(NAMES, ids=range(1, 5), labels=[0, 1, 0, 1], training=2)
    (tmp_path / "result.json").write_text(json.dumps(to_json(result)))
    session = scripted_session(tmp_path)
    made = Studio(qapp, session)
    qtbot.addWidget(made.window, before_close_func=close_without_asking)
    made.window.show()
    made.start()
    made.told = []
    session.notice.connect(made.told.append)
    return made
