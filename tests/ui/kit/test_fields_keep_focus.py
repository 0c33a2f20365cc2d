"""What is being typed stays, with the keyboard, through every refresh of the page around it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from support.films import film

from clipsvd_app.domain.classes import ClassSpec, class_from_name
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.ui.app import Studio
from clipsvd_app.ui.export.state import CardFields, ExportState
from clipsvd_app.ui.export.write_tab import WriteTab
from clipsvd_app.ui.pages import Pages
from clipsvd_app.ui.settings.prompts_card import PromptsCard
from clipsvd_app.ui.train.setup_panel import SetupPanel
from clipsvd_app.ui.train.state import TrainChoice, TrainState

pytestmark = pytest.mark.gui
ENTER, ESCAPE = Qt.Key.Key_Return, Qt.Key.Key_Escape
ADD_CLASS = (Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)


@pytest.fixture
def studio(qapp, qtbot, tmp_path, monkeypatch):
    asked = []
    for name in ("getOpenFileNames", "getExistingDirectory", "getOpenFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *_args: asked.append("dialog") or ("", ""))
    made = Studio(qapp)
    qtbot.addWidget(made.window)
    made.window.show()
    made.pages = Pages(made.session, made.window, made.theme)
    made.window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is made.window, timeout=5000)
    assert made.session.new_project(tmp_path / "p.clipsvd")
    yield SimpleNamespace(session=made.session, pages=made.pages, asked=asked)
    made.window.close()


def press(*keys) -> None:
    for key in keys:
        focused = QApplication.focusWidget() or QApplication.activeWindow()
        QTest.keyClick(focused, *(key if isinstance(key, tuple) else (key,)))
        QApplication.processEvents()


def type_in(text: str) -> None:
    QTest.keyClicks(QApplication.focusWidget(), text)


def names(studio) -> list[str]:
    return [known.name for known in studio.session.classes()]


def test_class_after_class_is_named_in_an_empty_project(studio):
    press(ADD_CLASS)
    for name in ("benign", "malignant", "normal"):
        type_in(name)
        press(ENTER)
        studio.session.announce_change()
    assert names(studio) == ["benign", "malignant", "normal"]
    assert QApplication.focusWidget() is studio.pages.label.bins._new
    press(ESCAPE)
    assert not studio.pages.label.bins._new.isVisible()
    assert studio.asked == [], "no key went to a button that opens a dialog"


def test_a_name_that_is_not_taken_stays_to_be_mended(studio):
    press(ADD_CLASS)
    type_in("benign")
    press(ENTER)
    type_in("benign")
    press(ENTER)
    assert names(studio) == ["benign"]
    assert studio.pages.label.bins._new.text() == "benign"
    type_in("cyst")
    press(ENTER)
    assert names(studio) == ["benign", "cyst"]


def test_images_that_arrive_while_a_name_is_typed_do_not_take_the_keyboard(studio, qtbot, tmp_path):
    press(ADD_CLASS)
    type_in("beni")
    studio.pages.importing.take([str(film(tmp_path / "a.dcm", "A", 1))])
    qtbot.waitUntil(lambda: len(studio.session.images()) == 1)
    type_in("gn")
    press(ENTER)
    assert names(studio) == ["benign"]
    press(ESCAPE)


def test_a_class_is_renamed_through_changes_of_the_project(studio):
    studio.session.do(AddClass(class_from_name("cist")))
    (bin_,) = studio.pages.label.bins.bins.values()
    bin_.name.edit()
    type_in("cy")
    for name in ("nodule", "normal"):
        studio.session.do(AddClass(class_from_name(name)))
    type_in("st")
    press(ENTER)
    assert names(studio) == ["cyst", "nodule", "normal"]


def test_words_to_search_for_are_typed_through_changes_of_the_project(studio, qtbot, tmp_path):
    studio.pages.importing.take([str(film(tmp_path / "a.dcm", "A", 1))])
    qtbot.waitUntil(lambda: len(studio.session.images()) == 1)
    studio.pages.label.strip.focus_search()
    for text in ("large ", "heart"):
        type_in(text)
        studio.session.announce_change()
    assert studio.pages.label.strip._search.text() == "large heart"
    assert studio.pages.label.strip._search.hasFocus()


def test_prompts_being_typed_stay_while_other_classes_come_move_and_change(qtbot):
    card = PromptsCard()
    qtbot.addWidget(card)
    one, two = ClassSpec("cyst", ("a cyst",)), ClassSpec("normal", ("no finding",))
    card.set_classes((one, two))
    card._editor.setPlainText("a round cyst")
    card.set_classes((ClassSpec("nodule", ("a nodule",)), one, two))
    assert (card.prompts(), card._choice.currentText()) == (("a round cyst",), "cyst")
    with qtbot.waitSignal(card.prompts_changed) as saved:
        card._save.click()
    assert saved.args == [1, ("a round cyst",)]
    card.set_classes((two,))
    assert card.prompts() == ("no finding",)


def test_who_may_use_an_adapter_is_typed_while_another_run_ends(qtbot):
    tab = WriteTab()
    qtbot.addWidget(tab)
    runs = (1,)
    tab.set_state(ExportState(runs=runs, run=1, path="/a/1.sigma.safetensors", card=CardFields("", "", "")))
    tab.show()
    tab._contact.setFocus()
    qtbot.keyClicks(tab._contact, "ward 3")
    assert tab.is_edited
    tab.set_state(ExportState(runs=(2, *runs), run=2, path="/a/2.sigma.safetensors"))
    assert tab.card().contact == "ward 3"
    assert tab._path.text() == "/a/2.sigma.safetensors"
    tab.set_state(ExportState())
    assert (tab.card().contact, tab.is_edited) == ("", False)


def test_a_number_that_is_being_typed_is_not_filled_in_by_a_refresh(qtbot):
    panel = SetupPanel()
    qtbot.addWidget(panel)
    state = TrainState(choice=TrainChoice(shots=16), shot_options=tuple(range(1, 41)))
    panel.set_state(state)
    panel.show()
    panel.activateWindow()
    panel._shots.setFocus()
    qtbot.waitUntil(panel._shots.hasFocus)
    panel._shots.lineEdit().clear()
    panel.set_state(state)
    assert panel._shots.lineEdit().text() == ""
    qtbot.keyClicks(panel._shots, "8")
    assert panel.choice().shots == 8
