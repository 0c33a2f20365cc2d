"""Facts about inspecting the runs of a project: relabelling, keeping, comparing, mapping, reporting."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from shiboken6 import delete
from support.changing import replace
from support.fake_engine import drawn_session
from support.made_evaluation import as_of_old, made_run

from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.records import to_json
from clipsvd_app.jobs.answers import MapPlace, MapResult
from clipsvd_app.jobs.lines import Progress
from clipsvd_app.services.labels.kept_labels import kept_labels
from clipsvd_app.services.labels.labels import set_labels
from clipsvd_app.ui.export.page import ExportPage
from clipsvd_app.ui.export.report_controller import ReportController
from clipsvd_app.ui.inspect.compare_controller import CompareController
from clipsvd_app.ui.inspect.controller import InspectController
from clipsvd_app.ui.inspect.map_controller import CaseMapController
from clipsvd_app.ui.inspect.page import InspectPage
from clipsvd_app.ui.run.case_explanations import CaseExplainer
from clipsvd_app.ui.run.case_filters import likely_mistakes
from clipsvd_app.ui.session.image_cache import Pictures

pytestmark = pytest.mark.gui
NAMES = ("normal", "lesion")
PICTURES = 30


@pytest.fixture
def bench(qtbot, theme, tmp_path):
    session = drawn_session(tmp_path, PICTURES, NAMES)
    images = session.project.images()
    labels = [number % 2 for number in range(len(images))]
    for position, known in enumerate(session.project.classes()):
        own = [image.id for image, label in zip(images, labels, strict=True) if label == position]
        session.do(set_labels(own, known.id, known.name))
    page, export = InspectPage(theme), ExportPage(theme)
    for widget in (page, export):
        qtbot.addWidget(widget)
        widget.show()  # hidden pages wait
    inspecting = InspectController(session, page, Pictures(session.background), CaseExplainer(session))
    parts = (
        CaseMapController(session, page),
        CompareController(session, page),
        ReportController(session, export),
    )
    runs = [made_run(NAMES, ids=[i.id for i in images], labels=labels, training=8, seed=s) for s in (5, 6)]
    request = {
        "recipe": to_json(Recipe()),
        "classes": [{"name": name} for name in NAMES],
        "labels": {str(image.id): label for image, label in zip(images, labels, strict=True)},
    }
    told = []
    session.notice.connect(told.append)
    made = SimpleNamespace(
        session=session,
        engine=session.engine,
        page=page,
        export=export,
        inspecting=inspecting,
        parts=parts,
        runs=runs,
        request=request,
        told=told,
    )
    yield made
    session.close()
    delete(page)
    delete(export)


def add(bench, run) -> None:
    bench.session.project.add_run("quick", bench.request, run, b"")
    bench.session.runs_changed.emit()


def label_of(bench, image_id):
    (image,) = bench.session.project.images([image_id])
    return {known.id: known.name for known in bench.session.classes()}[image.class_id]


def test_a_relabelled_mistake_leaves_the_list_and_undo_brings_it_back(bench):
    add(bench, bench.runs[0])
    cases = bench.page.failures.cases
    cases.set_order("mistakes")
    first = likely_mistakes(bench.runs[0].predictions)[0]
    assert first.image_id in cases.gallery.image_ids()
    bench.page.relabel_requested.emit(first.image_id, 1 - first.label)
    assert label_of(bench, first.image_id) == NAMES[1 - first.label]
    assert first.image_id not in cases.gallery.image_ids()
    bench.session.undo_stack.undo()
    assert label_of(bench, first.image_id) == NAMES[first.label]
    assert first.image_id in cases.gallery.image_ids()


def test_a_kept_label_is_not_asked_about_again_until_it_changes(bench):
    add(bench, bench.runs[0])
    first = likely_mistakes(bench.runs[0].predictions)[0]
    bench.page.failures.cases.mistakes.keep_requested.emit(first.image_id)
    project = bench.session.project
    assert kept_labels(project) == {first.image_id}
    bench.session.run.show(1)
    bench.page.failures.cases.set_order("mistakes")
    assert first.image_id not in bench.page.failures.cases.gallery.image_ids()
    assert label_of(bench, first.image_id) == NAMES[first.label]
    bench.page.relabel_requested.emit(first.image_id, 1 - first.label)
    assert kept_labels(project) == frozenset()


def test_a_run_is_compared_with_the_one_before_it(bench):
    add(bench, bench.runs[0])
    add(bench, bench.runs[1])
    bench.page.show_tab("compare")
    rows = [row[0] for row in bench.page.compare.table.data_rows()[1:]]
    assert rows[:2] == ["Run 1 · Zero-shot (no training)", "Run 2 · Zero-shot (no training)"]
    assert bench.page.compare.gallery.image_ids()


def test_stored_places_are_on_the_map_at_once(bench):
    add(bench, bench.runs[0])
    assert len(bench.page.map.map.data_rows()) == PICTURES + 1
    assert {row[5] for row in bench.page.map.map.data_rows()[1:]} == {"0", "1"}


def test_another_projection_comes_from_the_engine_and_is_kept(bench, monkeypatch):
    from clipsvd_app.services.models import backbones
    from clipsvd_app.ui.inspect import map_controller

    monkeypatch.setattr(
        map_controller, "run_backbone", lambda *_: backbones.find(bench.session.settings, "demo")
    )
    add(bench, as_of_old(bench.runs[0]))
    assert len(bench.page.map.map.data_rows()) == 1
    bench.page.map.projection_wanted.emit("tsne")
    assert bench.engine.request.projection == "tsne"
    assert len(bench.engine.request.images) == PICTURES
    assert {image.label for image in bench.engine.request.images} == {None}
    bench.engine.on_progress(Progress(7, "Computing the map", 2, 4))
    assert bench.page.map._bar.value() == 2
    places = tuple(MapPlace(image.id, float(n), 0.0) for n, image in enumerate(bench.engine.request.images))
    bench.engine.answer(MapResult("tsne", places, "Neighbours."))
    assert len(bench.page.map.map.data_rows()) == PICTURES + 1
    assert not bench.engine.folder.exists()
    bench.engine.request = None
    bench.page.map.projection_wanted.emit("tsne")
    assert bench.engine.request is None, "it is there already"


def test_a_cancelled_map_leaves_what_was_there(bench, monkeypatch):
    from clipsvd_app.services.models import backbones
    from clipsvd_app.ui.inspect import map_controller

    monkeypatch.setattr(
        map_controller, "run_backbone", lambda *_: backbones.find(bench.session.settings, "demo")
    )
    add(bench, bench.runs[0])
    bench.page.map.projection_wanted.emit("tsne")
    bench.page.map.cancel_requested.emit()
    assert len(bench.page.map.map.data_rows()) == PICTURES + 1
    assert bench.page.map._tsne.isEnabled()


def test_a_report_is_written_in_a_thread_and_said_so(bench, qtbot, tmp_path):
    add(bench, bench.runs[0])
    asked = []
    bench.session.action_requested.connect(asked.append)
    bench.parts[2].open()
    assert asked == ["export"]
    tab = bench.export.report_tab
    tab._path.setText(str(tmp_path / "r.html"))
    tab._failures.setChecked(True)
    tab._write.click()
    qtbot.waitUntil(lambda: tab._state.written == "r.html", timeout=20_000)
    assert (tmp_path / "r.html").read_text(encoding="utf-8").count("data:image/png") > 0
    assert not bench.told


def test_a_file_of_someone_else_is_not_overwritten(bench, qtbot, tmp_path):
    add(bench, bench.runs[0])
    (tmp_path / "r.pdf").write_bytes(b"mine")
    bench.export.report_tab._path.setText(str(tmp_path / "r.pdf"))
    bench.export.report_tab._write.click()
    qtbot.waitUntil(lambda: bool(bench.told), timeout=20_000)
    assert "already exists" in bench.told[0].message
    assert (tmp_path / "r.pdf").read_bytes() == b"mine"


def test_a_class_that_is_gone_is_refused_in_words(bench):
    add(bench, replace(bench.runs[0], class_names=("normal", "renamed")))
    image_id = bench.runs[0].predictions[0].image_id
    bench.page.relabel_requested.emit(image_id, 1)
    assert "no class" in bench.told[-1].message
