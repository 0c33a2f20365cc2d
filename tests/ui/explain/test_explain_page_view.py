"""Facts about the Explain page: what failed its control is not shown, and everything can be taken along."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog
from shiboken6 import delete
from support.changing import replace
from support.made_explanation import NAMES, PLAIN_RUN, RUN, attribution, case_map, made_case, untold

from clipsvd_app.corpus import PackReport
from clipsvd_app.domain.results.explanation import ClassHeadChange, MapSpecificity, ScorePart
from clipsvd_app.domain.results.run import Prediction
from clipsvd_app.figures.towers import NO_WORDS
from clipsvd_app.ui.explain.cards.map_card import NOT_MADE, NOT_SPECIFIC
from clipsvd_app.ui.explain.cards.margin_card import NOT_ADDED
from clipsvd_app.ui.explain.cards.part_card import PartCard
from clipsvd_app.ui.explain.case_tab import NOT_EXPLAINED
from clipsvd_app.ui.explain.change_tab import NONE_TITLE
from clipsvd_app.ui.explain.page import ExplainPage
from clipsvd_app.ui.explain.state import CaseView, ExplainState, PacksState
from clipsvd_app.ui.explain.trust_tab import NO_RUN_CONTROLS

pytestmark = pytest.mark.gui
PREDICTIONS = (
    Prediction(1, "train", 0, (0.9, 0.1), (0.5, 0.5)),
    Prediction(2, "test", 0, (0.2, 0.8), (0.5, 0.5)),
    Prediction(3, "test", 1, (0.3, 0.7), (0.5, 0.5)),
)
TITLES = tuple((p.image_id, f"P00{p.image_id} · {p.image_id}") for p in PREDICTIONS)


@pytest.fixture
def page(qtbot, theme):
    page = ExplainPage(theme)
    qtbot.addWidget(page)
    page.resize(1300, 800)
    page.set_state(state())
    with qtbot.waitExposed(page):
        page.show()
    yield page
    delete(page)


def state(explanation=RUN, number=3) -> ExplainState:
    runs = (number,)
    return ExplainState(runs, number, explanation, NAMES, PREDICTIONS, TITLES)


def picture() -> QImage:
    image = QImage(16, 16, QImage.Format.Format_Grayscale8)
    image.fill(100)
    return image


def view(case=None, **changes) -> CaseView:
    found = case or made_case(2)
    return replace(CaseView(found.image_id, "P002 · 2", picture(), found, 1), **changes)


def test_a_head_shows_its_phrases_before_and_after_with_the_null(page):
    page.change.choose_head(("image", 0, 0))
    rows = page.change.phrases.data_rows()[1:]
    assert rows[0] == ("before", NO_WORDS, "0.05", "0.1")
    assert [row[1] for row in rows if row[0] == "after"] == ["sharp margin", "round"]
    assert {row[3] for row in rows} == {"0.1"}


def test_heads_are_worked_by_arrow_keys(page, qtbot):
    page.change.choose_head(("image", 0, 0))
    qtbot.keyClick(page.change.heads, Qt.Key.Key_Right)
    assert "layer 2, head 1" in page.change.head_text()
    qtbot.keyClick(page.change.heads, Qt.Key.Key_Down)
    assert "layer 2, head 2" in page.change.head_text()


def test_a_class_is_told_by_its_phrases_before_and_after(page):
    page.set_state(state())
    card = page.change.classes
    assert card.phrases.data_rows()[1] == (
        *("a spiky edge", "margin", "0.02", "0.3", "0.05", "0.1"),
        *("no", "yes"),
    )
    assert len(card.phrases.data_rows()) == 1 + 3
    assert "7 images of “lesion” of 6 patients" in card.note()
    assert "Unseen images of “lesion” are distinguished by “a spiky edge”" in card.text()
    card.choose(0)
    assert card.phrases.data_rows()[1:] == ()
    assert "No reliable description" in card.note()
    assert "4 of the 10 strongest phrases are negative controls" in card.note()


def test_phrases_that_hold_before_adaptation_alone_are_said_to(page):
    unsure = replace(RUN.classes[1], after=replace(RUN.classes[1].after, controls=5, by_chance=0.9))
    page.set_state(state(replace(RUN, classes=(unsure,))))
    assert "held only before adaptation" in page.change.classes.note()


def test_an_image_that_was_trained_on_is_said_to_be(page):
    seen = replace(PREDICTIONS[1], role="out_of_fold", adapted=(0.7, 0.3))
    page.set_state(replace(state(), predictions=(PREDICTIONS[0], seen, PREDICTIONS[2])))
    page.set_case(view())
    assert "“normal”, 70.0\N{NO-BREAK SPACE}%" in page.case.answer.text()
    assert "were not trained on this patient" in page.case.answer.text()
    page.set_case(view(made_case(1)))
    assert "is not evidence for unseen patients" in page.case.answer.text()
    page.set_case(view(made_case(3)))
    assert "trained on" not in page.case.answer.text()


@pytest.mark.parametrize("role", ["test", "out_of_fold"])
def test_list_sentence_and_bars_state_one_probability(page, role):
    known = replace(PREDICTIONS[1], role=role, adapted=(0.7, 0.3) if role == "out_of_fold" else (0.3, 0.7))
    page.set_state(replace(state(), predictions=(known,)))
    page.set_case(view(made_case(2)))
    item = page.case.chooser._item(known)
    assert page.case.answer.sentence.text().count("70.0\N{NO-BREAK SPACE}%") == 1
    assert page.case.bars.data_rows()[1 + item.predicted][1] == "0.7"
    assert item.probability == 0.7


def test_image_and_answer_come_first_and_details_are_folded(page):
    page.set_case(view())
    assert page.case.map.isVisibleTo(page.case)
    assert page.case.answer.isVisibleTo(page.case)
    for part in (page.case.margin, page.case.words, page.case.concepts_card, page.case.map.check):
        assert not part.isVisibleTo(page.case)
    page.case.details.set_open(True)
    assert page.case.margin.isVisibleTo(page.case)


def test_how_it_is_known_stands_behind_one_sign_of_each_card(page, qtbot):
    page.set_case(view())
    card = page.case.answer
    assert not card.how.isVisibleTo(card)
    qtbot.mouseClick(card.info, Qt.MouseButton.LeftButton)
    assert card.how.isVisibleTo(card)
    assert "probabilities" in card.how.text()


def test_a_run_that_read_no_classes_says_how_to_have_them(page):
    page.set_state(state(replace(RUN, classes=())))
    assert "train again" in page.change.classes.note()


def test_no_head_is_named_when_the_controls_of_the_run_failed(page):
    page.set_state(state(untold()))
    page.change.choose_head(("image", 0, 0))
    assert {row[1] for row in page.change.phrases.data_rows()[1:]} == {NO_WORDS}
    assert "sharp margin" not in str(page.change.heads.data_rows())
    assert "their controls failed" in page.change.head_text()
    assert NONE_TITLE in page.change.banner.text()


def test_a_head_of_the_text_tower_is_given_by_size_alone(page):
    page.change.choose_head(("text", 0, 0))
    assert "only the amount of change" in page.change.head_text()
    assert not page.change.phrases.isVisible()


def test_directions_come_strongest_first_and_one_without_words_says_so(page):
    rows = page.change.directions.data_rows()[1:]
    assert [row[6] for row in rows] == ["0.9", "0.5", "0.1"]
    assert "no reliable description" in page.change.directions.accessibleDescription()


def test_a_direction_shows_both_poles_and_its_images(page, qtbot):
    page.change.choose_direction(1)
    poles = page.change.poles
    assert "sharp margin" in poles.positive.words()
    assert poles.negative.words() == NO_WORDS
    assert poles.positive.strip.image_ids() == (1, 2)
    with qtbot.waitSignal(page.case_opened) as caught:
        poles.positive.strip.open_at(1)
    assert caught.args == [2]


def test_the_arrow_keys_go_through_the_directions(page, qtbot):
    for _ in range(2):
        qtbot.keyClick(page.change.directions, Qt.Key.Key_Down)
    assert "Text layer 1" in page.change.poles.headline()


def test_a_clicked_matrix_says_by_how_much_it_changed(page):
    page.change.layers.opened.emit("image.1.o")
    assert "changed by" in page.change.matrix_text()
    assert "image.1.o" in page.change.matrix_text()


def test_a_run_without_heads_opens_and_can_be_explained_again(page, qtbot):
    page.set_state(state(PLAIN_RUN))
    assert "Adaptation changed 3" in page.change.words.text()
    assert page.trust.run_text() == NO_RUN_CONTROLS
    with qtbot.waitSignal(page.explain_again):
        page.change._again.click()


def test_explaining_again_shows_progress_and_can_be_cancelled(page, qtbot):
    page.change.set_progress(("Recording activations", 3, 10))
    assert page.change._bar.isVisible()
    assert not page.change._again.isEnabled()
    with qtbot.waitSignal(page.change.cancel_requested):
        page.change._cancel.click()
    page.change.set_progress(None)
    assert not page.change._bar.isVisible()


def test_the_list_offers_cases_and_marks_the_open_one(page, qtbot):
    assert set(page.case.chooser.gallery.image_ids()) == {2, 3}
    with qtbot.waitSignal(page.case_opened) as caught:
        page.case.chooser.gallery.open_row(0)
    assert caught.args == [2]
    page.set_case(view(made_case(1)))
    assert 1 in page.case.chooser.gallery.image_ids()


def test_the_waterfall_ends_at_the_shown_margin(page):
    page.set_case(view())
    for detail in ("head", "layer", "side", "terms"):
        page.case.margin.choose(detail)
        rows = page.case.margin.waterfall.data_rows()[1:]
        steps = sum(float(row[4]) for row in rows[:-1])
        assert steps == pytest.approx(float(rows[-1][4]), abs=1e-9)


def test_a_class_head_is_a_bar_of_its_own_and_told_in_one_line(page):
    change, part = attribution(), ScorePart(0.3, 0.2, "class_head", tower=None)
    change = replace(change, parts=(*change.parts, part), adapted_margin=change.adapted_margin + part.margin)
    page.set_case(view(replace(made_case(2), attribution=change)))
    assert "+0.20 by the class head" in page.case.margin.text()
    for detail in ("head", "layer", "side"):
        page.case.margin.choose(detail)
        rows = page.case.margin.waterfall.data_rows()[1:]
        assert [float(row[4]) for row in rows if row[0] == "Class head"] == [pytest.approx(0.2)]
    head = ClassHeadChange("text_probe", (0.4, 0.4), (0.0, 0.1))
    page.set_state(state(replace(RUN, class_head=head)))
    said = "A class head, started from the text-initialised probe, moves the class texts by 40.0"
    assert said in page.change.words.text()


def test_parts_that_do_not_add_up_are_not_drawn(page):
    page.set_case(view(replace(made_case(2), attribution=attribution(0.01))))
    assert page.case.margin.note() == NOT_ADDED
    assert not page.case.margin.waterfall.data_rows()[1:]


def test_a_map_is_shown_only_when_it_passed_its_control(page):
    page.set_case(view())
    assert page.case.map.image.has_veil
    page.case.map.choose("gradient")
    assert not page.case.map.image.has_veil
    assert "not shown" in page.case.map.verdict()
    assert len(page.case.map.image.data_rows()) == 1


def test_a_map_like_those_of_nonsense_carries_a_warning(page):
    page.set_case(view(replace(made_case(2), map_specificity=MapSpecificity(0.3, 0.4, 19))))
    assert NOT_SPECIFIC in page.case.map.verdict()


def test_the_map_of_hidden_patches_is_made_on_demand(page, qtbot):
    page.set_case(view())
    page.case.map.choose("occlusion")
    assert page.case.map.verdict() == NOT_MADE
    with qtbot.waitSignal(page.case.occlusion_wanted) as caught:
        page.case.map._make.click()
    assert caught.args == [2]
    page.case.map.set_progress(("Masking patches", 16, 64))
    assert page.case.map._bar.value() == 16
    page.set_case(view(made_case(2, case_map(), case_map("occlusion"))))
    assert page.case.map.kind == "occlusion"
    assert page.case.map.image.has_veil


def test_a_case_that_waits_shows_how_far_it_is_and_can_be_cancelled(page, qtbot):
    page.set_case(view(explanation=None, progress=("Attributing the change", 2, 4)))
    assert page.case.is_pending
    assert "Attributing the change" in page.case._stage.text()
    with qtbot.waitSignal(page.case.cancel_requested):
        page.case._cancel.click()
    page.set_case(view(explanation=None))
    assert page.case._stage.text() == NOT_EXPLAINED


def test_concepts_that_are_not_reliable_give_way_to_the_reason(page):
    page.set_case(view(replace(made_case(2), concepts=())))
    page.case.details.set_open(True)
    assert not page.case.concepts.isVisibleTo(page.case)
    assert page.case.concepts_card.sentence.text().startswith("Concepts ")


def test_another_run_takes_the_case_away(page):
    page.set_case(view())
    page.set_state(state(number=4))
    assert page.case.image_id is None


def test_trust_counts_what_held_and_what_is_left_over(page):
    page.set_case(view())
    assert page.trust.run_text().startswith("2 of 2")
    assert page.trust.case_text().startswith("1 of 1")
    assert "Reference images: 64" in page.trust._basis.text()
    assert "specific" in page.trust._residuals.text()


def test_every_part_says_how_it_is_known(page):
    page.set_case(view())
    for card in page.findChildren(PartCard):
        assert len(card.text().splitlines()) > 1, card.text()
    for card in (page.case.margin, page.case.map, page.case.concepts_card, page.change.words):
        assert "How we know:" in card.text()


def test_a_part_is_saved_as_text_and_copied(page, tmp_path, monkeypatch):
    page.set_case(view())
    out = tmp_path / "margin.txt"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(out), ""))
    menu = page.case.margin.save_menu()
    titles = [action.text() for action in menu.actions()]
    assert titles == [
        "Save as picture, SVG…",
        "Save as picture, PDF…",
        "Save as picture, PNG…",
        "Save as numbers, CSV…",
        "Save as text…",
    ]
    menu.actions()[-1].trigger()
    menu.deleteLater()
    assert out.read_text(encoding="utf-8") == page.case.margin.text()
    page.case.margin._copy.click()
    assert QGuiApplication.clipboard().text() == page.case.margin.text()


def test_what_cannot_be_written_is_told(page, qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "no" / "a.txt"), ""))
    menu = page.change.words.save_menu()
    with qtbot.waitSignal(page.failed):
        menu.actions()[-1].trigger()
    menu.deleteLater()


def test_a_dropped_table_is_a_pack_and_a_dropped_image_a_case(page, qtbot, drop_files):
    with qtbot.waitSignal(page.pack_dropped) as caught:
        assert drop_files(page, Path("/a/words.csv"))
    assert caught.args == ["/a/words.csv"]
    with qtbot.waitSignal(page.file_dropped):
        assert drop_files(page, Path("/a/film.dcm"))
    assert not drop_files(page, Path("/a/other.clipsvd"))


def test_a_refused_pack_shows_its_faults_and_a_kept_one_can_be_removed(page, qtbot):
    packs = page.trust.packs
    bad = PackReport("bad", 1, 0, 0, {}, {}, ("Line 2 of “bad.csv” is short.",), ())
    page.trust.packs.set_state(PacksState((), refused=bad))
    assert "was not added" in packs.banner.text()
    good = PackReport("good", 3, 1, 0, {"radiography": 3}, {}, (), ("“x” names a diagnosis.",))
    page.trust.packs.set_state(PacksState((good,), added="good"))
    assert "“good” added" in packs.banner.text()
    remove = next(b for b in packs.findChildren(type(packs._again)) if "good" in b.accessibleName())
    with qtbot.waitSignal(page.trust.packs.remove_requested) as caught:
        remove.click()
    assert caught.args == ["good"]


def test_without_a_run_the_page_says_what_to_do_next(page):
    page.set_state(ExplainState())
    assert page._empty.isVisible()
