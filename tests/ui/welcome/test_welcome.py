"""The window without a project: what is dropped becomes one, and recent ones are shown at a glance."""

from __future__ import annotations

import datetime as dt
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from clipsvd_app.project import create_project, open_project
from clipsvd_app.services.labels.labels import label_from_folders
from clipsvd_app.services.projects.new_project import Place
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.settings import Settings, load_settings, save_settings
from clipsvd_app.ui.app import Studio
from clipsvd_app.ui.pages import Pages

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gui
CLASSES = {"benign": 3, "malignant": 2, "normal": 2}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    for place, (name, count) in enumerate(CLASSES.items()):
        (tmp_path / "BUSI" / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.random.default_rng(10 * place + number).integers(0, 256, (6, 6), dtype=np.uint8)
            picture = Image.fromarray(pixels).resize((48, 48), Image.Resampling.BICUBIC)
            picture.save(tmp_path / "BUSI" / name / f"{name} ({number}).png")
    (tmp_path / "BUSI" / "benign" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    return tmp_path / "BUSI"


@pytest.fixture
def start(qtbot, qapp, tmp_path):
    """Open the window; projects are suggested beside the images."""
    studios = []

    def begin() -> Studio:
        made = Studio(qapp)
        qtbot.addWidget(made.window)
        made.window.show()
        made.pages = Pages(made.session, made.window, made.theme)
        made.pages.welcoming._folders = lambda: (tmp_path / "projects",)
        studios.append(made)
        return made

    (tmp_path / "projects").mkdir()
    yield begin
    for made in studios:
        made.window.close()


def form(studio: Studio):
    return studio.pages.label.new_project


def until_form(qtbot, studio: Studio):
    qtbot.waitUntil(lambda: form(studio).make.isVisible(), timeout=20_000)
    return form(studio)


def labels(studio: Studio) -> dict[str, int]:
    names = {known.id: known.name for known in studio.session.classes()}
    found = [names[image.class_id] for image in studio.session.images() if image.class_id is not None]
    return {name: found.count(name) for name in dict.fromkeys(found)}


def test_a_dropped_folder_becomes_a_labelled_project(qtbot, start, dataset, tmp_path, drop_files):
    studio = start()
    drop_files(studio.window, dataset)
    page = until_form(qtbot, studio)
    assert page.make.text() == "Create project from 7 images"
    assert page.name.text() == "BUSI"
    assert page.classes.use.isChecked()
    assert "torn.png" in page.left_out.findChildren(type(page.folder))[1].text()
    qtbot.mouseClick(page.make, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: studio.session.project is not None, timeout=20_000)
    assert studio.session.project.path == tmp_path / "projects" / "BUSI.clipsvd"
    assert labels(studio) == CLASSES
    assert studio.window.current_page == "label"
    assert studio.pages.label.strip.filled
    assert studio.session.undo_stack.count() == 1
    studio.session.undo_stack.undo()
    assert (studio.session.images(), studio.session.classes()) == ((), ())
    studio.session.undo_stack.redo()
    assert labels(studio) == CLASSES


def test_the_whole_page_is_done_with_keys(qtbot, start, dataset, drop_files):
    studio = start()
    drop_files(studio.window, dataset)
    page = until_form(qtbot, studio)
    assert studio.window.focusWidget() is page.name
    qtbot.keyClicks(page.name, "Breast")
    qtbot.keyClick(page.name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: studio.session.project is not None, timeout=20_000)
    assert studio.session.project.path.stem == "Breast"


def test_without_the_tick_nothing_is_labelled(qtbot, start, dataset, drop_files):
    studio = start()
    drop_files(studio.window, dataset)
    page = until_form(qtbot, studio)
    page.classes.use.setChecked(False)
    page.classes.folders.topLevelItem(0).setCheckState(0, Qt.CheckState.Unchecked)
    assert page.make.text() == "Create project from 4 images"
    page.make.click()
    qtbot.waitUntil(lambda: studio.session.project is not None, timeout=20_000)
    assert (len(studio.session.images()), labels(studio), studio.session.classes()) == (4, {}, ())


def test_cancelling_leaves_nothing_and_goes_back(qtbot, start, dataset, tmp_path, drop_files):
    studio = start()
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for file in dataset.rglob("*.png"):
            archive.write(file, file.relative_to(dataset))
    before = sorted(tmp_path.rglob("*"))
    drop_files(studio.window, tmp_path / "set.zip")
    page = until_form(qtbot, studio)
    unpacked = studio.pages.welcoming._dropped.read.found[0].path
    assert unpacked.is_file()
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert studio.pages.label.welcome.isVisible()
    assert not unpacked.exists()
    assert sorted(tmp_path.rglob("*")) == before
    drop_files(studio.window, tmp_path / "set.zip")
    page = until_form(qtbot, studio)
    page.make.click()
    qtbot.waitUntil(lambda: studio.session.project is not None, timeout=20_000)
    own = studio.session.project.images_folder
    assert all(own.as_posix() in image.path.replace("\\", "/") for image in studio.session.images())
    assert labels(studio) == CLASSES


def test_a_project_cancelled_while_it_is_made_goes_with_its_file(qtbot, start, dataset, tmp_path, drop_files):
    studio = start()
    drop_files(studio.window, dataset)
    until_form(qtbot, studio).make.click()
    studio.pages.welcoming.cancel()
    qtbot.waitUntil(lambda: studio.pages.label.welcome.isVisible(), timeout=20_000)
    assert studio.session.project is None
    assert list((tmp_path / "projects").iterdir()) == []


def test_an_error_is_one_sentence_and_the_button_waits(qtbot, start, dataset, tmp_path, drop_files):
    create_project(tmp_path / "projects" / "Old.clipsvd").close()
    studio = start()
    drop_files(studio.window, dataset)
    page = until_form(qtbot, studio)
    page.name.selectAll()
    qtbot.keyClicks(page.name, "Old")
    assert "already exists" in page.error.text()
    assert not page.make.isEnabled()
    studio.pages.welcoming.put_into(dataset)
    assert "contains images" in page.error.text()
    studio.pages.welcoming.put_into(tmp_path)
    assert page.make.isEnabled()
    page.patients.choices.card("csv").click()
    assert not page.make.isEnabled()


def test_nothing_to_read_is_said_and_more_can_be_dropped(qtbot, start, tmp_path, dataset, drop_files):
    studio = start()
    told = []
    studio.session.notice.connect(told.append)
    (tmp_path / "empty").mkdir()
    drop_files(studio.window, tmp_path / "empty")
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert told[-1].kind == "error"
    assert studio.pages.label.welcome.isVisible()
    drop_files(studio.window, dataset / "benign")
    until_form(qtbot, studio)
    drop_files(studio.window, dataset / "normal")
    qtbot.waitUntil(lambda: "5 images" in form(studio).make.text(), timeout=20_000)


def test_the_import_into_an_open_project_has_the_same_tick(qtbot, start, dataset, tmp_path, drop_files):
    studio = start()
    assert studio.session.new_project(tmp_path / "open.clipsvd")
    drop_files(studio.window, dataset)
    qtbot.waitUntil(lambda: studio.pages.grouping.dialog is not None, timeout=20_000)
    dialog = studio.pages.grouping.dialog
    assert dialog.classes.use.isChecked()
    dialog.add.click()
    qtbot.waitUntil(lambda: bool(studio.session.images()), timeout=20_000)
    assert labels(studio) == CLASSES
    assert studio.session.undo_stack.count() == 1
    studio.session.undo_stack.undo()
    assert (studio.session.images(), studio.session.classes()) == ((), ())


def test_recent_projects_show_what_they_hold_and_can_be_removed(qtbot, start, dataset, tmp_path):
    made = (tmp_path / "BUSI.clipsvd").resolve()
    with create_project(made) as project:
        project.apply(apply_import(project, plan_import(project, [dataset])))
        label_from_folders(project)
    save_settings(Settings().with_recent(str(made), dt.datetime.now(dt.UTC).isoformat()))
    gone = tmp_path / "gone.clipsvd"
    save_settings(load_settings().with_recent(str(gone), "2024-02-03T10:00:00+00:00"))
    again = start()
    cards = again.pages.label.welcome.recent
    qtbot.waitUntil(lambda: cards.card(str(made)).pictures.count > 0, timeout=20_000)
    assert "7 images · 3 classes" in cards.card(str(made)).text()
    assert "Opened today" in cards.card(str(made)).text()
    assert "Not found" in cards.card(str(gone)).text()
    assert not cards.card(str(gone)).button.isEnabled()
    qtbot.mouseClick(cards.card(str(gone)).forget, Qt.MouseButton.LeftButton)
    assert again.session.settings.recent_projects == (str(made),)
    qtbot.keyClick(cards.card(str(made)).button, Qt.Key.Key_Return)
    assert again.session.project is not None


def test_looking_at_a_project_that_is_open_elsewhere_neither_waits_nor_disturbs(qtbot, start, tmp_path):
    with create_project(tmp_path / "held.clipsvd") as held:
        save_settings(Settings().with_recent(str(held.path), ""))
        studio = start()
        card = studio.pages.label.welcome.recent.card(str(held.path))
        qtbot.waitUntil(lambda: "0 images" in card.text(), timeout=20_000)
        held.set_setting("a", "b")
    with open_project(tmp_path / "held.clipsvd") as project:
        assert project.setting("a") == "b"


def test_every_button_of_the_welcome_page_has_the_keyboard(qtbot, start):
    studio = start()
    buttons = [b for b in studio.pages.label.welcome.findChildren(QPushButton) if b.isVisible()]
    assert [b.text() for b in buttons][:2] == ["Choose a folder…", "Open the demo project"]
    assert all(b.focusPolicy() & Qt.FocusPolicy.TabFocus for b in buttons)


def test_a_place_is_a_file_in_its_folder(tmp_path):
    assert Place(tmp_path, " a ").path == tmp_path / "a.clipsvd"
