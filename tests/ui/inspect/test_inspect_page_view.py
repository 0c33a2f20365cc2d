"""Facts about the Inspect page: no number without its cases, no training image taken for evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from shiboken6 import delete

from clipsvd_app.domain.results.cases import is_evidence, winner
from clipsvd_app.domain.results.evaluation import (
    ClassScore,
    Difference,
    Evaluation,
    Interval,
    MethodScore,
    NoEstimate,
)
from clipsvd_app.domain.results.explanation import CaseExplanation, Phrase
from clipsvd_app.domain.results.run import Prediction
from clipsvd_app.domain.words.evaluation import no_estimate_text, verdict_sentence
from clipsvd_app.domain.words.notice import NOT_DIAGNOSTIC
from clipsvd_app.ui.inspect.page import InspectPage
from clipsvd_app.ui.run.case_filters import CaseFilter, filtered, ordered
from clipsvd_app.ui.run.state import CaseNote, CaseSheetState, InspectState

pytestmark = pytest.mark.gui
NAMES = ("normal", "lesion")
INTERVAL = Interval(0.5, 0.9)
PREDICTIONS = (
    Prediction(1, "test", 0, (0.9, 0.1), (0.4, 0.6)),
    Prediction(2, "test", 0, (0.2, 0.8), (0.7, 0.3)),
    Prediction(3, "out_of_fold", 1, (0.45, 0.55), (0.2, 0.8)),
    Prediction(4, "test", 1, (0.6, 0.4), (0.9, 0.1)),
    Prediction(5, "train", 1, (0.7, 0.3), (0.8, 0.2)),
    Prediction(6, "pool", None, (0.51, 0.49), (0.5, 0.5)),
)


def method(name, confusion) -> MethodScore:
    classes = tuple(ClassScore(each, 2, 0.5, INTERVAL, 0.5, INTERVAL) for each in NAMES)
    return MethodScore(name, 0.6, INTERVAL, 0.6, None, 0.5, 0.2, classes, confusion, 0, 1.0)


EVALUATION = Evaluation(
    "held_out",
    images=4,
    patients=4,
    methods=(
        method("zero_shot", ((1, 1), (1, 1))),
        method("linear_probe", ((2, 0), (1, 1))),
        method("clip_svd", ((1, 1), (1, 1))),
    ),
    differences=(Difference("clip_svd", "zero_shot", 0.1, Interval(-0.1, 0.3)),),
    verdict="not_shown",
)
STATE = InspectState((2, 1), 2, NAMES, EVALUATION, PREDICTIONS)
GRID = ((0.0, 0.1), (0.2, 1.0))


def explanation(*, trusted=True) -> CaseExplanation:
    concepts = (Phrase("dark mass", 0.4),)
    return CaseExplanation(1, NAMES, (0.9, 0.1), (0.4, 0.6), concepts, 0.7, GRID, trusted)


def sheet(position=0, **more) -> CaseSheetState:
    prediction = PREDICTIONS[position]
    image = QImage(32, 32, QImage.Format.Format_Grayscale8)
    image.fill(90)
    return CaseSheetState(image, prediction, NAMES, prediction.label, "Study 1", **more)


@pytest.fixture
def page(qtbot, theme):
    page = InspectPage(theme)
    qtbot.addWidget(page)
    page.resize(1300, 800)
    page.set_state(STATE)
    with qtbot.waitExposed(page):
        page.show()
    yield page
    delete(page)


def click_cell(page, qtbot, cell):
    page.show_tab("failures")
    matrix = page.failures.confusion.matrix
    matrix.grab()
    spot = next(spot for spot in matrix.figure.panels[0].spots if cell == (spot.y, spot.x))
    under, place = matrix.under(matrix.place_of(spot))
    qtbot.mouseClick(under, Qt.MouseButton.LeftButton, pos=place)


def test_a_clicked_cell_shows_its_cases_alone(page, qtbot):
    click_cell(page, qtbot, (0, 1))
    assert page.failures.cases.gallery.image_ids() == (2,)
    page.failures.cases._clear.click()
    assert set(page.failures.cases.gallery.image_ids()) == {1, 2, 3, 4}


@pytest.mark.parametrize("name", ["clip_svd", "zero_shot"])
def test_every_cell_holds_as_many_cases_as_it_says(page, name):
    page.failures.confusion.choose_method(name)
    score = next(score for score in EVALUATION.methods if score.method == name)
    for true, row in enumerate(score.confusion):
        for predicted, number in enumerate(row):
            page.failures.confusion.cell_chosen.emit(name, true, predicted)
            assert len(page.failures.cases.gallery.image_ids()) == number


def test_a_baseline_without_single_predictions_does_not_pretend_to_have_cases(page, qtbot):
    page.failures.confusion.choose_method("linear_probe")
    with qtbot.assertNotEmitted(page.failures.confusion.cell_chosen):
        click_cell(page, qtbot, (0, 0))
    assert "not stored" in page.failures.confusion._note.text()


def test_training_images_are_left_out_until_asked_for_and_then_marked(page):
    assert 5 not in page.failures.cases.gallery.image_ids()
    page.failures.cases._all.setChecked(True)
    items = {item.image_id: item for item in page.failures.cases.gallery._cases.items}
    assert items[5].badge == "training"
    assert "not evidence" in items[5].sentence
    assert items[1].badge == ""


def test_a_flagged_case_says_why(page):
    note = CaseNote(2, "Study 7, image 1", ("Unlike the images it was trained on.",))
    page.set_state(replace(STATE, notes=(note,)))
    item = next(item for item in page.failures.cases.gallery._cases.items if item.image_id == 2)
    assert item.badge == "flagged"
    assert note.caption in item.sentence
    assert note.flags[0] in item.sentence


def test_a_training_image_is_called_no_evidence_in_its_sheet(page):
    page.set_case(sheet(4))
    assert "not evidence" in page.case_sheet.role_text()
    page.set_case(sheet(0))
    assert page.case_sheet.role_text() == "Not seen in training"


def test_confident_errors_come_first_and_uncertain_ones_on_request(page):
    assert page.failures.cases.gallery.image_ids() == (2, 4, 1, 3)
    page.failures.cases.set_order("uncertain")
    assert page.failures.cases.gallery.image_ids()[0] == 3


def test_without_an_estimate_the_reason_stands_in_place_of_the_table(page):
    evaluation = Evaluation("none", NoEstimate("too_few_patients", "lesion", 3))
    reason = no_estimate_text(evaluation)
    page.set_state(replace(STATE, evaluation=evaluation))
    assert reason in page.result.banner.text()
    assert page.result.methods._reason.text() == reason
    assert not page.result.methods.table.isVisible()
    assert not page.failures.confusion.isVisible()


def test_the_verdict_is_stated(page):
    assert verdict_sentence(EVALUATION) in page.result.banner.text()
    assert "No difference shown" in page.result.banner.text()


def test_the_page_says_that_it_is_not_for_diagnosis(page):
    from PySide6.QtWidgets import QLabel

    assert any(NOT_DIAGNOSTIC in label.text() for label in page.findChildren(QLabel) if label.isVisible())


def test_without_a_run_the_page_says_what_to_do_next(page):
    page.set_state(InspectState())
    assert page._empty.isVisible()


def test_a_map_that_failed_its_control_is_not_shown(page):
    page.set_case(sheet(explanation=explanation(trusted=False)))
    assert not page.case_sheet.image.has_veil
    assert not page.case_sheet._veil.isEnabled()
    page.set_case(sheet(explanation=explanation()))
    assert page.case_sheet.image.has_veil


def test_the_map_can_be_taken_away(page):
    page.set_case(sheet(explanation=explanation()))
    page.case_sheet._veil.click()
    assert not page.case_sheet.image.has_veil


def test_an_explanation_is_asked_for_by_image(page, qtbot):
    page.set_case(sheet(1))
    with qtbot.waitSignal(page.case_sheet.explain_requested) as caught:
        page.case_sheet._explain.click()
    assert caught.args == [2]


@pytest.mark.parametrize("from_gallery", [True, False])
def test_a_digit_relabels_the_open_case(page, qtbot, from_gallery):
    page.show_tab("failures")
    page.set_case(sheet(1))
    target = page.failures.cases.gallery if from_gallery else page.case_sheet
    with qtbot.waitSignal(page.relabel_requested) as caught:
        qtbot.keyClick(target, Qt.Key.Key_2)
    assert caught.args == [2, 1]
    with qtbot.assertNotEmitted(page.relabel_requested):
        qtbot.keyClick(target, Qt.Key.Key_7)


def test_the_label_buttons_show_the_label_now(page, qtbot):
    page.set_case(sheet(1))
    buttons = [page.case_sheet._labels.itemAt(i).widget() for i in range(2)]
    assert [button.isChecked() for button in buttons] == [True, False]


def test_another_run_is_asked_for_by_number(page, qtbot):
    with qtbot.waitSignal(page.run_chosen) as caught:
        page._runs.activated.emit(1)
    assert caught.args == [1]


shares = st.floats(0, 1).map(lambda share: (share, 1 - share))
predictions = st.lists(
    st.builds(
        Prediction,
        st.integers(1, 99),
        st.sampled_from(["train", "test", "out_of_fold", "pool"]),
        st.sampled_from([None, 0, 1]),
        shares,
        shares,
    ),
    max_size=30,
)


@given(predictions)
def test_the_cells_share_out_the_labelled_evidence(given_predictions):
    cells = [(true, predicted) for true in (0, 1) for predicted in (0, 1)]
    found = [case for cell in cells for case in filtered(given_predictions, CaseFilter(cell=cell))]
    wanted = [case for case in given_predictions if is_evidence(case) and case.label is not None]
    assert len(found) == len(wanted)
    assert all(is_evidence(case) for case in found)


@given(predictions, st.sampled_from(["errors", "mistakes", "uncertain", "confident"]))
def test_sorting_loses_no_case(given_predictions, order):
    result = ordered(given_predictions, order)
    assert sorted(map(repr, result)) == sorted(map(repr, given_predictions))
    if order == "errors":
        wrong = [case.label is not None and winner(case.adapted) != case.label for case in result]
        assert wrong == sorted(wrong, reverse=True)
