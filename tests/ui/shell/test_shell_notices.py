"""Facts about messages: which wait, in which order they are shown, and what takes them away."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from clipsvd_app.errors import UserError
from clipsvd_app.ui.session.notices import ELSEWHERE_KEY, Notice, notice_of
from clipsvd_app.ui.shell.main_window import MainWindow

pytestmark = pytest.mark.gui
WRITING = Notice("info", "Reading files: 3 of 9.", "", "import.cancel", "Cancel", "import", (3, 9))


@pytest.fixture
def window(qtbot, theme):
    window = MainWindow(theme)
    qtbot.addWidget(window)
    page = QWidget()
    page.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    window.add_page("label", "Label", "label", page)
    window.add_page("train", "Train", "train", QWidget())
    window.show()
    window.activateWindow()
    page.setFocus()
    qtbot.waitUntil(page.hasFocus)
    return window


@pytest.fixture
def messages(window):
    return window.messages


def said(messages) -> list[str]:
    return [card.notice.message for card in messages.cards]


def texts(messages) -> list[str]:
    return [label.text() for label in messages.findChildren(QLabel, "notice_text") if label.isVisible()]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_newest_message_is_drawn_and_the_others_are_counted(window, messages, count):
    page, before = window._stack.geometry(), window.grab().toImage()
    for number in range(count):
        window.show_notice(Notice("error", f"Error {number}.", "Mend it."))
    assert messages.isVisible() == (count > 0)
    assert texts(messages) == [f"<b>Error {count - 1}.</b> Mend it."][:count]
    assert messages._foot.isVisible() == (count == 2)
    assert messages._more.text() == "1 more" or count < 2
    assert (window.grab().toImage() != before) == (count > 0)
    assert window._stack.geometry() == page, "the page stays where it is"


def test_the_list_has_every_message_with_its_dismissal(window, messages, qtbot):
    for name in ("First.", "Second.", "Third."):
        window.show_notice(Notice("error", name))
    qtbot.mouseClick(messages._more, Qt.MouseButton.LeftButton)
    assert said(messages) == ["Third.", "Second.", "First."]
    qtbot.mouseClick(messages.cards[1].close_button, Qt.MouseButton.LeftButton)
    assert said(messages) == ["Third.", "First."]
    qtbot.mouseClick(messages._none, Qt.MouseButton.LeftButton)
    assert messages.isHidden()


def test_a_long_list_stays_within_the_page(window, messages, qtbot):
    for number in range(30):
        window.show_notice(Notice("error", f"Error {number}.", "Mend it. " * 20))
    qtbot.mouseClick(messages._more, Qt.MouseButton.LeftButton)
    assert messages.parent().rect().contains(messages.geometry())


def test_the_same_error_is_told_once(messages):
    messages.show_notice(Notice("error", "Disk full: 3 MB left.", key="disk_full"))
    messages.show_notice(Notice("error", "Disk full: 1 MB left.", key="disk_full"))
    assert said(messages) == ["Disk full: 1 MB left."]
    messages.settle("disk_full")
    assert messages.current is None


def test_an_error_is_over_when_the_same_kind_of_action_succeeds(messages):
    messages.show_notice(notice_of(UserError("No room.", remedy="Make some.", code="disk_full"), "export"))
    messages.show_notice(notice_of(UserError("No table.", remedy="", code="no_table"), "labels-in"))
    messages.show_notice(Notice("success", "Wrote a file.", key="export"))
    messages.dismiss_current()
    assert said(messages) == ["No table."]


def test_what_is_under_way_is_never_hidden_by_messages(messages):
    messages.show_notice(Notice("error", "Broken."))
    messages.show_notice(WRITING)
    messages.show_notice(Notice("error", "Broken again."))
    messages.show_notice(Notice("info", "Reading files: 5 of 9.", key="import", progress=(5, 9)))
    assert said(messages) == ["Reading files: 5 of 9.", "Broken again."]
    messages.dismiss_all()
    assert said(messages) == ["Reading files: 5 of 9."]
    messages.show_notice(Notice("success", "9 images added.", key="import"))
    assert said(messages) == ["9 images added."]


def test_another_project_takes_its_messages_along_and_leaves_those_of_the_program(messages):
    messages.show_notice(Notice("error", "The run failed.", key="train"))
    messages.show_notice(Notice("success", "“other”: Run 3 is done.", action="open", key=ELSEWHERE_KEY))
    messages.show_notice(Notice("error", "The engine stopped.", key="engine_gone"))
    messages.leave_project()
    assert {notice.key for notice in messages._waiting.messages} == {ELSEWHERE_KEY, "engine_gone"}


def test_good_news_goes_by_itself_but_not_from_under_the_pointer_or_the_keyboard(window, messages):
    messages.show_notice(Notice("error", "Broken."))
    messages.show_notice(Notice("success", "Saved."))
    assert said(messages) == ["Saved."]
    messages.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    messages._timer.timeout.emit()
    messages.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
    messages.enter()
    messages._timer.timeout.emit()
    assert said(messages) == ["Saved."]
    assert messages._timer.isActive()
    window._stack.currentWidget().setFocus()
    messages._timer.timeout.emit()
    assert said(messages) == ["Broken."]


def test_escape_dismisses_from_anywhere_and_the_focus_stays(window, messages, qtbot):
    page = window._stack.currentWidget()
    window.show_notice(Notice("error", "First."))
    window.show_notice(Notice("error", "Second."))
    assert page.hasFocus(), "a message takes no focus"
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert (said(messages), page.hasFocus()) == (["First."], True)
    messages.enter()
    assert messages.cards[0].close_button.hasFocus()
    qtbot.keyClick(messages.cards[0].close_button, Qt.Key.Key_Escape)
    assert (said(messages), page.hasFocus()) == ([], True)


def test_a_pressed_button_says_its_action_closes_the_message_and_takes_no_focus(window, messages, qtbot):
    page = window._stack.currentWidget()
    messages.show_notice(Notice("warning", "The engine stopped.", "Start it again.", "engine.start", "Start"))
    with qtbot.waitSignal(messages.action_requested) as asked:
        qtbot.mouseClick(messages.cards[0].button, Qt.MouseButton.LeftButton)
    assert asked.args == ["engine.start"]
    assert (messages.current, page.hasFocus()) == (None, True)


def test_what_is_under_way_ends_by_its_own_word_not_by_the_press_of_cancel(messages, qtbot):
    messages.show_notice(WRITING)
    with qtbot.waitSignal(messages.action_requested) as asked:
        messages.cards[0].button.click()
    assert asked.args == ["import.cancel"]
    assert said(messages) == ["Reading files: 3 of 9."]


def test_messages_lie_over_the_part_of_a_page_that_was_named(window, messages, qtbot):
    part = QWidget(window._stack.widget(0))
    part.setGeometry(50, 20, 400, 300)
    part.show()
    window.lay_messages_over("label", part)
    window.show_notice(Notice("error", "Broken."))
    at = part.mapTo(messages.parent(), part.rect().topLeft())
    assert part.rect().translated(at).contains(messages.geometry())
    window.show_page("train")
    assert messages.geometry().right() > messages.parent().width() - 40


def test_a_file_name_cannot_write_markup(messages):
    messages.show_notice(Notice("error", "<img src=x> is not an image.", action="go", action_text="A & B"))
    assert "<img" not in messages.cards[0]._text.text()
    assert messages.cards[0].button.text() == "A && B"


def test_a_message_is_named_for_those_who_hear_it(messages):
    messages.show_notice(Notice("error", "It is empty.", "Choose another."))
    assert messages.cards[0].accessibleName() == "Error: It is empty. Choose another."
    assert messages.cards[0].close_button.accessibleName() == "Dismiss: It is empty. Choose another."


def test_an_error_becomes_a_notice_with_its_remedy():
    notice = notice_of(UserError("It is empty.", remedy="Choose another.", code="empty"))
    assert notice == Notice("error", "It is empty.", "Choose another.", key="empty")
    assert notice_of(UserError("One.", remedy="")).key == "", "two unlike errors are not one"


def test_good_news_goes_when_the_page_that_it_leads_to_is_opened_by_any_way(window, messages):
    window.show_notice(Notice("success", "Run 1 is done.", "", "train", "Show"))
    window.show_notice(Notice("error", "Not trained.", "Mend it.", "train", "Train again"))
    window.show_page("train")
    assert messages.current.message == "Not trained.", "an error stays until its cause is gone"
    assert all(card.notice.message != "Run 1 is done." for card in messages.cards)
