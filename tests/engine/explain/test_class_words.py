"""What distinguishes the classes: planted words are found, shuffled labels and other fits' offsets"
" are not."""

from __future__ import annotations

import numpy as np
import pytest
from support.changing import replace

from clipsvd_app.corpus import CorpusPhrase
from clipsvd_app.domain.results.explanation import (
    ClassChange,
    ClassPhrase,
    ClassReading,
)
from clipsvd_app.domain.words.class_phrases import class_lines
from clipsvd_app.engine.explain.class_words import UnseenPart, class_changes, leading_axis, list_length

PHRASES = 40
CONTROLS = range(30, PHRASES)
MARGIN = 9
NAMES = ("smooth", "spiky", "none")


def corpus() -> tuple[CorpusPhrase, ...]:
    return tuple(
        CorpusPhrase(
            id=f"p{row}",
            text=f"phrase {row}",
            modality="none" if row in CONTROLS else "any",
            anatomy="",
            axis="control" if row in CONTROLS else "margin" if row < MARGIN else "shape",
            polarity="",
            synonyms=(),
        )
        for row in range(PHRASES)
    )


def part(generator: np.random.Generator, strength: float = 0.0) -> UnseenPart:
    """Eighteen patients of three classes; those of class 1 lie nearer to one axis, most to its phrase 2."""
    labels = tuple(place % 3 for place in range(18))
    rows = 0.05 * generator.standard_normal((18, PHRASES)).astype(np.float32)
    after = rows.copy()
    after[np.array(labels) == 1, :MARGIN] += strength
    after[np.array(labels) == 1, 2] += strength / 4
    return UnseenPart(labels, tuple(f"p{place}" for place in range(18)), rows, after)


def test_the_planted_phrase_leads_its_class_and_was_not_there_before() -> None:
    generator = np.random.default_rng(6)
    found = class_changes([part(generator, strength=0.3)], corpus(), 3)
    assert [change.label for change in found] == [0, 1, 2]
    told = found[1].told_after()
    assert told[0].text == "phrase 2"
    assert told[0].axis == "margin"
    assert told[0].after > 4 * abs(told[0].before)
    assert not found[1].told_before()
    assert (found[1].images, found[1].patients) == (6, 6)
    assert leading_axis(found) == "margin"
    assert leading_axis(found, adapted=False) == ""


def test_the_score_of_one_fit_is_the_difference_of_the_means() -> None:
    one = part(np.random.default_rng(1), strength=0.3)
    of_class = np.array(one.labels) == 1
    difference = one.after[of_class, 2].mean() - one.after[~of_class, 2].mean()
    told = class_changes([one], corpus(), 3)[1].told_after()
    assert told[0].after == pytest.approx(difference, rel=1e-5)


def test_a_shift_between_fits_changes_nothing() -> None:
    """Each fit has its own text tower, so cosines of different fits cannot be compared as they are."""
    parts = [part(np.random.default_rng(seed), strength=0.3) for seed in range(3)]
    shifted = [
        replace(one, before=one.before + shift, after=one.after + shift)
        for one, shift in zip(parts, np.float32([0, 5, -9]), strict=True)
    ]
    for plain, moved in zip(
        class_changes(parts, corpus(), 3), class_changes(shifted, corpus(), 3), strict=True
    ):
        assert plain.after.best == pytest.approx(moved.after.best, abs=1e-5)
        assert [p.text for p in plain.told_after()] == [p.text for p in moved.told_after()]


def test_shuffled_labels_are_told_apart_no_more_often_than_chance() -> None:
    generator = np.random.default_rng(2)
    spoken = sum(
        any(change.after.is_above for change in class_changes([part(generator)], corpus(), 3, seed))
        for seed in range(40)
    )
    assert spoken <= 6


def test_many_images_of_one_patient_count_once() -> None:
    """Copies of one image make nothing surer: the readings are those of the patients alone."""
    one = part(np.random.default_rng(3), strength=0.1)
    copies = [0] * 30
    rows = [*range(18), *copies]
    more = UnseenPart(
        tuple(one.labels[row] for row in rows),
        tuple(one.patient_ids[row] for row in rows),
        one.before[rows],
        one.after[rows],
    )
    for few, many in zip(class_changes([one], corpus(), 3), class_changes([more], corpus(), 3), strict=True):
        assert few.after.threshold == pytest.approx(many.after.threshold)
        assert few.patients == many.patients


