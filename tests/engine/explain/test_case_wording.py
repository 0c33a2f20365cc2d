from __future__ import annotations

import pytest
from msgspec.structs import replace

from clipsvd_app.domain.results.explanation import (
    Attribution,
    CaseMap,
    DeletionCurve,
    MapSpecificity,
    Phrase,
    ScorePart,
)
from clipsvd_app.engine.explain.case_wording import (
    answer_statement,
    attribution_statement,
    concepts_statement,
    map_statement,
)
from clipsvd_app.engine.explain.concepts import Concepts

PHRASE = Phrase("a band of fog", 0.7)
CURVE = DeletionCurve((0.0, 1.0), (1.0, 0.0), 0.5)
GRID = ((0.1, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.9))
MAP = CaseMap("heads", GRID, True, CURVE, (CURVE,), CURVE)
NAMES = ("nodule", "normal")
OWN, SHARED = MapSpecificity(0.5, 0.2, 19), MapSpecificity(0.1, 0.2, 19)
PARTS = (
    ScorePart("image layer 3, query", 0.5, 0.6, "q", "image", 2),
    ScorePart("text layer 1, key", 0.1, -0.2, "k", "text", 0),
)
CHANGE = Attribution(1.0, 1.6, PARTS, 0.0, 0.1, 0.5, 0.0, 4)


def test_both_answers_are_said() -> None:
    text = answer_statement(NAMES, (0.9, 0.1), (0.3, 0.7)).text
    assert "“nodule” (90.0\N{NO-BREAK SPACE}%)" in text
    assert "answered “normal” (70.0\N{NO-BREAK SPACE}%)" in text


def test_a_near_tie_is_called_one() -> None:
    assert "almost a tie" in answer_statement(NAMES, (0.52, 0.48), (0.9, 0.1)).text
    assert "almost a tie" not in answer_statement(NAMES, (0.9, 0.1), (0.9, 0.1)).text


def test_the_change_is_told_by_side_and_layer() -> None:
    text = attribution_statement(CHANGE, NAMES, 0, 1).text
    for words in ("from +0.10 to +0.50", "+0.60 through the image", "-0.20 through the text", "layer 3"):
        assert words in text


def test_parts_that_do_not_add_up_are_not_told() -> None:
    text = attribution_statement(replace(CHANGE, margin_residual=0.01), NAMES, 0, 1).text
    assert "cannot be told apart" in text
    assert "through the image" not in text


def test_a_change_of_nothing_is_said_to_be_none() -> None:
    same = replace(CHANGE, adapted_margin=0.1, parts=())
    assert "left the margin" in attribution_statement(same, NAMES, 0, 1).text


@pytest.mark.parametrize(
    "concepts", [Concepts((PHRASE,), 0.59, 0.0), Concepts((PHRASE,), 0.9, 0.11), Concepts((), 0.0, 0.0)]
)
def test_concepts_that_failed_a_control_are_never_claimed(concepts: Concepts) -> None:
    text = concepts_statement(concepts, centre_of_run=True).text
    assert "fog" not in text
    assert any(words in text for words in ("do not explain", "unreliable", "No phrase"))


def test_concepts_that_passed_are_said_with_what_they_are_measured_from() -> None:
    good = Concepts((PHRASE,), 0.8, 0.0)
    assert "fog" in concepts_statement(good, centre_of_run=True).text
    assert "the mean of the run's images" in concepts_statement(good, centre_of_run=True).how_we_know
    assert "shuffled copies" in concepts_statement(good, centre_of_run=False).how_we_know


def test_a_map_that_passed_names_a_place() -> None:
    assert "lower right part" in map_statement(MAP, OWN).text
    assert "lower right part" in map_statement(MAP, None).text


def test_a_map_that_failed_a_control_names_no_place() -> None:
    failed = map_statement(replace(MAP, passed=False), OWN).text
    assert "did not pass its control" in failed
    shared = map_statement(MAP, SHARED).text
    assert "not specific" in shared
    assert "depends most" not in failed + shared


def test_every_statement_says_how_it_is_known() -> None:
    said = (
        answer_statement(NAMES, (0.9, 0.1), (0.3, 0.7)),
        attribution_statement(CHANGE, NAMES, 0, 1),
        concepts_statement(Concepts((), 0.0, 0.0), centre_of_run=True),
        map_statement(MAP, OWN),
    )
    assert all(statement.how_we_know.endswith(".") for statement in said)
