"""Labelling in the whole window without an engine: keys, classes, readers, files and tables."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.services.studies.patient_rules import PatientRule
from clipsvd_app.ui.app import Studio
from clipsvd_app.ui.importer.patient_dialog import GroupingDialog
from clipsvd_app.ui.label import controller
from clipsvd_app.ui.pages import Pages
from clipsvd_app.ui.session.image_cache import Pictures

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.gui
IMAGES = 4
KEYS = Qt.Key


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for number in range(IMAGES):
        pixels = np.random.default_rng(number).integers(0, 256, (6, 6), dtype=np.uint8)
        coarse = Image.fromarray(pixels).resize((48, 48), Image.Resampling.BICUBIC)
        coarse.save(tmp_path / "in" / f"{number // 2}_{number}.png")
    return tmp_path / "in"


@pytest.fixture
def studio(qtbot, qapp, tmp_path: Path):
    made = Studio(qapp)
    qtbot.addWidget(made.window)
    made.window.show()
    made.pages = Pages(made.session, made.window, made.theme)
    assert made.session.new_project(tmp_path / "job.clipsvd")
    yield made
    made.window.close()


@pytest.fixture
def filled(studio, pictures: Path):
    session = studio.session
    session.do(apply_import(session.project, plan_import(session.project, [pictures], PatientRule("folder"))))
    for name in ("cyst", "mass"):
        session.do(AddClass(class_from_name(name)))
    return studio


def ids(studio) -> list[int]:
    return [image.id for image in studio.session.project.images()]


def labels(studio) -> list[str]:
    """What the project itself holds, marks in brackets."""
    names = {known.id: known.name for known in studio.session.project.classes()}
    return [
        names.get(image.class_id, "") + (f"[{image.mark}]" if image.mark else "")
        for image in studio.session.project.images()
    ]


def press(qtbot, studio, image_ids, *keys) -> None:
    strip = studio.pages.label.strip
    for key in keys:
        strip.select(image_ids)
        qtbot.keyClick(strip.view, key)


def test_everything_of_labelling_has_its_key(qtbot, filled):
    one, two, three, four = ids(filled)
    press(qtbot, filled, (one, two), KEYS.Key_1)
    press(qtbot, filled, (three,), KEYS.Key_2, KEYS.Key_U)
    press(qtbot, filled, (four,), KEYS.Key_X)
    assert labels(filled) == ["cyst", "cyst", "mass[uncertain]", "[excluded]"]
    press(qtbot, filled, (three,), KEYS.Key_U)
    press(qtbot, filled, (four,), KEYS.Key_2)
    press(qtbot, filled, (one,), KEYS.Key_Delete)
    assert labels(filled) == ["", "cyst", "mass", "mass"]
    for _ in range(7):
        filled.window._actions["edit.undo"].trigger()
    assert labels(filled) == ["", "", "", ""]


def test_classes_are_moved_and_merged_without_losing_a_label(qtbot, filled):
    one, two, *_ = ids(filled)
    press(qtbot, filled, (one,), KEYS.Key_1)
    press(qtbot, filled, (two,), KEYS.Key_2)
    bins = filled.pages.label.bins
    cyst, mass = (known.id for known in filled.session.classes())
    qtbot.keyClick(bins.bins[cyst], KEYS.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert [known.name for known in filled.session.classes()] == ["mass", "cyst"]
    press(qtbot, filled, (ids(filled)[2],), KEYS.Key_1)
    assert labels(filled) == ["cyst", "mass", "mass", ""]
    bins.merge_class.emit(mass, cyst)
    assert labels(filled) == ["cyst", "cyst", "cyst", ""]
    filled.session.undo_stack.undo()
    assert labels(filled) == ["cyst", "mass", "mass", ""]
    assert "merge “mass” into “cyst”" in filled.session.undo_stack.redoText()


def test_a_second_reader_sees_no_label_of_others_and_changes_none(qtbot, filled):
    one, two, *_ = ids(filled)
    press(qtbot, filled, (one,), KEYS.Key_1)
    press(qtbot, filled, (two,), KEYS.Key_U)
    filled.pages.reading.read(" B ")
    page = filled.pages.label
    assert page.reader_bar.isVisibleTo(filled.window)
    assert {item.label for item in page.strip.view.model().items} == {None}
    assert {item.mark for item in page.strip.view.model().items} == {""}
    press(qtbot, filled, (one,), KEYS.Key_2)
    press(qtbot, filled, (two,), KEYS.Key_X)
    assert labels(filled) == ["cyst", "[uncertain]", "", ""]
    mass = filled.session.project.class_named("mass").id
    assert [(r.reader, r.class_id) for r in filled.session.project.readings()] == [("B", mass)]
    page.bins.remove_class.emit(mass)
    assert len(filled.session.classes()) == 2
    filled.window.show_page("train")
    assert filled.session.reader == "B"
    filled.pages.reading.close()
    assert filled.session.images()[0].class_id != mass


def test_readers_are_compared_and_a_difference_is_settled_by_key(qtbot, filled):
    one, two, three, _ = ids(filled)
    press(qtbot, filled, (one, two, three), KEYS.Key_1)
    filled.pages.reading.read("B")
    press(qtbot, filled, (one,), KEYS.Key_1)
    press(qtbot, filled, (two, three), KEYS.Key_2)
    filled.pages.reading.compare("B")
    page = filled.pages.label
    assert [item.image_id for item in page.strip.view.model().items] == [two, three]
    assert page.strip.selected_ids == (two,)
    assert filled.pages.viewing.shown == two
    assert "3 images read by both · 2 differ" in page.reader_bar._sentence.text()
    qtbot.keyClick(page.strip.view, KEYS.Key_2)
    assert labels(filled) == ["cyst", "mass", "cyst", ""]
    assert page.strip.selected_ids == (three,)
    assert "1 of them settled" in page.reader_bar._sentence.text()
    filled.session.undo_stack.undo()
    assert labels(filled) == ["cyst", "cyst", "cyst", ""]


def test_pictures_without_a_patient_are_asked_about_first(qtbot, studio, pictures, drop_files):
    assert drop_files(studio.window, pictures)
    qtbot.waitUntil(lambda: studio.pages.grouping.dialog is not None, timeout=10_000)
    dialog = studio.pages.grouping.dialog
    assert dialog.patients.groups.topLevelItemCount() == IMAGES
    dialog.patients.choices.card("regex").click()
    dialog.patients.pattern.setText("(")
    qtbot.waitUntil(lambda: not dialog.add.isEnabled())
    dialog.patients.pattern.setText("^([0-9]+)_")
    qtbot.waitUntil(lambda: dialog.patients.groups.topLevelItemCount() == 2)
    assert studio.session.images() == ()
    dialog.add.click()
    qtbot.waitUntil(lambda: len(studio.session.images()) == IMAGES)
    assert len({image.patient_key for image in studio.session.images()}) == 2
    assert studio.session.project.setting("patient_rule") == "regex:^([0-9]+)_"


def test_cancelling_the_question_adds_nothing(qtbot, studio, pictures, drop_files):
    drop_files(studio.window, pictures)
    qtbot.waitUntil(lambda: studio.pages.grouping.dialog is not None, timeout=10_000)
    studio.pages.grouping.dialog.reject()
    qtbot.waitUntil(lambda: not studio.pages.importing.busy)
    assert studio.session.images() == ()


def test_moved_images_are_shown_as_such_and_found_in_one_step(qtbot, filled, pictures, tmp_path):
    told = []
    filled.session.notice.connect(told.append)
    pictures.rename(tmp_path / "elsewhere")
    assert filled.session.new_project(tmp_path / "between.clipsvd")
    assert filled.session.open_project(tmp_path / "job.clipsvd")
    qtbot.waitUntil(lambda: len(filled.pages.files.moved) == IMAGES, timeout=10_000)
    assert all(item.moved for item in filled.pages.label.strip.view.model().items)
    assert "4 of 4 images are missing" in told[-1].message
    filled.pages.files.relink(tmp_path / "elsewhere")
    qtbot.waitUntil(lambda: not filled.pages.files.moved, timeout=10_000)
    assert not any(item.moved for item in filled.pages.label.strip.view.model().items)


def test_replaced_files_are_told_and_not_shown_as_the_images(qtbot, filled, pictures, tmp_path):
    told, unreadable = [], []
    filled.session.notice.connect(told.append)
    first = filled.session.images()[0]
    shutil.copy(filled.session.images()[3].path, first.path)
    assert filled.session.new_project(tmp_path / "between.clipsvd")
    assert filled.session.open_project(tmp_path / "job.clipsvd")
    qtbot.waitUntil(lambda: filled.pages.files.replaced == {first.id}, timeout=10_000)
    assert any("1 of 4 images was replaced by" in notice.message for notice in told)
    shown = {item.image_id: item for item in filled.pages.label.strip.view.model().items}
    assert "replaced under the same name" in shown[first.id].note
    reading = Pictures(filled.session.background)
    reading.unreadable.connect(lambda image_id, _sentence: unreadable.append(image_id))
    reading.want_thumbnails(filled.session.images()[:1])
    qtbot.waitUntil(lambda: unreadable == [first.id], timeout=10_000)


def test_a_mistyped_class_of_a_table_is_shown_before_it_is_made(filled, tmp_path):
    first = filled.session.images()[0]
    (tmp_path / "t.csv").write_text(f"path,class\n{first.path},cysst\n")
    filled.pages.files.import_labels(tmp_path / "t.csv")
    dialog = filled.pages.files.dialog
    assert "“cysst” (1 image) is probably a misspelling of “cyst”" in dialog.said.text()
    assert dialog.take.text().split()[1] == "0"
    dialog.new_classes.setChecked(True)
    assert dialog.take.text().split()[1] == "1"
    dialog.accept()
    assert labels(filled)[0] == "cysst"


def test_the_folder_rule_of_the_question_has_levels(qtbot):
    dialog = GroupingDialog("folder:2")
    qtbot.addWidget(dialog)
    assert dialog.patients.rule == "folder:2"
    with qtbot.waitSignal(dialog.patients.rule_changed) as said:
        dialog.patients.levels.setValue(1)
    assert said.args == ["folder"]


def test_collected_images_no_longer_need_the_old_folder(qtbot, filled, pictures):
    filled.pages.files.collect()
    qtbot.waitUntil(
        lambda: all("job images" in image.path for image in filled.session.images()), timeout=10_000
    )
    shutil.rmtree(pictures)
    assert all(image.path for image in filled.session.images())


def test_labels_go_out_and_come_back_as_one_step(qtbot, filled, tmp_path):
    one, two, *_ = ids(filled)
    press(qtbot, filled, (one,), KEYS.Key_1)
    press(qtbot, filled, (two,), KEYS.Key_X)
    filled.pages.files.export_labels(tmp_path / "labels.csv")
    press(qtbot, filled, (one, two), KEYS.Key_2)
    filled.pages.files.import_labels(tmp_path / "labels.csv")
    assert labels(filled) == ["mass", "mass", "", ""], "nothing changes before it was seen"
    assert "had a different label" in filled.pages.files.dialog.said.text()
    filled.pages.files.dialog.accept()
    assert labels(filled) == ["cyst", "mass[excluded]", "", ""], "a line without class keeps the label"
    filled.session.undo_stack.undo()
    assert labels(filled) == ["mass", "mass", "", ""]


def test_very_many_new_images_are_shown_in_turns(studio, pictures: Path, qtbot, monkeypatch):
    monkeypatch.setattr(controller, "MANY_NEW", 0)
    session, page = studio.session, studio.pages.label
    turns = []
    for name in ("_show_work", "_show_studies", "_show_bins"):
        step = getattr(studio.pages.labelling, name)
        monkeypatch.setattr(
            studio.pages.labelling, name, lambda step=step, name=name: (turns.append(name), step())
        )
    session.do(apply_import(session.project, plan_import(session.project, [pictures], PatientRule("folder"))))
    assert turns == []
    assert page.strip.view.model().rowCount() == 0
    qtbot.waitUntil(lambda: "_show_bins" in turns)
    assert turns == ["_show_work", "_show_studies", "_show_bins"]
    assert page.strip.view.model().rowCount() == IMAGES
    assert page.tree.view.isVisible()
