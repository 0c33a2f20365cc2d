from __future__ import annotations

import pytest

from clipsvd_app.domain.explanation import DirectionChange, MatrixChange, Phrase
from clipsvd_app.engine.explain.concepts import Concepts
from clipsvd_app.engine.explain.occlusion import Saliency
from clipsvd_app.engine.explain.wording import case_sources, case_text, run_sources, run_text

PHRASE = Phrase("a band of fog", 0.7)
GOOD = Concepts((PHRASE,), 0.8, 0.0)
GRID = ((0.1, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.9))
TRUSTED = Saliency(GRID, is_trusted=True)


def case(
    concepts: Concepts = GOOD, saliency: Saliency = TRUSTED, adapted: tuple[float, ...] = (0.9, 0.1)
) -> str:
    return case_text(("nodule", "normal"), adapted, (0.3, 0.7), concepts, saliency)


def test_a_case_says_both_answers_concepts_and_place() -> None:
    text = case()
    for words in ("“nodule” (90 %)", "answered “normal” (70 %)", "a band of fog", "lower right part"):
        assert words in text


@pytest.mark.parametrize(
    "concepts", [Concepts((PHRASE,), 0.59, 0.0), Concepts((PHRASE,), 0.9, 0.11), Concepts((), 0.0, 0.0)]
)
def test_concepts_that_failed_a_control_are_never_claimed(concepts: Concepts) -> None:
    text = case(concepts)
    assert "fog" not in text
    assert "reads as" not in text
    assert any(words in text for words in ("do not explain", "unreliable", "No phrase"))


def test_a_map_that_failed_its_control_names_no_place() -> None:
    text = case(saliency=Saliency(GRID, is_trusted=False))
    assert "did not pass its control" in text
    assert "depends most" not in text


def test_a_near_tie_is_called_one() -> None:
    assert "almost a tie" in case(adapted=(0.52, 0.48))
    assert "almost a tie" not in case()


def test_the_sources_name_the_controls_and_the_centre() -> None:
    assert "the mean of the run's images" in case_sources(GOOD, centre_of_run=True)
    text = case_sources(GOOD, centre_of_run=False)
    for words in ("shuffled copies", "ten random orders", "no medical meaning"):
        assert words in text


MATRICES = (
    MatrixChange("visual.a", "image", 2, "fc2", 0.2),
    MatrixChange("text.a", "text", 0, "o", 0.1),
)


def direction(positive: tuple[Phrase, ...] = (), negative: tuple[Phrase, ...] = ()) -> DirectionChange:
    return DirectionChange("visual.a", "image", 2, 4, 1.0, 1.5, 0.3, positive, negative)


def test_a_run_says_what_moved() -> None:
    text = run_text(MATRICES, [direction((PHRASE,))], 1234)
    for words in (
        "1,234",
        "second MLP matrix of layer 3 of the image tower",
        "strengthened direction 5",
        "fog",
    ):
        assert words in text


def test_a_run_without_phrases_says_so() -> None:
    assert "none is put into words" in run_text(MATRICES, [direction()], 10)


def test_a_run_that_changed_nothing_says_so() -> None:
    assert "changed nothing" in run_text(MATRICES, [], 10)


def test_no_text_speaks_of_heads_as_if_they_were_known() -> None:
    texts = run_text(MATRICES, [direction((PHRASE,), (PHRASE,))], 10) + case()
    assert "head" not in texts
    assert "nothing is said of attention heads" in run_sources(12)
