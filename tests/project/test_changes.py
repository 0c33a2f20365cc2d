from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clipsvd_app.domain.classes import ClassSpec, class_from_name
from clipsvd_app.domain.measures import Measure
from clipsvd_app.domain.project_values import NewImage, SeriesFlag
from clipsvd_app.domain.view import Crop, Window
from clipsvd_app.errors import UserError
from clipsvd_app.project import create_project
from clipsvd_app.project.changes import (
    AddImages,
    Change,
    RemoveImages,
    SetLabels,
    SetMarks,
    SetPaths,
    SetSeriesFlags,
    SetView,
    Together,
)
from clipsvd_app.project.class_changes import AddClass, ChangeClass, MoveClass, RemoveClass
from clipsvd_app.project.measure_changes import SetMeasures
from clipsvd_app.project.patient_changes import Regroup
from clipsvd_app.project.reading_changes import SetReadings, Settle
from clipsvd_app.project.table_changes import LabelByName


class UndoMachine(RuleBasedStateMachine):
    """Random work with undo and redo: every state comes back exactly."""

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.project = create_project(Path(self.folder.name) / "machine")
        self.done: list[tuple[object, Change]] = []
        self.undone: list[tuple[object, Change]] = []
        self.count = 0

    def teardown(self) -> None:
        if hasattr(self, "project"):
            self.project.close()
            self.folder.cleanup()

    def state(self) -> object:
        project = self.project
        drawn = project.measures()
        return project.images(), project.classes(), project.readings(), project.series_flags(), drawn

    def do(self, change: Change) -> None:
        before = self.state()
        try:
            inverse = self.project.apply(change)
        except UserError:
            assert self.state() == before
            return
        self.done.append((before, inverse))
        self.undone.clear()

    @rule(series=st.integers(0, 3), codes=st.sets(st.sampled_from(["missing_slices", "mixed_size"])))
    def flag_series(self, series: int, codes: set[str]) -> None:
        flags = tuple(SeriesFlag(code, "Something is irregular.", 1) for code in sorted(codes))
        self.do(SetSeriesFlags({f"se{series}": flags}))

    @rule(patients=st.lists(st.integers(0, 3), min_size=1, max_size=4))
    def add_images(self, patients: list[int]) -> None:
        images = []
        for patient in patients:
            self.count += 1
            images.append(
                NewImage(
                    f"p{patient}",
                    f"st{patient}",
                    f"se{patient}",
                    f"sha{self.count}",
                    "/x",
                    0,
                    "DX",
                    "",
                    1,
                    1,
                    0.0,
                )
            )
        self.do(AddImages(tuple(images)))

    @precondition(lambda self: hasattr(self, "project") and self.project.images())
    @rule(data=st.data(), patient=st.integers(0, 4))
    def regroup(self, data, patient: int) -> None:
        chosen = data.draw(st.sets(st.sampled_from([i.sha256 for i in self.project.images()]), min_size=1))
        groups = f"p{patient}", f"st{patient}", f"se{patient}"
        self.do(
            Regroup(tuple(NewImage(*groups, sha, "/x", 0, "DX", "", 1, 1, 2.0) for sha in sorted(chosen)))
        )

    @rule(name=st.sampled_from(["a", "b", "c", "A"]))
    def add_class(self, name: str) -> None:
        self.do(AddClass(class_from_name(name)))

    @precondition(lambda self: hasattr(self, "project") and self.project.classes())
    @rule(data=st.data(), name=st.sampled_from(["a", "d", "e"]))
    def change_class(self, data, name: str) -> None:
        chosen = data.draw(st.sampled_from(self.project.classes()))
        self.do(ChangeClass(chosen.id, ClassSpec(name, ("one prompt",))))

    @precondition(lambda self: hasattr(self, "project") and self.project.classes())
    @rule(data=st.data())
    def remove_class(self, data) -> None:
        ids = [known.id for known in self.project.classes()]
        self.do(RemoveClass(data.draw(st.sampled_from(ids)), data.draw(st.none() | st.sampled_from(ids))))

    @precondition(lambda self: hasattr(self, "project") and self.project.classes())
    @rule(data=st.data(), place=st.integers(0, 3))
    def move_class(self, data, place: int) -> None:
        self.do(MoveClass(data.draw(st.sampled_from(self.project.classes())).id, place))

    @precondition(lambda self: hasattr(self, "project") and self.project.images())
    @rule(data=st.data())
    def remove_images(self, data) -> None:
        ids = [image.id for image in self.project.images()]
        self.do(RemoveImages(tuple(data.draw(st.sets(st.sampled_from(ids), min_size=1)))))

    @precondition(lambda self: hasattr(self, "project") and self.project.images() and self.project.classes())
    @rule(data=st.data())
    def label(self, data) -> None:
        ids = [image.id for image in self.project.images()]
        classes = [known.id for known in self.project.classes()]
        labels = data.draw(
            st.dictionaries(st.sampled_from(ids), st.none() | st.sampled_from(classes), min_size=1)
        )
        self.do(SetLabels(labels))

    @precondition(lambda self: hasattr(self, "project") and self.project.images())
    @rule(data=st.data(), name=st.sampled_from(["a", "B", "f"]))
    def label_by_name(self, data, name: str) -> None:
        image = data.draw(st.sampled_from(self.project.images()))
        self.do(LabelByName({image.id: name}, {image.id: "uncertain"}, {"B": {image.id: "e"}}))

    @precondition(lambda self: hasattr(self, "project") and self.project.images())
    @rule(data=st.data(), mark=st.sampled_from(["", "uncertain", "excluded"]))
    def mark(self, data, mark) -> None:
        image = data.draw(st.sampled_from(self.project.images()))
        self.do(SetMarks({image.id: mark}))

    @precondition(lambda self: hasattr(self, "project") and self.project.images())
    @rule(data=st.data(), name=st.sampled_from(["/a", "/b"]))
    def move_file(self, data, name: str) -> None:
        self.do(SetPaths({data.draw(st.sampled_from(self.project.images())).id: name}))

    @precondition(lambda self: hasattr(self, "project") and self.project.images() and self.project.classes())
    @rule(data=st.data(), reader=st.sampled_from(["B", "C"]))
    def read(self, data, reader: str) -> None:
        image = data.draw(st.sampled_from(self.project.images()))
        ids = [known.id for known in self.project.classes()]
        self.do(SetReadings(reader, {image.id: data.draw(st.none() | st.sampled_from(ids))}))

    @precondition(lambda self: hasattr(self, "project") and self.project.readings())
    @rule(data=st.data())
    def settle(self, data) -> None:
        reading = data.draw(st.sampled_from(self.project.readings()))
        chosen = data.draw(st.sampled_from(self.project.classes()))
        self.do(Settle(reading.image_id, reading.reader, chosen.id))

    @precondition(lambda self: hasattr(self, "project") and self.project.images())
    @rule(data=st.data(), centre=st.floats(-100, 100))
    def set_view(self, data, centre: float) -> None:
        image = data.draw(st.sampled_from(self.project.images()))
        view = SetView(image.id, Window(centre, 10.0), None)
        self.do(Together((view, SetView(image.id, None, Crop(0.0, 0.0, 0.5, 0.5))), "set twice"))

    @precondition(lambda self: hasattr(self, "project") and self.project.images())
    @rule(data=st.data(), ends=st.lists(st.floats(-9, 99), max_size=3))
    def measure(self, data, ends: list[float]) -> None:
        image = data.draw(st.sampled_from(self.project.images()))
        lines = tuple(Measure("distance", ((0.5, 0.5), (end, 2 * end))) for end in ends)
        self.do(SetMeasures(image.id, lines))

    @precondition(lambda self: getattr(self, "done", None))
    @rule()
    def undo(self) -> None:
        before, inverse = self.done.pop()
        after = self.state()
        redo = self.project.apply(inverse)
        assert self.state() == before
        self.undone.append((after, redo))

    @precondition(lambda self: getattr(self, "undone", None))
    @rule()
    def redo(self) -> None:
        after, change = self.undone.pop()
        before = self.state()
        self.done.append((before, self.project.apply(change)))
        assert self.state() == after

    @invariant()
    def labels_point_at_classes(self) -> None:
        if hasattr(self, "project"):
            known = {entry.id for entry in self.project.classes()}
            assert all(image.class_id is None or image.class_id in known for image in self.project.images())


UndoMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
TestUndo = UndoMachine.TestCase


def test_every_label_is_kept_in_the_log_even_after_undo(tmp_path) -> None:
    with create_project(tmp_path / "log") as project:
        project.apply(AddImages((NewImage("p", "s", "e", "sha", "/x", 0, "US", "", 1, 1, 0.0),)))
        project.apply(AddClass(class_from_name("cyst")))
        (image,), (known,) = project.images(), project.classes()
        inverse = project.apply(SetLabels({image.id: known.id}))
        project.apply(inverse)
        assert [(entry.image_id, entry.class_name) for entry in project.label_log()] == [
            (image.id, "cyst"),
            (image.id, None),
        ]


def fill(project) -> tuple[list[int], dict[str, int]]:
    """Two images and the classes a, b and c."""
    project.apply(
        AddImages(
            tuple(NewImage("p", "s", "e", f"sha{n}", "/x", 0, "US", "", 1, 1, float(n)) for n in (0, 1))
        )
    )
    for name in "abc":
        project.apply(AddClass(class_from_name(name)))
    return [image.id for image in project.images()], {known.name: known.id for known in project.classes()}


def test_a_merged_class_gives_its_labels_and_readings_to_the_other(tmp_path) -> None:
    with create_project(tmp_path / "merge") as project:
        (one, other), ids = fill(project)
        project.apply(SetLabels({one: ids["a"], other: ids["b"]}))
        project.apply(SetReadings("B", {one: ids["a"]}))
        inverse = project.apply(RemoveClass(ids["a"], ids["b"]))
        assert {image.class_id for image in project.images()} == {ids["b"]}
        assert [reading.class_id for reading in project.readings()] == [ids["b"]]
        project.apply(inverse)
        assert [image.class_id for image in project.images()] == [ids["a"], ids["b"]]
        assert [reading.class_id for reading in project.readings()] == [ids["a"]]


