"""Phrases with their bars: of a class, of an attention head, and the concepts of one image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.figures.figure import Axis, Bar, Bars, Figure, Mark, Panel, Rule, percent_axis, row_axis
from clipsvd_app.figures.towers import NO_WORDS, head_sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.explanation import (
        ClassChange,
        ClassPhrase,
        HeadChange,
        HeadReading,
        Phrase,
    )

_STATES = ("before", "after")
_CLASS_HEADER = (
    *("phrase", "axis", "before", "after", "threshold_before", "threshold_after"),
    *("told_before", "told_after"),
)


def class_phrases_figure(change: ClassChange | None, name: str = "") -> Figure:
    """Return two bars a phrase: how much nearer it lies to the class than to the others, against chance."""
    title = "Phrases of one class"
    if change is None:
        return Figure(title, "", (), (_CLASS_HEADER,))
    limits = repr(change.before.threshold), repr(change.after.threshold)
    table = (
        (
            *(p.text, p.axis, repr(p.before), repr(p.after), *limits),
            *("yes" if p in told else "no" for told in (change.told_before(), change.told_after())),
        )
        for p in change.phrases
    )
    sentences = [_class_sentence(change, phrase) for phrase in change.phrases]
    said = "; ".join([name, *sentences]) if sentences else ""
    panels = (_class_panel(change, sentences),) if sentences else ()
    return Figure(title, said, panels, (_CLASS_HEADER, *table))


def head_phrases_figure(head: HeadChange | None, *, told: bool) -> Figure:
    """Return a bar a phrase: the share of the head's variance that it explains, before and after.

    Without ``told`` no phrase is named, whatever the head's own threshold says.
    """
    title, header = "Phrases of one head", ("state", "phrase", "share_of_variance", "threshold")
    if head is None:
        return Figure(title, "", (), (header,))
    rows = [
        (state, reading, text, score, reliable)
        for state, reading in zip(_STATES, (head.before, head.after), strict=True)
        if reading is not None
        for text, score, reliable in _rows(reading, told=told)
    ]
    table = [(state, text, repr(score), repr(reading.threshold)) for state, reading, text, score, _ in rows]
    said = "; ".join(f"{state} adaptation: {text} ({percent(score)})" for state, _, text, score, _ in rows)
    panels = (_head_panel(rows),) if rows else ()
    return Figure(title, f"{head_sentence(head)}. {said}", panels, (header, *table))


def concepts_figure(concepts: Sequence[Phrase]) -> Figure:
    """Return the concepts of an image with their weights, the strongest first."""
    ranked = sorted(concepts, key=lambda phrase: -phrase.score)
    bars = tuple(
        Bar(_lying(row, phrase.score, 0.3), "accent", f"{phrase.text}: {phrase.score:.3f}")
        for row, phrase in enumerate(ranked)
    )
    table = (("concept", "weight"), *((phrase.text, repr(phrase.score)) for phrase in ranked))
    said = "; ".join(f"{phrase.text} {phrase.score:.2f}" for phrase in ranked)
    panels: tuple[Panel, ...] = ()
    if ranked:
        values = tuple((float(row), f"{phrase.score:.2f}") for row, phrase in enumerate(ranked))
        axis = Axis("", 0.0, max(ranked[0].score, 1e-9), (), grid=False)
        names = row_axis(phrase.text for phrase in ranked)
        panels = (Panel(axis, names, (Bars(bars, by_row=True),), right=values, rows=len(ranked)),)
    return Figure("Concepts", said, panels, table)


def _class_panel(change: ClassChange, sentences: Sequence[str]) -> Panel:
    marks: list[Mark] = []
    for state, reading, ink in (
        ("before", change.before, "text_faint"),
        ("after", change.after, "accent"),
    ):
        bars = tuple(
            Bar(
                _lying(row + (0.18 if state == "after" else -0.18), getattr(phrase, state), 0.15),
                ink,
                hollow=not reading.is_told,
            )
            for row, phrase in enumerate(change.phrases)
        )
        marks.append(Bars(bars, f"{state} adaptation" + ("" if reading.is_told else " (not reliable)")))
        limit = "text_faint" if state == "before" else "warning"
        marks.append(Rule(reading.threshold, limit, f"shuffled labels, {state}", upright=True))
    rows = tuple(
        Bar((0.0, 0.0, row - 0.5, row + 0.5), "text_faint", said) for row, said in enumerate(sentences)
    )
    reached = [value for phrase in change.phrases for value in (phrase.before, phrase.after)]
    top = 1.05 * max(*reached, change.before.threshold, change.after.threshold, 1e-9)
    values = tuple((float(row), f"{phrase.after:+.2f}") for row, phrase in enumerate(change.phrases))
    return Panel(
        Axis("Difference of mean cosine similarity", 0.0, top),
        row_axis(phrase.text for phrase in change.phrases),
        (*marks, Bars(rows, by_row=True)),
        right=values,
        rows=len(sentences),
    )


def _class_sentence(change: ClassChange, phrase: ClassPhrase) -> str:
    before, after = change.figures(phrase)
    return f"{phrase.text}: {before} before adaptation, {after} after (in brackets: not reliable)"


_HeadRow = tuple[str, "HeadReading", str, float, bool]


def _head_panel(rows: Sequence[_HeadRow]) -> Panel:
    marks: list[Mark] = []
    for state, ink in zip(_STATES, ("text_faint", "accent"), strict=True):
        bars = tuple(
            Bar(_lying(place, 100 * score, 0.25), ink, _head_said(rows, place), hollow=not reliable)
            for place, (own, _, _, score, reliable) in enumerate(rows)
            if own == state
        )
        if bars:
            marks.append(Bars(bars, f"{state} adaptation", by_row=True))
    first = [place for place, row in enumerate(rows) if place == 0 or rows[place - 1][0] != row[0]]
    # Every further phrase is held to a lower line of its own, of what the ones before it leave over.
    marks += [
        Rule(
            100 * rows[place][1].threshold,
            "warning",
            "chance",
            upright=True,
            between=(place - 0.5, place + 0.5),
        )
        for place in first
    ]
    top = 110 * max(max(reading.best, reading.threshold) for _, reading, *_ in rows)
    values = tuple((float(place), percent(row[3])) for place, row in enumerate(rows))
    axis = percent_axis("Share of the head's variance", high=top or 1.0)
    names = row_axis(text for _, _, text, _, _ in rows)
    return Panel(axis, names, tuple(marks), right=values, rows=len(rows))


def _rows(reading: HeadReading, *, told: bool) -> list[tuple[str, float, bool]]:
    shown = [(phrase.text, phrase.score, True) for phrase in reading.phrases] if told else []
    return shown or [(NO_WORDS, reading.best, False)]


def _head_said(rows: Sequence[_HeadRow], place: int) -> str:
    state, reading, text, score, _ = rows[place]
    said = f"{text}: {percent(score)} of the variance {state} adaptation"
    if place == 0 or rows[place - 1][0] != state:
        return f"{said}; chance reaches {percent(reading.threshold)}"
    return f"{said}, above chance once the phrases above are removed"


def _lying(row: float, value: float, half: float) -> tuple[float, float, float, float]:
    return 0.0, max(0.0, value), row - half, row + half
