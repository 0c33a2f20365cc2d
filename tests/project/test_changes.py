from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clipsvd_app.domain.classes import ClassSpec, class_from_name
from clipsvd_app.domain.study import NewImage, SeriesFlag
from clipsvd_app.errors import UserError
from clipsvd_app.project import create_project
from clipsvd_app.project.changes import (
    AddClass,
    AddImages,
    Change,
    ChangeClass,
    RemoveClass,
    RemoveImages,
    SetLabels,
    SetSeriesFlags,
    SetView,
    Together,
)


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
        return self.project.images(), self.project.classes(), self.project.series_flags()

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
        self.do(RemoveClass(data.draw(st.sampled_from(self.project.classes())).id))

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
    @rule(data=st.data(), centre=st.floats(-100, 100))
    def set_view(self, data, centre: float) -> None:
        image = data.draw(st.sampled_from(self.project.images()))
        view = SetView(image.id, (centre, 10.0, "LINEAR"), None)
        self.do(Together((view, SetView(image.id, None, (0.0, 0.0, 0.5, 0.5))), "set twice"))

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
        assert [(entry[0], entry[1]) for entry in project.label_log()] == [
            (image.id, "cyst"),
            (image.id, None),
        ]
