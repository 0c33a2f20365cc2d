"""The keyboard is never left, by itself, on what removes, overwrites or starts work over."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from support.made_evaluation import made_run
from support.scripted_studio import NAMES, finish, start_training

from clipsvd_app.jobs.answers import Check, VerifyResult
from clipsvd_app.ui import app
from clipsvd_app.ui.crash_report import show_crash
from clipsvd_app.ui.export.image_dialog import AppliedImageDialog
from clipsvd_app.ui.export.state import (
    AdapterView,
    ApplyState,
    CardFields,
    ExportResult,
    ExportState,
    ReportState,
)
from clipsvd_app.ui.kit.focus import destructive, is_destructive, is_harmless
from clipsvd_app.ui.session.state import LongJob
from clipsvd_app.ui.shell.main_window import MainWindow
from clipsvd_app.ui.shell.rail import RailButton
from clipsvd_app.ui.train.state import RunRow

pytestmark = [pytest.mark.gui, pytest.mark.timeout(120)]
PAGES = ("label", "train", "inspect", "explain", "export", "settings")
ENDS_OR_REPLACES = re.compile(
    r"\b(undo|redo|remove|delete|clear|discard|reset|stop|cancel|resume|retrain|again|relabel|write|overwrite|"
    r"train|finish|save prompts|keep label)\b",
    re.IGNORECASE,
)
DIALOGS = {
    "ReaderDialog",
    "GroupingDialog",
    "LabelsDialog",
    "HeaderDialog",
    "AppliedImageDialog",
    "PatientDialog",
}
"""Every class of dialog; ``test_every_dialog_is_walked`` says when one is missing here."""


@pytest.fixture
def window(qtbot, theme):
    window = MainWindow(theme)
    qtbot.addWidget(window)
    for key in PAGES:
        page = QWidget()
        QVBoxLayout(page)
        window.add_page(key, key.title(), key, page)
    window.show()
    activate(qtbot, window)
    return window


def activate(qtbot, window) -> None:
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)


def put(window, control):
    """Lay a control into the page on show."""
    window._shown().layout().addWidget(control)
    control.show()
    return control


def settled(qtbot) -> QWidget | None:
    qtbot.wait(5)
    return QApplication.focusWidget()


def undo_button(window) -> QToolButton:
    return next(
        b for b in window.findChildren(QToolButton) if b.defaultAction() is window._actions["edit.undo"]
    )


@pytest.mark.parametrize("how", ["hide", "disable", "disable_parent", "delete"])
def test_a_control_that_goes_hands_the_focus_to_its_page(window, qtbot, how):
    window.set_action("edit.undo", enabled=True)
    window.set_action("edit.redo", enabled=True)
    box = put(window, QWidget())
    QVBoxLayout(box)
    control = QPushButton("Do it")
    box.layout().addWidget(control)
    control.show()
    control.setFocus()
    assert control.hasFocus()
    match how:
        case "hide":
            control.hide()
        case "disable":
            control.setEnabled(False)
        case "disable_parent":
            box.setEnabled(False)
        case "delete":
            control.deleteLater()
    focused = settled(qtbot)
    assert is_harmless(focused)
    assert focused is window._shown()


def test_a_lost_control_of_a_list_leaves_the_focus_with_the_list(window, qtbot):
    part = put(window, QWidget())
    part.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    QVBoxLayout(part)
    field = QLineEdit()
    part.layout().addWidget(field)
    field.show()
    field.setFocus()
    field.hide()
    assert settled(qtbot) is part


def test_a_destructive_control_keeps_the_focus_only_for_who_goes_to_it(window, qtbot):
    control = put(window, destructive(QPushButton("Remove")))
    control.setFocus(Qt.FocusReason.TabFocusReason)
    assert settled(qtbot) is control
    window._shown().setFocus()
    control.setFocus(Qt.FocusReason.ActiveWindowFocusReason)  # a dialog was closed
    assert settled(qtbot) is not control
    pressed = []
    control.clicked.connect(lambda: pressed.append(True))
    control.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(control, Qt.Key.Key_Space)
    focused = settled(qtbot)
    assert is_harmless(focused)
    qtbot.keyClick(focused, Qt.Key.Key_Space)
    assert pressed == [True]


def change_patient(pages) -> None:
    pages.label.strip.select([pages.label.strip.view.model().items[0].image_id])
    pages.menu.change_patient()


def open_dialogs(studio, tmp_path):
    """Give what opens each kind of dialog, as a user does."""
    pages, window = studio.pages, studio.window
    table = tmp_path / "labels.csv"
    table.write_text(f"path,class\n{studio.session.images()[0].path},lesion\n")
    new = tmp_path / "new"
    new.mkdir()
    Image.fromarray(np.random.default_rng(9).integers(0, 255, (24, 24), dtype=np.uint8)).save(new / "x_1.png")
    Image.fromarray(np.random.default_rng(8).integers(0, 255, (24, 24), dtype=np.uint8)).save(new / "x_2.png")
    studio.session.project.set_setting("patient_rule", "header")
    return {
        "ReaderDialog": pages.reading.ask,
        "PatientDialog": lambda: change_patient(pages),
        "LabelsDialog": lambda: pages.files.import_labels(table),
        "GroupingDialog": lambda: pages.importing.take([str(new)]),
        "HeaderDialog": lambda: show_header(pages),
        "AppliedImageDialog": AppliedImageDialog(studio.theme, window).show,
        "about": lambda: window.action_triggered.emit("help.about"),
        "crash": lambda: show_crash(window, ValueError, None),
        "leaving": window.close,
    }


def show_header(pages) -> None:
    pages.label.strip.opened.emit(1)
    pages.headers.toggle()


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Return])
def test_after_every_dialog_the_focus_rests_on_nothing_destructive(
    qtbot, scripted_studio, projects, tmp_path, key
):
    studio = scripted_studio
    assert studio.session.open_project(projects[0])
    activate(qtbot, studio.window)
    studio.session.long_jobs.begin("job", LongJob("train", "Training", "It is lost."))
    openings = open_dialogs(studio, tmp_path)
    assert openings.keys() > DIALOGS
    for name, open_it in openings.items():
        studio.window.set_action("edit.undo", enabled=True)
        undo_button(studio.window).setFocus(Qt.FocusReason.TabFocusReason)
        seen: list[QDialog] = []
        answer_when_open(seen, key)
        open_it()
        qtbot.waitUntil(lambda seen=seen: bool(seen), timeout=10_000)
        activate(qtbot, studio.window)
        assert is_harmless(settled(qtbot)), name
    assert studio.window.isVisible()


def answer_when_open(seen: list, key) -> None:
    """Wait for a dialog, look at its default button, press a key, and see that it closes."""

    def look() -> None:
        dialog = QApplication.activeWindow()
        if not isinstance(dialog, QDialog):
            QTimer.singleShot(20, look)
            return
        defaults = [b for b in dialog.findChildren(QPushButton) if b.isDefault()]
        assert not any(is_destructive(one) for one in defaults)
        assert not is_destructive(dialog.focusWidget())
        QTest.keyClick(dialog, key)
        if dialog.isVisible():
            dialog.reject()
        seen.append(dialog)

    QTimer.singleShot(0, look)


def test_every_dialog_is_walked():
    sources = [file.read_text(encoding="utf-8") for file in Path(app.__file__).parent.rglob("*.py")]
    found = {name for text in sources for name in re.findall(r"^class (\w+)\(QDialog\)", text, re.MULTILINE)}
    assert found == DIALOGS
    assert sum(len(re.findall(r"= QMessageBox\(", text)) for text in sources) == 3, "about, crash, leaving"


def test_after_training_stopping_discarding_and_finishing_space_starts_nothing(
    qtbot, scripted_studio, projects, tmp_path
):
    studio = scripted_studio
    start_training(qtbot, studio, projects[0])
    activate(qtbot, studio.window)
    page, runs = studio.pages.train, studio.pages.train.runs
    cancel, train = page.progress._cancel, page.setup._train
    for button, ends in (
        (cancel, lambda: not studio.pages.training.running),
        (train, lambda: studio.pages.training.running),
        (cancel, lambda: not studio.pages.training.running),
        (runs._resume, lambda: studio.pages.training.running),
        (cancel, lambda: not studio.pages.training.running),
        (runs._discard, lambda: runs._table.rowCount() == 0),
        (train, lambda: studio.pages.training.running),
    ):
        if button in (runs._resume, runs._discard):
            runs._table.selectRow(0)
        button.setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.keyClick(button, Qt.Key.Key_Space)
        qtbot.waitUntil(ends, timeout=10_000)
        assert is_harmless(settled(qtbot)), button.text()
    finish(qtbot, studio, tmp_path)
    focused = settled(qtbot)
    assert is_harmless(focused)
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Return):
        qtbot.keyClick(focused, key)
    assert not studio.pages.training.running
    assert len(studio.session.project.runs()) == 1


@pytest.fixture
def filled(qtbot, scripted_studio, projects):
    """A studio with a run, so that every page has something on it."""
    studio = scripted_studio
    assert studio.session.open_project(projects[0])
    result = made_run(NAMES, ids=range(1, 5), labels=[0, 1, 0, 1], training=2)
    studio.session.project.add_run("quick", {"labels": {}}, result, b"")
    studio.session.runs_changed.emit()
    activate(qtbot, studio.window)
    return studio


def test_after_writing_applying_and_reporting_space_does_it_no_second_time(qtbot, filled):
    """Each button is disabled or hidden while its job runs, which sent the focus to Redo."""
    filled.window.show_page("export")
    page = filled.pages.export
    for redo in ("edit.undo", "edit.redo"):
        filled.window.set_action(redo, enabled=True)
    card = CardFields("", "", "")
    idle = ExportState((), 1, "a.sigma.safetensors", "/tmp/a", 1, (), card)
    done = replace(idle, result=ExportResult("a", VerifyResult((Check("same", True, ""),))))
    view = AdapterView("a", NAMES, ())
    report = ReportState((), 1, "/tmp/r.pdf")
    for tab, button, states in (
        ("export", page.write_tab._write, _writing(page, idle, done)),
        ("report", page.report_tab._write, _reporting(page, report)),
        ("apply", page.apply_tab._cancel, _applying(page, ApplyState(view))),
    ):
        page.show_tab(tab)
        (begin, first), *others = states
        begin(first)
        button.setFocus(Qt.FocusReason.TabFocusReason)
        assert button.hasFocus(), tab
        for show, state in others:
            show(state)
            assert is_harmless(settled(qtbot)), tab


def _writing(page, idle, done):
    return [(page.set_state, s) for s in (idle, replace(idle, writing=True), done)]


def _reporting(page, report):
    return [(page.set_report_state, s) for s in (report, replace(report, progress=(0, 9)), report)]


def _applying(page, opened):
    busy = replace(opened, progress=("Reading", 0, 9))
    return [(page.apply_tab.set_state, s) for s in (busy, opened)]


def test_what_removes_overwrites_or_starts_over_is_marked(qtbot, filled):
    """Found by its words, so that a new button cannot be forgotten."""
    filled.pages.train.runs.set_runs((RunRow(0, "", None, 4, "quick", None, None, "not_shown", "stopped"),))
    for page in PAGES:
        filled.window.show_page(page)
        for control in filled.window.findChildren(QAbstractButton):
            words = f"{control.text()} {control.defaultAction().text() if _has_action(control) else ''}"
            leads = isinstance(control, RailButton) or words.startswith("Go to ")
            if ENDS_OR_REPLACES.search(words) and not leads:
                assert is_destructive(control), words


def _has_action(control) -> bool:
    return isinstance(control, QToolButton) and control.defaultAction() is not None


def test_the_home_of_every_page_does_no_harm(qtbot, filled):
    for page in PAGES:
        filled.window.show_page(page)
        assert is_harmless(settled(qtbot)), page
        filled.window.go_home()
        assert is_harmless(settled(qtbot)), page
