"""Facts about the Explain page: what failed its control is not shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtGui import QImage
from shiboken6 import delete

from clipsvd_app.domain.explanation import (
    CaseExplanation,
    DirectionChange,
    MatrixChange,
    Phrase,
    RunExplanation,
)
from clipsvd_app.ui.explain_page.case_card import MAP_NOT_TRUSTED, MAP_TRUSTED
from clipsvd_app.ui.explain_page.directions_card import NO_WORDS
from clipsvd_app.ui.explain_page.page import ExplainPage
from clipsvd_app.ui.explain_page.state import CaseView, ExplainState
from clipsvd_app.ui.inspect_page.state import RunChoice

pytestmark = pytest.mark.gui
WORDS = (Phrase("sharp margin", 0.3), Phrase("round", 0.2))
DIRECTIONS = (
    DirectionChange("image.1.o", "image", 1, 4, 2.0, 2.4, 0.5, WORDS, ()),
    DirectionChange("image.0.v", "image", 0, 1, 1.0, 0.9, 0.9, (), ()),
    DirectionChange("text.0.fc2", "text", 0, 7, 3.0, 3.1, 0.1, WORDS, WORDS),
)
MATRICES = (
    MatrixChange("image.1.o", "image", 1, "o", 0.01),
    MatrixChange("image.0.v", "image", 0, "v", 0.02),
    MatrixChange("text.0.fc2", "text", 0, "fc2", 0.003),
)
EXPLANATION = RunExplanation(MATRICES, DIRECTIONS, "The last layers changed most.", "From sigma alone.")
CASE = CaseExplanation(
    8,
    ("normal", "lesion"),
    (0.3, 0.7),
    (0.6, 0.4),
    WORDS,
    0.7,
    ((0.0, 1.0),),
    True,
    "The margin.",
    "Controls.",
)


@pytest.fixture
def page(qtbot, theme):
    page = ExplainPage(theme)
    qtbot.addWidget(page)
    page.resize(1300, 800)
    page.set_state(ExplainState((RunChoice(3, "Run 3"),), 3, EXPLANATION))
    with qtbot.waitExposed(page):
        page.show()
    yield page
    delete(page)


def view(**changes) -> CaseView:
    image = QImage(16, 16, QImage.Format.Format_Grayscale8)
    image.fill(100)
    return CaseView("Study 4", image, replace(CASE, **changes), 1)


def test_directions_come_strongest_first(page):
    assert [direction.effect for direction in page.directions.shown()] == [0.9, 0.5, 0.1]


def test_a_direction_without_words_says_so(page):
    assert page.directions.table.item(0, 4).text() == NO_WORDS
    assert page.directions.table.item(1, 4).text() == "sharp margin, round"
    assert page.directions.table.item(1, 5).text() == NO_WORDS


def test_a_tower_shows_its_own_directions(page):
    page.directions.show_tower("text")
    assert [direction.matrix for direction in page.directions.shown()] == ["text.0.fc2"]
    page.directions.show_tower("")
    assert len(page.directions.shown()) == 3


def test_a_clicked_matrix_shows_its_directions_until_all_are_asked_for(page):
    page.layers.picture.matrix_clicked.emit("image.1.o")
    assert [direction.matrix for direction in page.directions.shown()] == ["image.1.o"]
    assert "changed by" in page.layers._hint.text()
    page.directions._clear.click()
    assert len(page.directions.shown()) == 3


def test_how_we_know_stands_below_the_words(page):
    assert page._text.text() == EXPLANATION.text
    assert EXPLANATION.how_we_know in page._how.text()


def test_a_map_is_shown_only_when_it_passed_its_control(page):
    page.set_case(view())
    assert page.case.image.has_veil
    assert page.case._map.text() == MAP_TRUSTED
    page.set_case(view(saliency_trusted=False))
    assert not page.case.image.has_veil
    assert page.case._map.text() == MAP_NOT_TRUSTED


def test_concepts_that_do_not_rebuild_the_image_are_left_out(page):
    page.set_case(view())
    assert len(page.case.concepts.data_rows()) == 3
    page.set_case(view(concepts_cosine=0.59))
    assert len(page.case.concepts.data_rows()) == 1
    assert page.case._concepts_note.isVisible()


def test_another_run_takes_the_case_away(page):
    page.set_case(view())
    page.set_state(ExplainState((RunChoice(4, "Run 4"),), 4, EXPLANATION))
    assert page.case._hint.isVisible()


def test_without_a_run_the_page_says_what_to_do_next(page):
    page.set_state(ExplainState())
    assert page._empty.isVisible()


def test_a_direction_is_named_by_the_kind_of_its_matrix_whatever_the_matrix_is_called(page):
    name = "text.transformer.encoder.layer.2.intermediate.dense"
    found = RunExplanation(
        (MatrixChange(name, "text", 2, "fc1", 0.1),),
        (DirectionChange(name, "text", 2, 0, 1.0, 1.5, 0.5, (), ()),),
        "",
        "",
    )
    page.set_state(ExplainState((RunChoice(3, "Run 3"),), 3, found))
    assert page.directions.table.item(0, 0).text() == "Text 3 · MLP in"
