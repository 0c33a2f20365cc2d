"""What distinguishes the classes, in sentences that are never more certain than the controls behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.explanation import LARGEST_CHANCE, PERMUTATIONS
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.domain.words.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.explanation import ClassChange, ClassPhrase

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
    phrases = " and ".join(_with_figures(change, phrase) for phrase in change.told_after()[:_MENTIONED])
    return f"Unseen images of “{name}” are distinguished by {phrases}."


def _with_figures(change: ClassChange, phrase: ClassPhrase) -> str:
    before = f"{phrase.before:+.2f}" if phrase in change.told_before() else "not reliable"
    return f"“{phrase.text}” ({phrase.after:+.2f}; before adaptation {before})"


def _only_before(change: ClassChange, name: str) -> str:
    phrases = sorted(change.told_before(), key=lambda phrase: -phrase.before)[:_MENTIONED]
    listed = " and ".join(f"“{phrase.text}”" for phrase in phrases)
    return (
        f"Before adaptation, images of “{name}” were distinguished by {listed}; after it, no phrase is"
        " reliable."
    )


def _untold(changes: Sequence[ClassChange], names: Sequence[str]) -> list[str]:
    """Say of the other classes why there are no phrases for them."""
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
            f"No phrases are shown for {_listed(unsure, names)}, because negative controls score as high."
        )
    if few:
        sentences.append(f"No phrases are shown for {_listed(few, names)}, because too few exceed chance.")
    if below:
        sentences.append(f"No phrase was shown to distinguish {_listed(below, names)}.")
    return sentences


def _listed(changes: Sequence[ClassChange], names: Sequence[str]) -> str:
    if len(changes) > _NAMED:
        return f"{len(changes)} of the classes"
    quoted = [f"“{names[change.label]}”" for change in changes]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if quoted[1:] else quoted)


def _known(changes: Sequence[ClassChange]) -> str:
    images = sum(change.images for change in changes)
    return (
        f"Each of {counted(images, 'labelled image')} was evaluated by a model that was not trained on its"
        " patient. Figures are differences of mean cosines between the images of the class and the others;"
        " the strongest is slightly optimistic. A phrase must exceed the best of all phrases in all but 5 %"
        f" of {PERMUTATIONS:,} draws with shuffled labels, corrected for the number of classes. The list must"
        f" also contain as few negative controls as at most {percent(LARGEST_CHANCE)} of random lists. A"
        " phrase indicates the topic, not its direction: such models confuse a word with its opposite."
    )
