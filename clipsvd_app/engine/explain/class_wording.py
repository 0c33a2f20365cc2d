"""How the classes differ, in plain words that are never more certain than the controls behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.explanation import LARGEST_CHANCE, Statement
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.engine.explain.class_words import PERMUTATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.explanation import ClassChange, ClassPhrase

# Phrases and classes in a sentence; the page lists all of them.
_MENTIONED = 2
_NAMED = 4


def class_lines(changes: Sequence[ClassChange], names: Sequence[str]) -> tuple[Statement, ...]:
    """Return the sentences about the classes as one statement; none where nothing unseen was read."""
    if not changes:
        return ()
    told = [change for change in changes if change.told_after()]
    told.sort(key=lambda change: -change.told_after()[0].after)
    lost = [change for change in changes if change.told_before() and not change.told_after()]
    sentences = [_one_class(change, names[change.label]) for change in told[:_NAMED]]
    sentences += [_only_before(change, names[change.label]) for change in lost[:_NAMED]]
    return (Statement(" ".join([*sentences, *_untold(changes, names)]), _known(changes), "classes"),)


def _one_class(change: ClassChange, name: str) -> str:
    said = " and ".join(_with_figures(change, phrase) for phrase in change.told_after()[:_MENTIONED])
    return f"Unseen images of “{name}” stand out by {said}."


def _with_figures(change: ClassChange, phrase: ClassPhrase) -> str:
    before = f"{phrase.before:+.2f}" if phrase in change.told_before() else "nothing reliable"
    return f"“{phrase.text}” ({phrase.after:+.2f}; before adaptation {before})"


def _only_before(change: ClassChange, name: str) -> str:
    phrases = sorted(change.told_before(), key=lambda phrase: -phrase.before)[:_MENTIONED]
    said = " and ".join(f"“{phrase.text}”" for phrase in phrases)
    return (
        f"Before adaptation images of “{name}” stood out by {said}; for the adapted model no words hold as "
        "reliably."
    )


def _untold(changes: Sequence[ClassChange], names: Sequence[str]) -> list[str]:
    """Say of the other classes why there are no words for them."""
    sentences = []
    silent = [
        change
        for change in changes
        if change.after.is_above and not change.told_after() and not change.told_before()
    ]
    unsure = [change for change in silent if change.after.controls]
    few = [change for change in silent if not change.after.controls]
    below = [change for change in changes if not change.after.is_above and not change.told_before()]
    if unsure:
        sentences.append(
            f"What sets {_listed(unsure, names)} apart is not put into words: phrases that describe no such "
            "image set it apart as well."
        )
    if few:
        sentences.append(
            f"What sets {_listed(few, names)} apart is not put into words: too few phrases do to tell "
            "descriptions from chance."
        )
    if below:
        sentences.append(f"Of no phrase is it shown that it sets {_listed(below, names)} apart.")
    return sentences


def _listed(changes: Sequence[ClassChange], names: Sequence[str]) -> str:
    if len(changes) > _NAMED:
        return f"{len(changes)} of the classes"
    quoted = [f"“{names[change.label]}”" for change in changes]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if quoted[1:] else quoted)


def _known(changes: Sequence[ClassChange]) -> str:
    images = sum(change.images for change in changes)
    return (
        f"Each of {counted(images, 'labelled image')} was read by a model that had not seen its patient. "
        "The figures say how much nearer the class's images lie to a phrase than the others do (difference "
        "of mean cosines); the strongest flatters a little. A phrase counts only beyond what the best "
        f"of all phrases reaches in all but 5 % of {PERMUTATIONS:,} draws with shuffled labels, shared among "
        "the classes. Phrases that describe no such image compete: a list is believed only where lists drawn "
        f"at random have as few of them in at most {percent(LARGEST_CHANCE)} of draws. A phrase tells the "
        "theme: models of this kind confuse a word with its opposite."
    )