def test_classes_are_put_in_another_order_and_back(tmp_path) -> None:
    with create_project(tmp_path / "order") as project:
        _images, ids = fill(project)
        inverse = project.apply(MoveClass(ids["c"], 0))
        assert [known.name for known in project.classes()] == ["c", "a", "b"]
        project.apply(inverse)
        assert [known.name for known in project.classes()] == ["a", "b", "c"]


def test_a_class_takes_the_mark_away_and_undo_brings_it_back(tmp_path) -> None:
    with create_project(tmp_path / "mark") as project:
        (one, _), ids = fill(project)
        project.apply(SetLabels({one: ids["a"]}))
        project.apply(SetMarks({one: "uncertain"}))
        assert [project.images()[0].class_id, project.images()[0].example_of] == [ids["a"], None]
        inverse = project.apply(SetLabels({one: ids["b"]}))
        assert project.images()[0].example_of == ids["b"]
        project.apply(inverse)
        assert (project.images()[0].mark, project.images()[0].class_id) == ("uncertain", ids["a"])


def test_taking_a_label_away_keeps_the_mark_and_so_does_its_undo(tmp_path) -> None:
    with create_project(tmp_path / "mark") as project:
        (one, _), ids = fill(project)
        project.apply(SetLabels({one: ids["a"]}))
        project.apply(SetMarks({one: "uncertain"}))
        inverse = project.apply(SetLabels({one: None}))
        assert (project.images()[0].mark, project.images()[0].class_id) == ("uncertain", None)
        again = project.apply(inverse)
        assert (project.images()[0].mark, project.images()[0].class_id) == ("uncertain", ids["a"])
        project.apply(again)
        assert (project.images()[0].mark, project.images()[0].class_id) == ("uncertain", None)


def test_settling_keeps_what_the_first_reader_had_said(tmp_path) -> None:
    with create_project(tmp_path / "settle") as project:
        (one, other), ids = fill(project)
        project.apply(SetLabels({one: ids["a"]}))
        project.apply(SetReadings("B", {one: ids["b"], other: ids["b"]}))
        project.apply(Settle(one, "B", ids["b"]))
        assert project.images()[0].class_id == ids["b"]
        assert [reading.settled_class_id for reading in project.readings()] == [ids["a"], None]
        with pytest.raises(UserError, match="not been read by both readers"):
            project.apply(Settle(other, "B", ids["b"]))


def test_the_log_says_which_reader_it_was(tmp_path) -> None:
    with create_project(tmp_path / "who") as project:
        (one, _), ids = fill(project)
        project.apply(SetLabels({one: ids["a"]}))
        project.apply(SetReadings("B", {one: ids["b"]}))
        project.apply(SetMarks({one: "excluded"}))
        log = [(event.class_name, event.reader, event.mark) for event in project.label_log()]
        assert log == [("a", "", ""), ("b", "B", ""), ("a", "", "excluded")]
