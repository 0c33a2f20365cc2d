"""Facts about explaining in a project: cases by list and by file, maps on demand, runs explained anew."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from shiboken6 import delete
from support.changing import replace
from support.fake_engine import drawn_session
from support.made_evaluation import made_run
from support.made_explanation import PLAIN_RUN, RUN, case_map, made_case

from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.records import to_json
from clipsvd_app.jobs.folders import write_result
from clipsvd_app.jobs.lines import CancelledEvent, Failed, Finished, Progress
from clipsvd_app.jobs.requests import ExplainRunRequest
from clipsvd_app.services.models import backbones, phrase_packs
from clipsvd_app.ui.explain import renewal
from clipsvd_app.ui.explain.controller import ExplainController
from clipsvd_app.ui.explain.page import ExplainPage
from clipsvd_app.ui.explain.renewal import ExplainAgainController
from clipsvd_app.ui.run import case_explanations
from clipsvd_app.ui.run.case_explanations import CaseExplainer
from clipsvd_app.ui.session.image_cache import Pictures

pytestmark = pytest.mark.gui
NAMES = ("normal", "lesion")
PACK = (
    "id,text,modality,anatomy,axis,polarity,synonyms,code_scheme,code,source,licence,enabled\n"
    "my-1,a white haze over the lower lung,{modality},chest,density,present,,,,own,CC0,true\n"
)


@pytest.fixture
def bench(qtbot, theme, tmp_path, monkeypatch):
    for module in (case_explanations, renewal):
        monkeypatch.setattr(module, "run_backbone", lambda *_: backbones.find(session.settings, "demo"))
    session = drawn_session(tmp_path, 6, NAMES)
    page = ExplainPage(theme)
    qtbot.addWidget(page)
    page.show()  # a hidden one waits
    explainer, pictures = CaseExplainer(session), Pictures(session.background)
    explaining = ExplainController(session, page, pictures, explainer)
    again = ExplainAgainController(session, page, explaining)
    ids = [image.id for image in session.project.images()]
    labels = [number % 2 for number in range(len(ids))]
    run = made_run(NAMES, ids=ids, labels=labels, training=2, seed=5)
    request = {"recipe": to_json(Recipe()), "classes": [], "labels": {}}
    session.project.add_run("quick", request, replace(run, explanation=PLAIN_RUN), b"adapter")
    told = []
    session.notice.connect(told.append)
    session.runs_changed.emit()
    yield SimpleNamespace(
        session=session,
        engine=session.engine,
        page=page,
        explainer=explainer,
        explaining=explaining,
        again=again,
        ids=ids,
        told=told,
        folder=tmp_path,
    )
    session.close()
    delete(page)


def shown(bench, qtbot, image_id) -> None:
    qtbot.waitUntil(lambda: bench.page.case.image_id == image_id, timeout=10_000)


def test_a_chosen_case_is_explained_and_shown(bench, qtbot):
    bench.page.case_opened.emit(bench.ids[3])
    assert bench.engine.request.image.id == bench.ids[3]
    shown(bench, qtbot, bench.ids[3])
    assert bench.page.tab == "case"
    assert bench.page.case.is_pending
    bench.engine.on_progress(Progress(7, "Attributing the change", 1, 4))
    assert "Attributing the change" in bench.page.case._stage.text()
    bench.engine.answer(made_case(bench.ids[3]))
    assert not bench.page.case.is_pending


def test_a_cancelled_case_can_be_asked_for_again(bench, qtbot):
    bench.page.case_opened.emit(bench.ids[3])
    shown(bench, qtbot, bench.ids[3])
    bench.page.case.cancel_requested.emit(bench.ids[3])
    assert bench.page.case.is_pending
    bench.engine.request = None
    bench.page.case._retry.click()
    assert bench.engine.request is not None


def test_the_map_of_hidden_patches_is_asked_for_once(bench, qtbot):
    bench.page.case_opened.emit(bench.ids[3])
    assert not bench.engine.request.occlusion
    bench.engine.answer(made_case(bench.ids[3]))
    shown(bench, qtbot, bench.ids[3])
    bench.page.case.occlusion_wanted.emit(bench.ids[3])
    assert bench.engine.request.occlusion
    bench.engine.on_progress(Progress(7, "Masking patches", 16, 64))
    assert bench.page.case.map._bar.value() == 16
    assert not bench.page.case.is_pending, "what is known stays on show"
    bench.engine.answer(made_case(bench.ids[3], case_map(), case_map("occlusion")))
    bench.engine.request = None
    bench.page.case.occlusion_wanted.emit(bench.ids[3])
    assert bench.engine.request is None, "it is there already"


def test_a_dropped_image_of_the_project_is_that_case(bench, qtbot):
    (image,) = bench.session.project.images([bench.ids[2]])
    bench.page.file_dropped.emit(image.path)
    assert bench.engine.request.image.id == bench.ids[2]


def test_a_dropped_image_from_elsewhere_is_explained_without_being_added(bench, qtbot):
    Image.fromarray(np.zeros((24, 24), np.uint8)).save(bench.folder / "other.png")
    bench.page.file_dropped.emit(str(bench.folder / "other.png"))
    asked = bench.engine.request.image
    assert asked.id < 0
    assert asked.path.endswith("other.png")
    bench.engine.answer(made_case(asked.id))
    shown(bench, qtbot, asked.id)
    assert len(bench.session.project.images()) == len(bench.ids)


def test_a_late_answer_for_another_case_is_not_shown(bench, qtbot):
    bench.page.case_opened.emit(bench.ids[3])
    shown(bench, qtbot, bench.ids[3])
    late = bench.engine.folder, bench.engine.on_end
    bench.page.case_opened.emit(bench.ids[4])
    shown(bench, qtbot, bench.ids[4])
    write_result(late[0], made_case(bench.ids[3]))
    late[1](Finished(7))
    assert bench.page.case.image_id == bench.ids[4]
    assert bench.page.case.is_pending


def test_a_case_explained_on_inspect_is_the_one_shown_here(bench, qtbot):
    bench.explainer.explain(1, bench.ids[1])
    bench.engine.answer(made_case(bench.ids[1]))
    shown(bench, qtbot, bench.ids[1])


def test_a_run_is_explained_anew_and_stored(bench):
    bench.page.explain_again.emit()
    request = bench.engine.request
    assert isinstance(request, ExplainRunRequest)
    assert [image.label for image in request.images] == [None] * len(bench.ids)
    assert request.classes == bench.session.project.run_result(1).explanation.classes
    bench.engine.on_progress(Progress(7, "Recording activations", 2, 6))
    assert bench.page.change._bar.value() == 2
    bench.engine.answer(RUN)
    assert bench.session.project.run_result(1).explanation == RUN
    assert bench.page.change.words.text().startswith("The run in words\nUnseen images of “lesion”")
    assert not bench.engine.folder.exists()


@pytest.mark.parametrize("end", [CancelledEvent(7), Failed(7, "x", "It broke.", "Try again.")])
def test_a_run_that_could_not_be_explained_anew_keeps_what_it_had(bench, end):
    bench.page.explain_again.emit()
    if isinstance(end, Failed):
        bench.engine.on_end(end)
    else:
        bench.page.change.cancel_requested.emit()
    assert bench.session.project.run_result(1).explanation == PLAIN_RUN
    assert not bench.page.change._bar.isVisibleTo(bench.page)
    assert bool(bench.told) == isinstance(end, Failed)


def test_a_pack_with_a_fault_is_shown_with_it_and_not_kept(bench):
    path = bench.folder / "mine.csv"
    path.write_text(PACK.format(modality="roentgen"), encoding="utf-8")
    bench.page.pack_dropped.emit(str(path))
    assert bench.page.tab == "trust"
    assert "was not added" in bench.page.trust.packs.banner.text()
    assert not phrase_packs.list_packs()


def test_a_sound_pack_is_kept_until_it_is_removed(bench):
    path = bench.folder / "my words.csv"
    path.write_text(PACK.format(modality="radiography"), encoding="utf-8")
    bench.page.pack_dropped.emit(str(path))
    assert [report.name for report in phrase_packs.list_packs()] == ["my-words"]
    assert "my-words" in bench.page.trust.packs.banner.text()
    bench.page.trust.packs.remove_requested.emit("my-words")
    assert not phrase_packs.list_packs()
