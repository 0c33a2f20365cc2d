from __future__ import annotations

from clipsvd_app.domain.results.explanation import (
    DirectionChange,
    HeadChange,
    HeadReading,
    MatrixChange,
    Phrase,
)
from clipsvd_app.engine.explain.run_controls import run_controls
from clipsvd_app.engine.explain.run_wording import run_statements

PHRASE = Phrase("a band of fog", 0.7)
MATRICES = (
    MatrixChange("visual.a", "image", 2, "fc2", 0.2),
    MatrixChange("text.a", "text", 0, "o", 0.1),
)
TOLD = HeadReading((Phrase("a drifting cloud", 0.4),), 0.4, 0.2)
SILENT = HeadReading((), 0.1, 0.2)
CONTROL = HeadReading((), 0.4, 0.2, is_control=True)


def direction(positive: tuple[Phrase, ...] = ()) -> DirectionChange:
    return DirectionChange("visual.a", "image", 2, 4, 1.0, 1.5, 0.3, positive, ())


def heads(*readings: HeadReading | None) -> tuple[HeadChange, ...]:
    return tuple(
        HeadChange("image", 0, place, 0.1, SILENT, reading) for place, reading in enumerate(readings)
    )


def text(
    changes: tuple[DirectionChange, ...] = (direction(),),
    found: tuple[HeadChange, ...] = heads(None),
    images: int = 64,
) -> str:
    said = run_statements(MATRICES, changes, found, run_controls(found, images), images)
    assert all(statement.how_we_know for statement in said)
    return " ".join(statement.text for statement in said)


def test_a_run_says_what_moved() -> None:
    said = text((direction((PHRASE,)),))
    for words in ("strengthened direction 5 of the second MLP matrix of layer 3 of the image tower", "fog"):
        assert words in said


def test_a_run_without_phrases_says_so() -> None:
    assert "none is put into words" in text()


def test_a_run_that_changed_nothing_says_so() -> None:
    assert text(()) == "Adaptation changed nothing: every singular value is the base model's."


def test_heads_above_the_null_are_told_with_what_they_were() -> None:
    said = text(found=heads(TOLD, TOLD, TOLD, SILENT))
    assert "head 1 of layer 1 had no reliable description and is now nearest to “a drifting cloud”" in said
    assert "3 of 4 heads" in said


def test_no_more_heads_than_chance_gives_are_not_told() -> None:
    said = text(found=heads(TOLD, *[SILENT] * 19))
    assert "no reliable description of the heads" in said
    assert "cloud" not in said


def test_heads_are_not_told_where_controls_win() -> None:
    said = text(found=heads(TOLD, TOLD, TOLD, TOLD, CONTROL))
    assert "no reliable description of the heads: of those that exceed their null, 20" in said
    assert "cloud" not in said


def test_few_images_are_said_to_be_few() -> None:
    assert "from 40 images only" in text(found=heads(TOLD, TOLD, TOLD, SILENT), images=40)
    assert "Heads are not described from 12 images" in text(images=12)
