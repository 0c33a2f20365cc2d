"""Facts about the viewer on a project of drawn CT series."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from support.phantom_ct import chest, write_series
from support.project_images import project_image

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.measures import Measure
from clipsvd_app.domain.results.explanation import CaseExplanation
from clipsvd_app.domain.view import Crop, Window
from clipsvd_app.errors import UserError
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.project.measure_changes import SetMeasures
from clipsvd_app.services.files.job_folders import image_input
from clipsvd_app.services.labels.labels import set_labels, set_marks
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.ui.importer.controller import outcome
from clipsvd_app.ui.label.page import LabelPage
from clipsvd_app.ui.label.studies.tree_rows import TreeRows
from clipsvd_app.ui.session.image_cache import Pictures, as_model_sees
from clipsvd_app.ui.session.session import Session
from clipsvd_app.ui.viewer.controllers.frame_states import WIDE_WINDOW
from clipsvd_app.ui.viewer.controllers.frames import ViewingController
from clipsvd_app.ui.viewer.controllers.heat_map import HeatController, seen_square
from clipsvd_app.ui.viewer.controllers.linked_stacks import LinkingController
from clipsvd_app.ui.viewer.controllers.measures import MeasuringController
from clipsvd_app.ui.viewer.controllers.planes import ReformatController
from clipsvd_app.ui.viewer.controllers.training_views import region_change
from clipsvd_app.ui.viewer.tools.geometry import Region

pytestmark = pytest.mark.gui
SIDE = 48


class NoEngine(QObject):
    """An engine that is never asked."""

    ready, lost, given_up = Signal(object), Signal(), Signal()

    def close(self) -> None:
        """Nothing runs."""


class FakeExplainer(QObject):
    """Answers when it is told to."""

    explained = Signal(int, object)

    def explain(self, run, image_id) -> None:
        self.asked = run, image_id


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """Two series of one study, and a study of somebody else."""
    root, block = tmp_path_factory.mktemp("ct"), chest(9, SIDE)
    write_series(root / "a", block, series=1)
    write_series(root / "b", block[::2], series=2, spacing_mm=(10.0, 1.4, 1.4))
    write_series(root / "c", block[:3], study=2)
    return root, block


@pytest.fixture
def bench(qtbot, theme, tmp_path, series):
    session = Session(NoEngine())
    page = LabelPage(theme)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    session.new_project(tmp_path / "p.clipsvd")
    session.do(apply_import(session.project, plan_import(session.project, [series[0]])))
    pictures = Pictures(session.background)
    viewing = ViewingController(session, page, pictures)
    reformatting = ReformatController(session, page.viewer, lambda _key: None)
    measuring = MeasuringController(session, page.viewer)
    page.show_work()
    made = SimpleNamespace(
        session=session,
        page=page,
        viewer=page.viewer,
        viewing=viewing,
        reformatting=reformatting,
        measuring=measuring,
    )
    yield made
    session.close()


def of_series(bench, number, study=1):
    return [
        image
        for image in bench.session.images()
        if image.series_number == number and image.patient_number == study
    ]


def add(bench, folder) -> None:
    project = bench.session.project
    bench.session.do(apply_import(project, plan_import(project, [folder])))


def wait_for(qtbot, bench, image_id, pane=0):
    def shown():
        frame = bench.viewer.frame_of(pane)
        return frame is not None and frame.image_id == image_id

    qtbot.waitUntil(shown)


def test_the_stack_runs_along_the_normal_whatever_the_files_are_called(bench, qtbot, series):
    first, second, *_ = of_series(bench, 1)
    bench.viewing.show(first.id)
    wait_for(qtbot, bench, first.id)
    assert np.array_equal(bench.viewer.frame.pixels, series[1][0].round().astype(np.float32))
    qtbot.keyClick(bench.viewer, Qt.Key.Key_Down)
    wait_for(qtbot, bench, second.id)
    assert (bench.viewer.frame.index, bench.viewer.frame.count) == (1, 9)


def test_two_panes_show_the_other_series_at_a_like_place_and_scroll_together(bench, qtbot):
    one, other = of_series(bench, 1), of_series(bench, 2)
    bench.viewing.show(one[4].id)
    wait_for(qtbot, bench, one[4].id)
    bench.viewer.set_layout("2")
    wait_for(qtbot, bench, other[2].id, pane=1)
    qtbot.keyClick(bench.viewer, Qt.Key.Key_Up)
    wait_for(qtbot, bench, one[3].id)
    wait_for(qtbot, bench, other[1].id, pane=1)


def test_a_mark_is_seen_in_the_viewer_and_goes_with_undo(bench, qtbot):
    image = of_series(bench, 1)[0]
    bench.viewing.show(image.id)
    wait_for(qtbot, bench, image.id)
    bench.session.do(set_marks([image.id], "excluded"))
    assert bench.viewer.pane.corner.state.mark == "excluded"
    bench.session.undo_stack.undo()
    assert bench.viewer.pane.corner.state.mark == ""
    bench.session.do(set_marks([image.id], "uncertain"))
    bench.viewing.show(of_series(bench, 1)[1].id)
    wait_for(qtbot, bench, of_series(bench, 1)[1].id)
    assert bench.viewer.pane.corner.state.mark == ""


def test_what_is_irregular_about_a_series_stands_in_its_corner_and_in_the_tree(bench, qtbot, tmp_path):
    block = chest(7, SIDE)
    for path in write_series(tmp_path / "gap", block, series=5, study=3)[3:4]:
        path.unlink()
    plan = plan_import(bench.session.project, [tmp_path / "gap"])
    bench.session.do(apply_import(bench.session.project, plan))
    image = of_series(bench, 1, study=3)[0]
    bench.viewing.show(image.id)
    wait_for(qtbot, bench, image.id)
    (caution,) = bench.viewer.frame.corners.caution
    assert "1 slice is missing" in caution
    flagged = {
        series.key: series.flags
        for patient in TreeRows().of(bench.session.images(), bench.session.series_flags())
        for study in patient.studies
        for series in study.series
        if series.flags
    }
    assert flagged == {f"s{image.series_id}": (caution,)}
    regular = of_series(bench, 1)[0]
    bench.viewing.show(regular.id)
    wait_for(qtbot, bench, regular.id)
    assert bench.viewer.frame.corners.caution == ()


def test_the_notice_of_an_import_says_that_series_are_irregular(bench, tmp_path):
    write_series(tmp_path / "gap", chest(7, SIDE), series=5, study=3)[3].unlink()
    (tmp_path / "gap" / "note.dcm").write_text("no image")
    notice = outcome(plan_import(bench.session.project, [tmp_path / "gap"]))
    assert notice.kind == "warning"
    assert notice.remedy.startswith("Refused: ")
    assert notice.remedy.count("1 series is irregular: 1 slice is missing") == 1
    (tmp_path / "gap" / "note.dcm").unlink()
    notice = outcome(plan_import(bench.session.project, [tmp_path / "gap"]))
    assert notice.remedy.startswith("1 series is irregular: 1 slice is missing")


def test_a_second_reader_is_not_shown_where_the_model_looked(bench, qtbot):
    explainer = FakeExplainer()
    heat = HeatController(bench.session, bench.viewer, explainer)
    image = of_series(bench, 1)[0]
    bench.viewing.show(image.id)
    wait_for(qtbot, bench, image.id)
    told = []
    bench.session.notice.connect(told.append)
    bench.session.read_as("B")
    qtbot.keyClick(bench.viewer, Qt.Key.Key_K)
    assert "second reading" in told[-1].message
    assert not hasattr(explainer, "asked")
    assert not bench.viewer.heat_shown
    heat.deleteLater()


def test_a_pane_left_free_stays_free(bench, qtbot):
    alone = of_series(bench, 1, study=2)[0]
    bench.viewing.show(alone.id)
    wait_for(qtbot, bench, alone.id)
    bench.viewer.set_layout("2")
    qtbot.keyClick(bench.viewer, Qt.Key.Key_N)
    assert bench.viewing.shown is None
    assert not bench.viewing.empty
    bench.viewing.show(of_series(bench, 2)[0].id)
    wait_for(qtbot, bench, of_series(bench, 2)[0].id, pane=1)
    assert bench.viewer.frame_of(0).image_id == alone.id


def test_the_next_study_is_a_key_away(bench, qtbot):
    first = of_series(bench, 1)[0]
    bench.viewing.show(first.id)
    wait_for(qtbot, bench, first.id)
    there = of_series(bench, 1, study=2)[0]
    qtbot.keyClick(bench.viewer, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    wait_for(qtbot, bench, there.id)
    qtbot.keyClick(bench.viewer, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert bench.viewing.shown == there.id


def test_a_label_reaches_every_pane_that_shows_the_image(bench, qtbot):
    image = of_series(bench, 1)[0]
    bench.session.do(AddClass(class_from_name("normal")))
    bench.viewing.show(image.id)
    wait_for(qtbot, bench, image.id)
    bench.session.do(set_labels([image.id], bench.session.classes()[0].id, "normal"))
    assert bench.viewer.frame.badge.name == "normal"


def test_a_region_becomes_what_the_model_sees_and_undo_takes_it_back(bench, qtbot):
    image = of_series(bench, 1)[0]
    bench.viewing.show(image.id)
    wait_for(qtbot, bench, image.id)
    bench.viewer.region_chosen.emit(image.id, Region(12, 6, 24, 18), False)
    (changed,) = bench.session.project.images([image.id])
    asked = image_input(changed, None).crop
    assert (asked.x, asked.y, asked.width, asked.height) == (0.25, 0.125, 0.5, 0.375)
    assert as_model_sees(changed).shape == (18, 24, 3)
    assert bench.viewer.frame.crop == changed.crop
    bench.session.undo_stack.undo()
    assert bench.viewer.frame.crop is None
    assert bench.session.project.images([image.id])[0].crop is None


def test_the_picture_that_training_is_given_is_shown_on_demand(bench, qtbot):
    image = of_series(bench, 1)[4]
    bench.viewing.show(image.id)
    wait_for(qtbot, bench, image.id)
    bench.viewer.region_chosen.emit(image.id, Region(12, 6, 24, 18), False)
    qtbot.keyClick(bench.viewer, Qt.Key.Key_J)
    seen = bench.viewer.frame.pixels
    assert np.array_equal(seen[3:21], as_model_sees(bench.session.project.images([image.id])[0]))
    assert seen.shape == (24, 24, 3)
    assert not seen[:3].any()
    qtbot.keyClick(bench.viewer, Qt.Key.Key_T)  # a place in this picture means nothing to training
    assert bench.session.project.images([image.id])[0].crop is not None
    qtbot.keyClick(bench.viewer, Qt.Key.Key_J)
    assert bench.viewer.frame.pixels.shape == (SIDE, SIDE)


def test_a_whole_series_gets_a_region_in_one_step(bench):
    images = of_series(bench, 1)
    bench.viewer.region_chosen.emit(images[0].id, Region(0, 0, 24, 24), True)
    assert {image.crop for image in of_series(bench, 1)} == {Crop(0.0, 0.0, 0.5, 0.5)}
    assert {image.crop for image in of_series(bench, 2)} == {None}
    bench.session.undo_stack.undo()
    assert {image.crop for image in of_series(bench, 1)} == {None}


def test_a_region_too_small_to_learn_from_is_refused():
    with pytest.raises(UserError) as refused:
        region_change([project_image(1)], Region(0, 0, 3, 40))
    assert refused.value.code == "small_region"


def test_three_planes_are_cut_from_the_files_and_follow_the_cross(bench, qtbot, series):
    block = series[1].round().astype(np.float32)
    image = of_series(bench, 1)[4]
    bench.viewing.show(image.id)
    wait_for(qtbot, bench, image.id)
    qtbot.keyClick(bench.viewer, Qt.Key.Key_M)
    qtbot.waitUntil(lambda: bench.viewer.frame_of(2) is not None)
    axial, coronal, sagittal = (bench.viewer.frame_of(pane) for pane in range(3))
    assert [state.corners.top_left[0] for state in (axial, coronal, sagittal)] == [
        "Axial",
        "Coronal",
        "Sagittal",
    ]
    assert np.array_equal(axial.pixels, block[4])
    assert np.array_equal(coronal.pixels, block[::-1, SIDE // 2, :])
    assert np.array_equal(sagittal.pixels, block[::-1, :, SIDE // 2])
    assert coronal.spacing_mm == (5.0, 1.4)
    bench.viewer.pointed.emit(0, 10.5, 30.5)
    assert np.array_equal(bench.viewer.frame_of(1).pixels, block[::-1, 30, :])
    assert np.array_equal(bench.viewer.frame_of(2).pixels, block[::-1, :, 10])
    kept = bench.viewer.frame_of(1).pixels
    bench.viewer.slice_requested.emit(0, 6)
    assert np.array_equal(bench.viewer.frame_of(0).pixels, block[6])
    assert bench.viewer.frame_of(1).pixels is kept
    assert bench.viewer.frame_of(1).cross == (10.5, 2.5)  # the third row from the head
    assert bench.viewer.frame_of(1).image_id == of_series(bench, 1)[6].id


def test_leaving_three_planes_shows_the_slice_that_they_stood_at(bench, qtbot):
    images = of_series(bench, 1)
    bench.viewing.show(images[4].id)
    wait_for(qtbot, bench, images[4].id)
    bench.viewer.set_layout("mpr")
    qtbot.waitUntil(lambda: bench.viewer.frame.cross is not None)
    bench.viewer.slice_requested.emit(0, 6)
    bench.viewer.set_layout("1")
    wait_for(qtbot, bench, images[6].id)
    qtbot.waitUntil(lambda: bench.viewer.frame is not None and bench.viewer.frame.cross is None)


def test_a_window_chosen_in_three_planes_is_kept_on_leaving_them(bench, qtbot):
    image = of_series(bench, 1)[4]
    bench.viewing.show(image.id)
    wait_for(qtbot, bench, image.id)
    bench.viewer.set_layout("mpr")
    qtbot.waitUntil(lambda: bench.viewer.frame.cross is not None)
    chosen = Window(-500.0, 900.0)
    bench.viewer.pane.set_window(chosen)
    bench.viewer.set_layout("1")
    qtbot.waitUntil(lambda: bench.viewer.frame is not None and bench.viewer.frame.cross is None)
    assert bench.viewer.window_spec == chosen
    other = of_series(bench, 2)[0]
    bench.viewing.show(other.id)
    wait_for(qtbot, bench, other.id)
    assert bench.viewer.window_spec == bench.viewer.frame.window


def test_the_heat_map_lies_on_the_image_that_it_was_made_for(bench, qtbot, monkeypatch):
    explainer = FakeExplainer()
    controller = HeatController(bench.session, bench.viewer, explainer)
    image = of_series(bench, 1)[0]
    bench.viewing.show(image.id)
    wait_for(qtbot, bench, image.id)
    qtbot.keyClick(bench.viewer, Qt.Key.Key_K)
    assert not bench.viewer.heat_shown  # there is no run
    monkeypatch.setattr(bench.session.project, "runs", lambda: [SimpleNamespace(number=3)])
    monkeypatch.setattr(bench.session.project, "run_request", lambda _number: {})
    qtbot.keyClick(bench.viewer, Qt.Key.Key_K)
    assert explainer.asked == (3, image.id)
    for image_id, shown in ((image.id + 1, False), (image.id, True)):
        explainer.explained.emit(3, explanation(image_id))
        assert bench.viewer.pane.canvas.heat_shown is shown
    qtbot.keyClick(bench.viewer, Qt.Key.Key_K)
    assert not bench.viewer.pane.canvas.heat_shown
    controller.deleteLater()


def explanation(image_id) -> CaseExplanation:
    grid = ((0.0, 1.0), (0.5, 0.2))
    return CaseExplanation(image_id, ("a", "b"), (0.6, 0.4), (0.5, 0.5), (), 0.9, grid, True)


def test_the_map_covers_the_square_around_the_region_that_the_model_saw(bench):
    image = of_series(bench, 1)[0]
    assert seen_square(image) == QRectF(0, 0, 1, 1)
    bench.viewer.region_chosen.emit(image.id, Region(12, 6, 24, 18), False)
    square = seen_square(bench.session.project.images([image.id])[0])
    assert (square.x(), square.y()) == pytest.approx((0.25, 3 / SIDE))
    assert (square.width(), square.height()) == pytest.approx((0.5, 0.5))


def press(viewer, qtbot, key, *modifiers) -> None:
    held = Qt.KeyboardModifier.NoModifier
    for modifier in modifiers:
        held |= modifier
    qtbot.keyClick(viewer, key, held)


def test_the_window_in_force_becomes_what_training_is_given_and_undo_takes_it_back(bench, qtbot):
    image = of_series(bench, 1)[4]
    bench.viewing.show(image.id)
    wait_for(qtbot, bench, image.id)
    press(bench.viewer, qtbot, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)  # lung
    press(bench.viewer, qtbot, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    (changed,) = bench.session.project.images([image.id])
    assert image_input(changed, None).window == Window(-600.0, 1500.0)
    assert bench.viewer.frame.training_window == Window(-600.0, 1500.0)
    seen = bench.viewer.frame.greys(bench.viewer.frame.pixels, bench.viewer.window_spec, inverted=False)
    assert np.array_equal(seen, as_model_sees(changed)[..., 0])
    bench.session.undo_stack.undo()
    assert bench.session.project.images([image.id])[0].window is None
    assert bench.viewer.frame.training_window is None
    assert bench.viewer.window_spec == Window(40.0, 400.0)


def test_a_whole_series_gets_a_window_and_keeps_its_regions(bench, qtbot):
    images = of_series(bench, 1)
    bench.viewing.show(images[0].id)
    wait_for(qtbot, bench, images[0].id)
    bench.viewer.region_chosen.emit(images[0].id, Region(0, 0, 24, 24), False)
    press(bench.viewer, qtbot, Qt.Key.Key_3, Qt.KeyboardModifier.AltModifier)  # bone
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    press(bench.viewer, qtbot, Qt.Key.Key_T, control, shift)
    assert {image.window for image in of_series(bench, 1)} == {Window(400.0, 1800.0)}
    assert {image.window for image in of_series(bench, 2)} == {None}
    assert of_series(bench, 1)[0].crop == Crop(0.0, 0.0, 0.5, 0.5)
    press(bench.viewer, qtbot, Qt.Key.Key_0, Qt.KeyboardModifier.AltModifier)
    press(bench.viewer, qtbot, Qt.Key.Key_T, control, shift)
    assert {image.window for image in of_series(bench, 1)} == {None}


def test_the_chosen_window_is_the_one_an_image_comes_back_in(bench, qtbot):
    first, second, *_ = of_series(bench, 1)
    bench.viewer.training_window_chosen.emit(first.id, Window(-600.0, 1500.0), False)
    bench.viewing.show(second.id)
    wait_for(qtbot, bench, second.id)
    bench.viewing.show(of_series(bench, 2)[0].id)
    wait_for(qtbot, bench, of_series(bench, 2)[0].id)
    bench.viewing.show(first.id)
    wait_for(qtbot, bench, first.id)
    assert bench.viewer.window_spec == Window(-600.0, 1500.0)
    press(bench.viewer, qtbot, Qt.Key.Key_J)
    words = " ".join(bench.viewer.frame.corners.bottom_left)
    assert "Window C -600   W 1500, chosen by you" in words
    assert "The whole image" in words
    assert "Stored orientation" in words


LINE = Measure("distance", ((1.5, 2.0), (10.0, 20.5)))
ELLIPSE = Measure("ellipse", ((4.0, 4.0), (20.0, 16.0)))


def test_measures_are_kept_with_their_image_and_undone(bench, qtbot, drag_mouse):
    one, other = of_series(bench, 1)[:2]
    bench.viewing.show(one.id)
    wait_for(qtbot, bench, one.id)
    press(bench.viewer, qtbot, Qt.Key.Key_D)
    canvas = bench.viewer.pane.canvas
    ends = [canvas.to_viewport(QPointF(*place)).toTuple() for place in ((10, 10), (30, 10))]
    drag_mouse(canvas.viewport, *ends, Qt.MouseButton.LeftButton)
    (kept,) = bench.session.project.measures()[one.id]
    assert kept.kind == "distance"
    assert bench.viewer.pane.corner.state.shapes[0].lines == ("28.0 mm",)
    bench.viewing.show(other.id)
    wait_for(qtbot, bench, other.id)
    assert bench.viewer.pane.corner.state.shapes == ()
    bench.session.undo_stack.undo()
    assert bench.session.project.measures() == {}
    bench.session.undo_stack.redo()
    bench.viewing.show(one.id)
    wait_for(qtbot, bench, one.id)
    assert len(bench.viewer.pane.corner.state.shapes) == 1
    press(bench.viewer, qtbot, Qt.Key.Key_C)
    assert bench.session.project.measures() == {}


def test_the_newest_measure_goes_alone(bench, qtbot):
    image = of_series(bench, 1)[0]
    bench.session.do(SetMeasures(image.id, (LINE, ELLIPSE)))
    bench.viewing.show(image.id)
    wait_for(qtbot, bench, image.id)
    assert len(bench.viewer.pane.corner.state.shapes) == 2
    press(bench.viewer, qtbot, Qt.Key.Key_C, Qt.KeyboardModifier.ShiftModifier)
    assert bench.session.project.measures() == {image.id: (LINE,)}


def test_a_region_given_to_training_is_one_step_back_to_the_drawing(bench, qtbot):
    image = of_series(bench, 1)[0]
    region = Measure("region", ((0.0, 0.0), (24.0, 24.0)))
    bench.session.do(SetMeasures(image.id, (LINE, region)))
    bench.viewing.show(image.id)
    wait_for(qtbot, bench, image.id)
    press(bench.viewer, qtbot, Qt.Key.Key_T)
    assert bench.session.project.measures() == {image.id: (LINE,)}
    assert bench.session.project.images([image.id])[0].crop == Crop(0.0, 0.0, 0.5, 0.5)
    bench.session.undo_stack.undo()
    assert bench.session.project.measures() == {image.id: (LINE, region)}
    assert bench.session.project.images([image.id])[0].crop is None
    assert bench.viewer.bar.region_offer == "Train on this region"


def test_a_second_reader_sees_no_measure_of_the_first_and_leaves_them_alone(bench, qtbot):
    image = of_series(bench, 1)[0]
    bench.session.do(SetMeasures(image.id, (LINE,)))
    bench.viewing.show(image.id)
    wait_for(qtbot, bench, image.id)
    bench.session.read_as("B")
    assert bench.viewer.pane.corner.state.shapes == ()
    bench.viewer.measured.emit(image.id, (ELLIPSE,))
    assert bench.session.project.measures() == {image.id: (LINE,)}
    bench.session.read_as("")
    assert len(bench.viewer.pane.corner.state.shapes) == 1


def test_stacks_of_one_space_scroll_by_place_and_others_slice_by_slice(bench, qtbot, tmp_path):
    block = chest(9, SIDE)
    write_series(tmp_path / "s" / "a", block, series=7, study=4, space="5")
    write_series(tmp_path / "s" / "b", block[::4], series=8, study=4, space="5", spacing_mm=(20.0, 1.4, 1.4))
    bench.session.do(
        apply_import(bench.session.project, plan_import(bench.session.project, [tmp_path / "s"]))
    )
    linking = LinkingController(bench.session, bench.viewer, bench.viewing)
    thin, thick = of_series(bench, 1, study=3), of_series(bench, 2, study=3)
    bench.viewing.show(thin[0].id)
    wait_for(qtbot, bench, thin[0].id)
    bench.viewer.set_layout("2")
    wait_for(qtbot, bench, thick[0].id, pane=1)
    qtbot.waitUntil(lambda: bench.viewer.bar.link_words == "Linked by position (mm)")
    press(bench.viewer, qtbot, Qt.Key.Key_Down)
    wait_for(qtbot, bench, thin[1].id)
    assert bench.viewer.frame_of(1).image_id == thick[0].id  # 5 mm on, the nearest is still the first
    for number in (2, 3):
        press(bench.viewer, qtbot, Qt.Key.Key_Down)
        wait_for(qtbot, bench, thin[number].id)
    wait_for(qtbot, bench, thick[1].id, pane=1)
    bench.viewing._show_in(1, of_series(bench, 1)[0].id)
    wait_for(qtbot, bench, of_series(bench, 1)[0].id, pane=1)
    qtbot.waitUntil(lambda: bench.viewer.bar.link_words == "Linked slice by slice")
    linking.deleteLater()


def test_three_planes_of_a_series_with_a_gap_are_refused_with_the_reason(bench, qtbot, tmp_path):
    write_series(tmp_path / "gap", chest(7, SIDE), series=5, study=3)[3].unlink()
    bench.session.do(
        apply_import(bench.session.project, plan_import(bench.session.project, [tmp_path / "gap"]))
    )
    told = []
    bench.session.notice.connect(told.append)
    image = of_series(bench, 1, study=3)[0]
    bench.viewing.show(image.id)
    wait_for(qtbot, bench, image.id)
    press(bench.viewer, qtbot, Qt.Key.Key_M)
    qtbot.waitUntil(lambda: bool(told))
    assert "1 slice is missing" in told[-1].message
    assert told[-1].remedy == "View it slice by slice."
    assert bench.viewer.layout_name == "1"


def test_a_ct_that_asks_for_its_whole_range_says_so(bench, qtbot, tmp_path):
    paths = write_series(tmp_path / "wide", chest(3, SIDE), series=9, study=5)
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.WindowCenter, dataset.WindowWidth = 1024, 4096
        dataset.save_as(path)
    add(bench, tmp_path / "wide")
    image = of_series(bench, 1, study=3)[0]
    bench.viewing.show(image.id)
    wait_for(qtbot, bench, image.id)
    assert bench.viewer.frame.corners.caution == (WIDE_WINDOW,)
    bench.viewer.training_window_chosen.emit(image.id, Window(40.0, 400.0), False)
    bench.viewing.show(image.id)
    wait_for(qtbot, bench, image.id)
    assert bench.viewer.frame.corners.caution == ()
