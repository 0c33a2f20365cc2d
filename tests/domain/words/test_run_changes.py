from __future__ import annotations

from clipsvd_app.domain.results.explanation import (
    ClassHeadChange,
    DirectionChange,
    HeadChange,
    HeadReading,
    MatrixChange,
    Phrase,
    RunExplanation,
)
from clipsvd_app.domain.words.run_changes import left_out_notes, run_statements
from clipsvd_app.engine.explain.run_controls import run_controls

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
    explanation = RunExplanation(
        MATRICES, changes, heads=found, images=images, controls=run_controls(found, images)
    )
    said = run_statements(explanation, ())
    assert all(statement.how_we_know for statement in said)
    return " ".join(statement.text for statement in said)


def test_a_run_says_what_moved() -> None:
    said = text((direction((PHRASE,)),))
    for words in ("direction 5 of the second MLP matrix of image layer 3, which was strengthened", "fog"):
        assert words in said


def test_a_run_without_phrases_says_so() -> None:
    assert "No direction is described" in text()


def test_a_class_head_is_told_in_one_sentence() -> None:
    head = ClassHeadChange("linear_probe", (0.25, 0.5), (0.1, -0.1))
    found = RunExplanation(MATRICES, (), class_head=head)
    one, other = run_statements(found, ())
    assert one.text.startswith("A class head, started from the linear probe, moves the class texts by 25.0")
    assert one.text.endswith("to 50.0\N{NO-BREAK SPACE}% of their length.")
    assert other.text == "Adaptation changed no singular value, only the class head."


def test_a_run_that_changed_nothing_says_so() -> None:
    assert text(()) == "Adaptation did not change the model."


def test_heads_above_the_null_are_told_with_what_they_were() -> None:
    said = text(found=heads(TOLD, TOLD, TOLD, SILENT))
    assert "head 1 of layer 1 had no reliable description and is now closest to “a drifting cloud”" in said
    assert "3 of 4 heads" in said


def test_no_more_heads_than_chance_gives_are_not_told() -> None:
    said = text(found=heads(TOLD, *[SILENT] * 19))
    assert "No reliable description of the heads" in said
    assert "cloud" not in said


def test_heads_are_not_told_where_controls_win() -> None:
    said = text(found=heads(TOLD, TOLD, TOLD, TOLD, CONTROL))
    assert "No reliable description of the heads: negative controls lead in 20" in said
    assert "cloud" not in said


def test_few_images_are_said_to_be_few() -> None:
    assert "based on only 40 images" in text(found=heads(TOLD, TOLD, TOLD, SILENT), images=40)
    assert "Heads are not described: 12 images" in text(images=12)


def test_what_was_left_out_is_said():
    found = RunExplanation((), (), packs_left_out=("mine",), images_replaced=1, images_unread=2)
    pack, replaced, unread = left_out_notes(found)
    assert "“mine” has errors" in pack
    assert replaced.startswith("1 image was replaced")
    assert "2 images could not be read" in unread
    assert left_out_notes(RunExplanation((), ())) == ()
