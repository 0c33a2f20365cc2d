"""Facts about inline notices."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QPushButton

from clipsvd_app.errors import UserError
from clipsvd_app.ui.notices import Notice, NoticeBar, notice_of

pytestmark = pytest.mark.gui


@pytest.fixture
def bar(qtbot, theme):
    bar = NoticeBar(theme)
    qtbot.addWidget(bar)
    return bar


def test_notices_wait_for_their_turn(bar):
    bar.show_notice(Notice("error", "First."))
    bar.show_notice(Notice("warning", "Second."))
    assert bar.current.message == "First."
    bar.dismiss_current()
    assert bar.current.message == "Second."
    bar.dismiss_current()
    assert bar.isHidden()


def test_the_same_trouble_is_told_once(bar):
    bar.show_notice(Notice("error", "Disk full: 3 MB left.", key="disk_full"))
    bar.show_notice(Notice("error", "Disk full: 1 MB left.", key="disk_full"))
    assert bar.current.message == "Disk full: 1 MB left."
    bar.dismiss("disk_full")
    assert bar.current is None


def test_good_news_goes_by_itself_and_never_hides_trouble(bar):
    bar.show_notice(Notice("success", "Saved."))
    bar.show_notice(Notice("error", "Broken."))
    assert bar.current.message == "Broken."
    bar.dismiss_current()
    assert bar.current is None


def test_a_pressed_button_says_its_action_and_closes_the_notice(bar, qtbot):
    bar.show_notice(Notice("warning", "The engine stopped.", "Start it again.", "engine.start", "Start"))
    with qtbot.waitSignal(bar.action_requested) as asked:
        bar.findChildren(QPushButton)[0].click()
    assert asked.args == ["engine.start"]
    assert bar.current is None


def test_a_file_name_cannot_write_markup(bar):
    bar.show_notice(Notice("error", "<img src=x> is not an image."))
    assert "<img" not in bar._text.text()


def test_an_error_becomes_a_notice_with_its_remedy():
    notice = notice_of(UserError("It is empty.", remedy="Choose another.", code="empty"))
    assert notice == Notice("error", "It is empty.", "Choose another.", key="empty")
