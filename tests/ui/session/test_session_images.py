"""Facts about what a session reads again after a change."""

from __future__ import annotations

import pytest

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.project_values import NewImage
from clipsvd_app.domain.view import Crop, Window
from clipsvd_app.project.changes import AddImages, RemoveImages, SetLabels, SetMarks, SetView, Together
from clipsvd_app.project.class_changes import AddClass, RemoveClass
from clipsvd_app.ui.session.session import Session

pytestmark = pytest.mark.gui


def new_image(number: int) -> NewImage:
    patient = f"p{number % 3}"
    return NewImage(
        patient, f"st{patient}", f"se{number}", f"{number:064x}", f"{number}.png", 0, "US", "", 64, 64, 0.0
    )


@pytest.fixture
def session(qapp, tmp_path):
    made = Session()
    assert made.new_project(tmp_path / "study.clipsvd")
    made.do(AddClass(class_from_name("cyst")))
    made.do(AddClass(class_from_name("mass")))
    made.do(AddImages(tuple(map(new_image, range(9)))))
    yield made
    made.close()


def changes(session):
    """One of every kind, some in one step."""
    first, second = (known.id for known in session.classes())
    ids = [image.id for image in session.images()]
    return (
        SetLabels({ids[0]: first, ids[3]: second}),
        SetMarks({ids[1]: "uncertain", ids[0]: "excluded"}),
        SetView(ids[2], Window(10.0, 20.0), Crop(0.0, 0.0, 0.5, 0.5)),
        Together((SetLabels({ids[1]: second}), SetMarks({ids[5]: "excluded"})), "both"),
        Together((SetLabels({ids[4]: second}), RemoveImages((ids[6],))), "both"),
        AddImages((new_image(20),)),
        RemoveClass(second, first),
        RemoveImages((ids[0], ids[1])),
    )


def test_after_every_change_and_its_undo_the_session_has_what_the_project_has(session):
    for change in changes(session):
        assert session.do(change)
        assert session.images() == session.project.images()
    while session.undo_stack.canUndo():
        session.undo_stack.undo()
        assert session.images() == session.project.images()
    session.undo_stack.setIndex(session.undo_stack.count())  # many steps, told of by one signal
    assert session.images() == session.project.images()


def test_steps_that_nobody_read_between_are_all_read_afterwards(session):
    *plain, _, _, _, _ = changes(session)
    session.images()
    for change in plain:
        assert session.do(change)
    assert session.images() == session.project.images()


def test_a_label_reads_its_own_image_again_and_no_other(session):
    before = session.images()
    session.do(SetLabels({before[2].id: session.classes()[0].id}))
    after = session.images()
    assert [one is other for one, other in zip(before, after, strict=True)] == [at != 2 for at in range(9)]


def test_what_was_changed_by_another_way_is_read_whole(session):
    ids = [image.id for image in session.images()]
    session.project.apply(SetLabels({ids[7]: session.classes()[1].id}))
    session.announce_change()
    assert session.images() == session.project.images()
