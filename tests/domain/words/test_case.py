from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.made_explanation import made_case

from clipsvd_app.domain.results.explanation import (
    Attribution,
    CaseMap,
    DeletionCurve,
    MapSpecificity,
    Phrase,
    ScorePart,
)
from clipsvd_app.domain.words.case import (
    answer_statement,
    attribution_statement,
    case_statements,
    map_statement,
)
from clipsvd_app.domain.words.statement import Statement, about

PHRASE = Phrase("a band of fog", 0.7)
CURVE = DeletionCurve((0.0, 1.0), (1.0, 0.0), 0.5)
GRID = ((0.1, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.9))
MAP = CaseMap("heads", GRID, True, CURVE, (CURVE,), CURVE)
NAMES = ("nodule", "normal")
OWN, SHARED = MapSpecificity(0.5, 0.2, 19), MapSpecificity(0.1, 0.2, 19)
PARTS = (
    ScorePart(0.5, 0.6, "q", "image", 2),
    ScorePart(0.1, -0.2, "k", "text", 0),
)
CHANGE = Attribution(1.0, 1.6, PARTS, 0.0, 0.1, 0.5, 0.0, 4)


def concepts(
    phrases: tuple[Phrase, ...], cosine: float, control_share: float, *, centre_of_run: bool = True
) -> Statement:
    case = replace(
        made_case(),
        concepts=phrases,
        concepts_cosine=cosine,
        control_share=control_share,
        centre_of_run=centre_of_run,
    )
    return about(case_statements(case), "concepts")[0]


def test_both_predictions_are_stated() -> None:
    text = answer_statement(NAMES, (0.9, 0.1), (0.3, 0.7)).text
    assert "“nodule” (90.0\N{NO-BREAK SPACE}%)" in text
    assert "it predicted “normal” (70.0\N{NO-BREAK SPACE}%)" in text


def test_a_near_tie_is_called_one() -> None:
    assert "almost a tie" in answer_statement(NAMES, (0.52, 0.48), (0.9, 0.1)).text
    assert "almost a tie" not in answer_statement(NAMES, (0.9, 0.1), (0.9, 0.1)).text


def test_the_change_is_told_by_encoder_and_layer() -> None:
    text = attribution_statement(CHANGE, NAMES, 0, 1).text
    for words in (
        "from +0.10 to +0.50",
        "+0.60 through the image",
        "-0.20 through the text",
        "image layer 3",
    ):
        assert words in text


HEAD = ScorePart(0.3, 0.25, "class_head", tower=None)


def test_the_share_of_a_class_head_is_told_beside_the_encoders() -> None:
    said = attribution_statement(replace(CHANGE, parts=(*PARTS, HEAD)), NAMES, 0, 1)
    assert "-0.20 through the text encoder and +0.25 by the class head, with the largest" in said.text
    assert "class head is in place on the whole path" in said.how_we_know


def test_a_change_by_the_class_head_alone_names_no_layer() -> None:
    text = attribution_statement(replace(CHANGE, parts=(HEAD,)), NAMES, 0, 1).text
    assert text.endswith("and +0.25 by the class head.")


def test_parts_that_do_not_add_up_are_not_told() -> None:
    text = attribution_statement(replace(CHANGE, margin_residual=0.01), NAMES, 0, 1).text
    assert "cannot be attributed" in text
    assert "through the image" not in text


def test_a_change_of_nothing_is_said_to_be_none() -> None:
    same = replace(CHANGE, adapted_margin=0.1, parts=())
    assert "did not change the margin" in attribution_statement(same, NAMES, 0, 1).text


@pytest.mark.parametrize("found", [((), 0.59, 0.0), ((PHRASE,), 0.9, 0.11), ((), 0.0, 0.0)])
def test_concepts_that_failed_a_control_are_never_claimed(found) -> None:
    text = concepts(*found).text
    assert "fog" not in text
    assert any(words in text for words in ("do not explain", "not shown", "No phrase"))


def test_concepts_that_passed_are_said_with_what_they_are_measured_from() -> None:
    good = concepts((PHRASE,), 0.8, 0.0)
    assert "fog" in good.text
    assert "the mean of the run's images" in good.how_we_know
    assert "shuffled copies" in concepts((PHRASE,), 0.8, 0.0, centre_of_run=False).how_we_know


def test_a_map_that_passed_names_a_place() -> None:
    assert "lower right part" in map_statement(MAP, OWN).text
    assert "lower right part" in map_statement(MAP, None).text


def test_a_map_that_failed_a_control_names_no_place() -> None:
    failed = map_statement(replace(MAP, passed=False), OWN).text
    assert "failed its deletion test" in failed
    shared = map_statement(MAP, SHARED).text
    assert "not specific" in shared
    assert "depends most" not in failed + shared


def test_every_statement_says_how_it_is_known() -> None:
    said = case_statements(made_case())
    assert [statement.topic for statement in said] == ["answer", "change", "concepts", "map"]
    assert all(statement.how_we_know.endswith(".") for statement in said)
