"""What is dropped on the window reaches the series that are there, and every step can be undone."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget
from support.films import ct_slices, film

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.project import create_project
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.services.labels.labels import set_labels
from clipsvd_app.services.studies.patient_rules import FIRST_PART
from clipsvd_app.ui.importer import patient_question
from clipsvd_app.ui.importer.controller import ImportController
from clipsvd_app.ui.importer.patient_question import GroupingController
from clipsvd_app.ui.importer.rule_change import CHANGE_PATIENTS
from clipsvd_app.ui.session.session import Session

pytestmark = pytest.mark.gui


class NoEngine(QObject):
    """An engine that is never asked."""

    ready, lost = Signal(object), Signal()

    def close(self) -> None:
        """Nothing runs."""


@pytest.fixture
def bench(qtbot, tmp_path):
    session, parent = Session(NoEngine()), QWidget()
    qtbot.addWidget(parent)
    session.new_project(tmp_path / "p.clipsvd")
    grouping = GroupingController(parent, session)
    importing = ImportController(session, grouping)
    notices = []
    session.notice.connect(notices.append)

    def drop(*paths, on=None):
        notices.clear()
        importing.take([str(path) for path in paths], on)
        qtbot.waitUntil(lambda: bool(notices) and not importing.busy)

    yield SimpleNamespace(session=session, drop=drop, notices=notices, grouping=grouping, importing=importing)
    session.close()


@pytest.fixture
def picture_files(tmp_path):
    def write(*names: str):
        for name in names:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            coarse = np.random.default_rng(sum(map(ord, name))).integers(0, 256, (9, 8), dtype=np.uint8)
            Image.fromarray(coarse).resize((96, 108)).save(tmp_path / name)
        return [tmp_path / name for name in names]

    return write


def codes(bench):
    return [flag.code for flags in bench.session.series_flags().values() for flag in flags]


def test_a_segmentation_dropped_alone_flags_its_series_and_undo_takes_that_back(bench, tmp_path):
    bench.drop(*ct_slices(tmp_path / "ct", [0, 1, 2]))
    assert codes(bench) == []
    bench.drop(*ct_slices(tmp_path / "seg", [0], Modality="SEG"))
    assert codes(bench) == ["unsupported_object"]
    assert len(bench.session.images()) == 3
    bench.session.undo_stack.undo()
    assert codes(bench) == []
    bench.session.undo_stack.redo()
    assert codes(bench) == ["unsupported_object"]


def test_what_is_known_already_leaves_nothing_to_undo(bench, tmp_path):
    slices = ct_slices(tmp_path / "ct", [0, 1, 3])
    bench.drop(*slices)
    steps = bench.session.undo_stack.count()
    bench.drop(*slices)
    assert (codes(bench), bench.session.undo_stack.count()) == (["missing_slices"], steps)


def test_images_dropped_together_with_a_project_are_added_to_it(bench, tmp_path):
    create_project(tmp_path / "other.clipsvd").close()
    bench.drop(tmp_path / "other.clipsvd", film(tmp_path / "a.dcm", "A", 1), tmp_path / "gone.dcm")
    assert bench.session.project.path.name == "other.clipsvd"
    assert len(bench.session.images()) == 1
    assert "gone.dcm" in bench.notices[-1].remedy


def test_of_several_projects_one_is_opened_and_the_others_are_named(bench, tmp_path):
    for name in ("one", "two"):
        create_project(tmp_path / f"{name}.clipsvd").close()
    bench.drop(tmp_path / "one.clipsvd", tmp_path / "two.clipsvd")
    assert bench.session.project.path.name == "one.clipsvd"
    assert bench.notices[-1].message == "Only one.clipsvd was opened, not two.clipsvd."


def test_images_beside_a_project_that_does_not_open_are_added_nowhere(bench, tmp_path):
    (tmp_path / "torn.clipsvd").write_bytes(b"no project")
    bench.drop(tmp_path / "torn.clipsvd", film(tmp_path / "a.dcm", "A", 1))
    assert (bench.session.project.path.name, bench.session.images()) == ("p.clipsvd", ())
    assert bench.notices[-1].kind == "error"


def test_known_and_new_files_dropped_on_a_class_are_labelled_in_one_step(bench, tmp_path):
    bench.session.do(AddClass(class_from_name("benign")))
    (benign,) = bench.session.classes()
    known, new = film(tmp_path / "a.dcm", "A", 1), film(tmp_path / "b.dcm", "B", 2)
    bench.drop(known)
    bench.drop(known, on=benign.id)
    assert [image.class_id for image in bench.session.images()] == [benign.id]
    assert bench.notices[-1].message.startswith("1 image labelled “benign”.")
    bench.session.undo_stack.undo()
    bench.drop(known, new, on=benign.id)
    assert [image.class_id for image in bench.session.images()] == [benign.id] * 2
    assert bench.notices[-1].message.startswith("2 images labelled “benign”. 1 image of 1 patient added")
    bench.session.undo_stack.undo()
    assert [image.class_id for image in bench.session.images()] == [None]


def test_what_is_left_out_is_counted_in_the_notice(bench, tmp_path):
    (tmp_path / "in").mkdir()
    film(tmp_path / "in" / "a.dcm", "A", 1)
    (tmp_path / "in" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "in" / "Thumbs.db").write_bytes(b"x")
    bench.drop(tmp_path / "in")
    assert bench.notices[-1].message == "1 image of 1 patient added, 2 left out."
    assert "Left out: 2 system files." in bench.notices[-1].remedy


def test_one_film_under_two_patients_is_said_in_the_notice(bench, tmp_path):
    bench.drop(film(tmp_path / "a.dcm", "A", 1), film(tmp_path / "b.dcm", "B", 1))
    assert "same content as an image of another patient" in bench.notices[-1].remedy


def patients(bench) -> list[int]:
    """Return the patient of each image, numbered as they come."""
    numbers = [image.patient_number for image in bench.session.images()]
    return [1 + list(dict.fromkeys(numbers)).index(number) for number in numbers]


@pytest.fixture
def ruled(bench, qtbot, picture_files):
    """A project whose patients were told apart by the first part of the name, and three more files."""
    bench.session.project.set_setting("patient_rule", f"regex:{FIRST_PART}")
    bench.session.do(AddClass(class_from_name("benign")))
    bench.drop(*picture_files("scan_1.png", "scan_2.png", "scan_3.png"), on=bench.session.classes()[0].id)
    return bench


def test_a_rule_that_is_used_again_is_said_with_a_way_to_change_it(ruled):
    (told,) = ruled.notices
    assert "3 images of 1 patient added" in told.message
    assert "up to “_”" in told.remedy
    assert "as before: 3 images, 1 patient." in told.remedy
    assert (told.action, patients(ruled)) == (CHANGE_PATIENTS, [1, 1, 1])


def test_patients_are_told_apart_anew_and_undo_takes_that_back(ruled, qtbot):
    before = ruled.session.images()
    ruled.importing.regrouping.change()
    dialog = ruled.grouping.dialog
    dialog.patients.pattern.setText(r"_(\d)")
    qtbot.waitUntil(lambda: dialog.patients.groups.topLevelItemCount() == 3)
    assert dialog.add.text() == "Group 3 files"
    ruled.notices.clear()
    dialog.add.click()
    qtbot.waitUntil(lambda: bool(ruled.notices) and not ruled.importing.busy)
    assert patients(ruled) == [1, 2, 3]
    assert ruled.notices[-1].message.startswith("3 images are now assigned to 3 patients")
    assert [image.class_id for image in ruled.session.images()] == [image.class_id for image in before]
    assert ruled.session.project.setting("patient_rule") == r"regex:_(\d)"
    ruled.session.undo_stack.undo()
    assert ruled.session.images() == before
    ruled.session.undo_stack.redo()
    assert patients(ruled) == [1, 2, 3]


def test_who_does_not_choose_another_rule_is_offered_it_still(ruled):
    (told,) = ruled.notices
    ruled.importing.regrouping.change()
    ruled.grouping.dialog.reject()
    assert ruled.notices == [told, told]


def test_images_that_were_there_before_stay_with_their_patients(ruled, qtbot, picture_files):
    ruled.drop(*picture_files("next/other_1.png", "next/other_2.png"))
    ruled.importing.regrouping.change()
    dialog = ruled.grouping.dialog
    assert dialog.add.text() == "Group 2 files"
    dialog.patients.choices._choose("folder")
    dialog.patients.pattern.setText(r"^(.*)\.")
    dialog.patients.choices._choose("regex")
    ruled.notices.clear()
    dialog.add.click()
    qtbot.waitUntil(lambda: bool(ruled.notices) and not ruled.importing.busy)
    assert sorted(patients(ruled)) == [1, 1, 1, 2, 3]


def test_a_way_to_change_patients_ends_with_the_images(ruled):
    ruled.session.undo_stack.undo()
    ruled.importing.regrouping.change()
    assert ruled.grouping.dialog is None
    assert ruled.notices[-1].message == "These images are no longer in the project."


def test_who_is_asked_is_not_told_that_a_rule_was_used_again(bench, picture_files, qtbot):
    bench.importing.take([str(path) for path in picture_files("a.png", "b.png")])
    qtbot.waitUntil(lambda: bench.grouping.dialog is not None)
    bench.grouping.dialog.add.click()
    qtbot.waitUntil(lambda: bool(bench.notices) and not bench.importing.busy)
    assert bench.notices[-1].action == ""


def test_the_window_writes_nothing_of_an_import_itself(bench, tmp_path, monkeypatch):
    project, writers = bench.session.project, []
    apply = project.apply
    monkeypatch.setattr(
        project, "apply", lambda change: (writers.append(threading.current_thread()), apply(change))[1]
    )
    bench.drop(*ct_slices(tmp_path / "ct", [0, 1, 2]))
    assert len(bench.session.images()) == 3
    assert writers
    assert threading.main_thread() not in writers


def test_patients_of_very_many_files_are_shown_when_they_are_found_and_of_the_last_rule_alone(
    bench, picture_files, qtbot, monkeypatch
):
    monkeypatch.setattr(patient_question, "FILES_AT_ONCE", 1)
    names = picture_files("scan_1.png", "scan_2.png", "scan_3.png")
    bench.importing.take([str(name) for name in names])
    qtbot.waitUntil(lambda: bench.grouping.dialog is not None)
    dialog = bench.grouping.dialog
    dialog.patients.choices._choose("folder")
    dialog.patients.pattern.setText(r"_(\d)")
    dialog.patients.choices._choose("regex")
    qtbot.waitUntil(lambda: dialog.patients.groups.topLevelItemCount() == 3)
    dialog.add.click()
    qtbot.waitUntil(lambda: not bench.importing.busy)
    assert patients(bench) == [1, 2, 3]


def test_a_label_given_while_images_are_added_is_kept_and_both_are_undone_in_turn(
    bench, tmp_path, monkeypatch, qtbot
):
    bench.drop(film(tmp_path / "a.dcm", "A", 1))
    session = bench.session
    session.do(AddClass(class_from_name("one")))
    (first,), (known,) = session.images(), session.classes()
    read, may_go_on = threading.Event(), threading.Event()
    images = session.project.images

    def late(ids=None):
        found = images(ids)
        here = threading.current_thread() is threading.main_thread()
        if not here and len(found) == 2:  # written already: what is read now lacks the label that comes next
            read.set()
            may_go_on.wait(10)
        return found

    monkeypatch.setattr(session.project, "images", late)
    bench.importing.take([str(film(tmp_path / "b.dcm", "B", 2))])
    qtbot.waitUntil(read.is_set)
    session.do(set_labels([first.id], known.id, known.name))
    may_go_on.set()
    qtbot.waitUntil(lambda: not bench.importing.busy)
    assert [image.class_id for image in session.images()] == [known.id, None]
    session.undo_stack.undo()
    assert [image.class_id for image in session.images()] == [known.id]
    session.undo_stack.undo()
    assert [image.class_id for image in session.images()] == [None]
