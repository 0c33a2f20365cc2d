"""What tells the classes apart, in plain words that are never more certain than the controls behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.explanation import LARGEST_CHANCE, Statement
from clipsvd_app.engine.explain.class_words import PERMUTATIONS, STRONGEST
from clipsvd_app.engine.explain.words import count, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.explanation import ClassChange, ClassPhrase

_MENTIONED = 2
_AS_BEFORE = 1.5
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
    phrases = change.told_after()[:_MENTIONED]
    return f"Unseen images of “{name}” stand out by {_both(phrases)}; {_compared(change, phrases[0])}."


def _only_before(change: ClassChange, name: str) -> str:
    phrases = sorted(change.told_before(), key=lambda phrase: -phrase.before)[:_MENTIONED]
    return (
        f"Before adaptation images of “{name}” stood out by {_both(phrases)}; for the adapted model no words "
        "hold as reliably."
    )


def _both(phrases: Sequence[ClassPhrase]) -> str:
    return " and ".join(f"“{phrase.text}”" for phrase in phrases)


def _compared(change: ClassChange, phrase: ClassPhrase) -> str:
    if phrase.before <= change.before.threshold:
        return "before adaptation they did not"
    if not change.before.is_told:
        return "what the unadapted model saw in them was not reliable"
    ratio = phrase.after / phrase.before
    if ratio >= _AS_BEFORE:
        return f"adaptation made that {ratio:.1f} times as strong"
    if ratio <= 1 / _AS_BEFORE:
        return f"adaptation weakened that to {100 * ratio:.0f} %"
    return "they did about as much before adaptation"


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
        sentences.append(f"No phrase sets {_listed(below, names)} apart better than chance does.")
    return sentences


def _listed(changes: Sequence[ClassChange], names: Sequence[str]) -> str:
    if len(changes) > _NAMED:
        return f"{len(changes)} of the classes"
    quoted = [f"“{names[change.label]}”" for change in changes]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if quoted[1:] else quoted)


def _known(changes: Sequence[ClassChange]) -> str:
    images = sum(change.images for change in changes)
    return (
        f"Each of {count(images, 'labelled image')} was read by a model that had not seen its patient. A "
        "phrase counts where the class's images lie nearer to it than the others do by more than the best of "
        f"all phrases reaches in 95 % of {PERMUTATIONS} draws with shuffled labels. Phrases that describe no "
        f"such image compete with them: the {STRONGEST} strongest are told only where so few of these are "
        f"among them as in {percent(LARGEST_CHANCE)} of lists drawn at random. A phrase tells the theme: "
        "models of this kind confuse a word with its opposite."
    )
