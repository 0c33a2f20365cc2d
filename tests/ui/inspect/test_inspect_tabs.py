"""Facts about the tabs of the Inspect page, with a full run and with one that an earlier version left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QPushButton
from shiboken6 import delete
from support.made_evaluation import as_of_old, made_run

from clipsvd_app.domain.results.cases import doubts, is_evidence
from clipsvd_app.domain.results.comparison import flips
from clipsvd_app.domain.words.evaluation import (
    learning_curve_text,
    prediction_sets_text,
    recommendation_text,
    verdict_sentence,
    weakness_text,
)
from clipsvd_app.figures.case_map import MapDot
from clipsvd_app.ui.inspect.page import InspectPage
from clipsvd_app.ui.run.case_filters import likelier_class, likely_mistakes
from clipsvd_app.ui.run.state import CaseSheetState, ComparisonState, InspectState, MapState, NearCase

pytestmark = pytest.mark.gui
RUN, OTHER = made_run(seed=1), made_run(seed=2)
RUNS = (2, 1)


def state(run) -> InspectState:
    return InspectState(RUNS, 2, run.class_names, run.evaluation, run.predictions)


@pytest.fixture
def page(qtbot, theme):
    page = InspectPage(theme)
    qtbot.addWidget(page)
    page.resize(1200, 760)
    page.set_state(state(RUN))
    with qtbot.waitExposed(page):
        page.show()
    yield page
    delete(page)


def texts(widget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget))


def case(prediction, **more) -> CaseSheetState:
    image = QImage(32, 32, QImage.Format.Format_Grayscale8)
    image.fill(90)
    return CaseSheetState(image, prediction, RUN.class_names, prediction.label, "P001 · 1", **more)


def suspects():
    return likely_mistakes(RUN.predictions)


def show_mistakes(page):
    page.show_tab("failures")
    page.failures.cases.set_order("mistakes")
    page.set_case(case(suspects()[0]))


def test_the_result_says_verdict_recommendation_and_warnings(page):
    said = texts(page.result)
    found = RUN.evaluation
    warnings = map(weakness_text, found.warnings)
    for sentence in (verdict_sentence(found), recommendation_text(found), *warnings):
        assert sentence in said
    assert "after Holm's correction" in said
    assert learning_curve_text(found.learning_curve) in said


def test_the_recommended_method_is_marked_in_the_table(page):
    titles = [row[0] for row in page.result.methods.table.data_rows()[1:]]
    assert [title for title in titles if "✓" in title] == ["Gaussian discriminant analysis ✓"]
    assert len(titles) == 7


def test_trust_says_the_promise_and_counts_the_doubts(page):
    page.show_tab("trust")
    assert prediction_sets_text(RUN.evaluation.conformal) in texts(page.trust.sets)
    far = sum("far_from_training" in p.doubts for p in RUN.predictions)
    assert str(far) in texts(page.trust.doubts).split()


@pytest.mark.parametrize("doubt", ["far_from_training", "set_not_single"])
def test_a_doubt_shows_its_cases(page, doubt):
    page.trust.doubt_chosen.emit(doubt)
    assert page.tab == "failures"
    wanted = {p.image_id for p in RUN.predictions if is_evidence(p) and doubt in doubts(p)}
    assert set(page.failures.cases.gallery.image_ids()) == wanted
    page.failures.cases._clear.click()
    assert len(page.failures.cases.gallery.image_ids()) > len(wanted)


@pytest.mark.parametrize("tab", ["result", "failures", "trust", "map", "compare"])
@pytest.mark.parametrize("run", [RUN, as_of_old(RUN)], ids=["full", "old"])
def test_no_tab_is_wider_than_its_room(page, run, tab):
    page.resize(960 - 88, 700)
    page.set_state(state(run))
    page.map.set_state(MapState())
    page.show_tab(tab)
    page.grab()
    assert page._tabs.currentWidget().minimumSizeHint().width() <= page._tabs.width()


def test_a_run_of_an_earlier_version_says_what_it_did_not_measure(page):
    page.set_state(state(as_of_old(RUN)))
    page.map.set_state(MapState())
    assert not page.trust.reliability.isVisibleTo(page)
    assert not page.trust.risk.isVisibleTo(page)
    assert not page.result.learning.plot.isVisibleTo(page)
    assert page.result.roc.plot.isVisibleTo(page.result), "its predictions are enough for that"
    assert "has no calibration" in texts(page.trust)
    assert "has no map" in texts(page.map)
    page.failures.cases.set_order("mistakes")
    assert "no estimate of label mistakes" in texts(page.failures.cases)


def test_likely_mistakes_are_the_suspicious_ones_the_likeliest_first(page):
    show_mistakes(page)
    shown = page.failures.cases.gallery.image_ids()
    suspicion = {p.image_id: p.suspicion for p in RUN.predictions}
    assert list(shown) == sorted(shown, key=lambda image_id: -suspicion[image_id])
    assert all(suspicion[image_id] >= 0.5 for image_id in shown)
    assert shown


@pytest.mark.parametrize("target", ["gallery", "sheet"])
def test_one_key_relabels_a_likely_mistake(page, qtbot, target):
    show_mistakes(page)
    widget = page.failures.cases.gallery if target == "gallery" else page.case_sheet
    with qtbot.waitSignal(page.relabel_requested) as caught:
        qtbot.keyClick(widget, Qt.Key.Key_R)
    first = suspects()[0]
    assert caught.args == [first.image_id, likelier_class(first)]
    assert likelier_class(first) != first.label


def test_one_key_keeps_the_label_and_the_next_case_opens(page, qtbot):
    show_mistakes(page)
    first, second, *_ = page.failures.cases.gallery.image_ids()
    with qtbot.waitSignal(page.failures.cases.mistakes.keep_requested) as caught:
        qtbot.keyClick(page.failures.cases.gallery, Qt.Key.Key_K)
    assert caught.args == [first]
    with qtbot.waitSignal(page.case_opened) as opened:
        page.failures.cases.set_settled(frozenset({first}))
    assert opened.args == [second]
    assert first not in page.failures.cases.gallery.image_ids()


def test_the_keys_of_mistakes_do_nothing_elsewhere(page, qtbot):
    page.show_tab("failures")
    page.set_case(case(suspects()[0]))
    with (
        qtbot.assertNotEmitted(page.relabel_requested),
        qtbot.assertNotEmitted(page.failures.cases.mistakes.keep_requested),
    ):
        qtbot.keyClick(page.failures.cases.gallery, Qt.Key.Key_R)
        qtbot.keyClick(page.failures.cases.gallery, Qt.Key.Key_K)


def test_the_sheet_shows_calibrated_probabilities_set_and_neighbours(page, qtbot):
    prediction = next(p for p in RUN.predictions if p.calibrated)
    near = tuple(NearCase(image_id, 0, f"P · {image_id}") for image_id in prediction.nearest)
    with qtbot.waitSignal(page.thumbnails_wanted) as wanted:
        page.set_case(case(prediction, set_text="Possible: normal.", nearest=near))
    assert wanted.args == [prediction.nearest]
    assert page.case_sheet.bars.data_rows()[0][1] == "calibrated"
    assert page.case_sheet.bars.data_rows()[1][1] == repr(prediction.calibrated[0])
    assert "Possible: normal." in [label.text() for label in page.case_sheet.findChildren(QLabel)]
    with qtbot.waitSignal(page.case_opened) as opened:
        page.case_sheet.nearest.open_at(1)
    assert opened.args == [prediction.nearest[1]]


def test_the_map_offers_and_cancels_its_projections(page, qtbot):
    page.show_tab("map")
    page.map.set_state(MapState((MapDot(1, 0.0, 0.0, 0, ""), MapDot(2, 1.0, 1.0, 1, "")), "pca", "Said."))
    with qtbot.waitSignal(page.map.projection_wanted) as caught:
        page.map._tsne.click()
    assert caught.args == ["tsne"]
    page.map.set_state(MapState((), "pca", "", ("Computing the map", 1, 4)))
    assert page.map._bar.value() == 1
    assert not page.map._tsne.isEnabled()
    with qtbot.waitSignal(page.map.cancel_requested):
        page.map._cancel.click()


def test_the_comparison_shows_what_changed_and_opens_flipped_cases(page, qtbot):
    found = flips(OTHER, RUN)
    rows = tuple((f"Run · {s.method}", s) for s in RUN.evaluation.methods[:2])
    comparison = ComparisonState(
        RUNS[1],
        RUNS[0],
        RUN.class_names,
        (),
        "Labels: 1 added.",
        rows,
        found,
        48,
        "Judged on different images.",
    )
    page.show_tab("compare")
    page.compare.set_comparison(comparison)
    assert page.compare.gallery.image_ids() == tuple(flip.image_id for flip in found)
    said = texts(page.compare)
    for part in ("Labels: 1 added.", "Judged on different images.", "shared unseen case"):
        assert part in said
    with qtbot.waitSignal(page.case_opened):
        page.compare.gallery.open_row(0)
    page.compare.set_comparison(replace(comparison, flips=None))
    assert "different classes" in texts(page.compare)


def test_a_single_run_has_nothing_to_be_compared_with(page):
    page.set_state(replace(state(RUN), runs=RUNS[:1]))
    page.show_tab("compare")
    assert "only one run" in texts(page.compare)
    assert not page.compare._choice.isVisibleTo(page)


def test_a_report_is_asked_for(page, qtbot):
    (button,) = [b for b in page.findChildren(QPushButton) if b.text() == "Report…"]
    with qtbot.waitSignal(page.report_requested):
        button.click()