def test_controls_silence_a_class() -> None:
    one = part(np.random.default_rng(4))
    after = one.after.copy()
    after[np.array(one.labels) == 1, 28:33] += 0.3
    found = class_changes([replace(one, after=after)], corpus(), 3)[1]
    assert found.after.is_above
    assert found.after.controls == 3
    assert not found.after.is_told
    assert found.phrases == ()
    said = class_lines([found], NAMES)[0]
    assert "negative controls score as high" in said.text
    assert "phrase 28" not in said.text


def test_a_few_phrases_are_too_few_to_be_told() -> None:
    """One in four phrases is a control, so three descriptions without any are nothing out of the ordinary."""
    one = part(np.random.default_rng(4))
    after = one.after.copy()
    after[np.array(one.labels) == 1, 10:13] += 0.3
    found = class_changes([replace(one, after=after)], corpus(), 3)[1]
    assert (found.after.listed, found.after.controls) == (3, 0)
    assert not found.after.is_told
    assert "too few exceed chance" in class_lines([found], NAMES)[0].text


def test_a_class_that_no_fit_can_compare_is_left_out() -> None:
    one = part(np.random.default_rng(5))
    alone = UnseenPart((1,) * 18, one.patient_ids, one.before, one.after)
    assert class_changes([alone], corpus(), 2) == ()


UNSURE = ClassReading(0.1, 0.05, listed=10, controls=5, by_chance=0.9)


def told(before: float, after: float, *, base: ClassReading | None = None) -> ClassChange:
    reading = ClassReading(after, 0.1, listed=10, controls=0, by_chance=0.01)
    unadapted = base or ClassReading(before, 0.05, listed=10, controls=0, by_chance=0.01)
    return ClassChange(1, 6, 6, unadapted, reading, (ClassPhrase("a spiky edge", "margin", before, after),))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (told(0.1, 0.3), "(+0.30; before adaptation +0.10)"),
        (told(0.02, 0.3), "(+0.30; before adaptation not reliable)"),
        (
            told(0.1, 0.3, base=UNSURE),
            "(+0.30; before adaptation not reliable)",
        ),
    ],
)
def test_what_adaptation_did_to_a_phrase_is_said(change: ClassChange, said: str) -> None:
    statement = class_lines([change], NAMES)[0]
    assert statement.text == f"Unseen images of “spiky” are distinguished by “a spiky edge” {said}."
    assert "a model that was not trained on its patient" in statement.how_we_know
    assert statement.topic == "classes"


def test_words_that_adaptation_made_unreliable_are_told_of_the_unadapted_model_alone() -> None:
    change = replace(told(0.2, 0.3), after=ClassReading(0.3, 0.1, listed=10, controls=4, by_chance=0.8))
    text = class_lines([change], NAMES)[0].text
    assert text.startswith(
        "Before adaptation, images of “spiky” were distinguished by “a spiky edge”; after it"
    )
    assert "are distinguished" not in text


def test_where_nothing_is_told_apart_it_says_so() -> None:
    nothing = ClassReading(0.01, 0.05, 0, 0, 1.0)
    changes = [ClassChange(label, 5, 5, nothing, nothing) for label in range(3)]
    text = class_lines(changes, NAMES)[0].text
    assert text == "No phrase was shown to distinguish “smooth”, “spiky” or “none”."
    assert class_lines([], NAMES) == ()


def test_where_controls_are_rare_the_list_is_longer() -> None:
    """A list of ten without a control is nothing unusual where one phrase in fourteen is one."""
    assert list_length(np.arange(40) < 10) == 10
    rare = np.arange(700) < 50
    assert list_length(rare) == 40
    assert (1 - rare.mean()) ** 10 > 0.4


def test_labels_that_every_shuffling_repeats_show_nothing() -> None:
    """Two patients, one of each class: all labellings reach the same score, so nothing is above chance."""
    rows = np.random.default_rng(7).standard_normal((2, PHRASES)).astype(np.float32)
    found = class_changes([UnseenPart((0, 1), ("a", "b"), rows, rows)], corpus(), 2)
    assert not any(change.after.is_above for change in found)
