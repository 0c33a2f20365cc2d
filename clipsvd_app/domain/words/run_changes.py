"""What a run changed, in sentences that are never more certain than the controls behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.contributions import heads_are_told
from clipsvd_app.domain.results.explanation import ENOUGH_IMAGES, FEWEST_IMAGES, NULL_DRAWS, ROTATIONS
from clipsvd_app.domain.words.class_phrases import class_lines
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.domain.words.phrases import PART_KINDS, quoted
from clipsvd_app.domain.words.statement import Statement
from clipsvd_app.domain.words.trained import probe_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.explanation import (
        ClassHeadChange,
        Control,
        DirectionChange,
        HeadChange,
        MatrixChange,
        RunExplanation,
    )

_NAMED_HEADS = 2
_FROM_SIGMA = "Computed exactly from the singular values."


def run_statements(found: RunExplanation, class_names: Sequence[str]) -> tuple[Statement, ...]:
    """Return the sentences of a run, each with how it is known; first what distinguishes the classes."""
    if not found.matrices:
        return ()
    of_classes = (*class_lines(found.classes, class_names), *_class_head(found.class_head))
    if not found.directions:
        unchanged = "Adaptation did not change the model."
        if found.class_head is not None:
            unchanged = "Adaptation changed no singular value, only the class head."
        return (*of_classes, Statement(unchanged, _FROM_SIGMA, "sizes"))
    heads = [] if not found.heads else [_heads_statement(found)]
    return (
        *of_classes,
        Statement(_sizes(found.matrices), _FROM_SIGMA, "sizes"),
        Statement(
            _directions(found.directions, found.matrices), _known_of_directions(found.images), "directions"
        ),
        *heads,
    )


def _class_head(found: ClassHeadChange | None) -> tuple[Statement, ...]:
    """Say how far a class head moves the class texts."""
    if found is None:
        return ()
    least, most = min(found.offsets), max(found.offsets)
    far = percent(most) if percent(least) == percent(most) else f"{percent(least)} to {percent(most)}"
    start = probe_words(found.start)
    text = f"A class head, started from {start}, moves the class texts by {far} of their length."
    return (Statement(text, "Read from the adapter: offsets of the class texts, and biases.", "sizes"),)


def left_out_notes(found: RunExplanation) -> tuple[str, ...]:
    """Return sentences on the phrases and images that were not used."""
    notes = [f"The phrase pack “{name}” has errors and was not used." for name in found.packs_left_out]
    if found.images_replaced:
        images = counted(found.images_replaced, "image was", "images were")
        notes.append(f"{images} replaced by different files with the same names, and not used.")
    if found.images_unread:
        images = counted(found.images_unread, "image")
        notes.append(f"{images} could not be read and were not used.")
    return tuple(notes)


def _sizes(matrices: Sequence[MatrixChange]) -> str:
    most = max(matrices, key=lambda change: change.relative_change)
    mean = sum(change.relative_change for change in matrices) / len(matrices)
    means = {}
    for tower in ("image", "text"):
        changes = [change.relative_change for change in matrices if change.tower == tower]
        means[tower] = sum(changes) / len(changes) if changes else 0.0
    larger, smaller = sorted(means, key=lambda tower: -means[tower])
    return (
        f"Adaptation changed {counted(len(matrices), 'matrix', 'matrices')} by {percent(mean)} on average:"
        f" the {larger} encoder by {percent(means[larger])}, the {smaller} encoder by"
        f" {percent(means[smaller])}, and the {_place(most)} most, by {percent(most.relative_change)}."
    )


def _place(change: MatrixChange) -> str:
    return f"{PART_KINDS[change.kind]} of {change.tower} layer {change.layer + 1}"


def _directions(directions: Sequence[DirectionChange], matrices: Sequence[MatrixChange]) -> str:
    where = {change.name: _place(change) for change in matrices}
    first = directions[0]
    verb = "strengthened" if first.sigma > first.sigma_base else "weakened"
    strongest = (
        f"The largest effect comes from direction {first.index + 1} of the {where[first.matrix]}, which was"
        f" {verb} (singular value {first.sigma_base:.3g} to {first.sigma:.3g})."
    )
    described = [entry for entry in directions if entry.positive or entry.negative]
    if not described:
        return (
            f"{strongest} No direction is described, because none is closer to a phrase of the corpus than"
            " random directions are."
        )
    entry = described[0]
    poles = [quoted(pole[:1]) for pole in (entry.positive, entry.negative) if pole]
    likeness = " and, at its other pole, to ".join(poles)
    return f"{strongest} Direction {entry.index + 1} of the {where[entry.matrix]} is closest to {likeness}."


def _heads_statement(found: RunExplanation) -> Statement:
    moved = max(found.heads, key=lambda head: head.relative_change)
    most = (
        f"The attention head that changed most is head {moved.head + 1} of {moved.tower} layer"
        f" {moved.layer + 1} (by {percent(moved.relative_change)})."
    )
    described = _described(found.heads, found.controls, found.images)
    return Statement(f"{most} {described}", _known_of_heads(found.images), "heads")


def _described(heads: Sequence[HeadChange], controls: Sequence[Control], images: int) -> str:
    read = [head for head in heads if head.after is not None]
    if not read:
        return _why_unread(images)
    if not heads_are_told(controls):
        return f"No reliable description of the heads: {_why_unsure(controls, len(read))}."
    above = next(control for control in controls if control.code == "heads_above_chance")
    caution = "" if images >= ENOUGH_IMAGES else f" (based on only {counted(images, 'image')})"
    told = [head for head in read if head.after is not None and head.after.phrases]
    told.sort(key=lambda head: -head.relative_change)
    lines = [_one_head(head) for head in told[:_NAMED_HEADS]]
    found = f"Phrases exceed chance in {int(above.value)} of {counted(len(read), 'head')}{caution}"
    return f"{found}{': ' + '; '.join(lines) if lines else ''}."


def _why_unsure(controls: Sequence[Control], heads: int) -> str:
    by_code = {control.code: control for control in controls}
    above, won = by_code["heads_above_chance"], by_code["head_controls"]
    if not above.passed:
        return (
            f"phrases exceed chance in {int(above.value)} of {heads}, and up to {int(above.limit)} are"
            " expected by chance"
        )
    return (
        f"negative controls lead in {percent(won.value)} of the heads above chance"
        f" (limit: {percent(won.limit)})"
    )


def _one_head(head: HeadChange) -> str:
    assert head.after is not None
    before = "had no reliable description"
    if head.before is not None and head.before.phrases:
        before = f"was closest to {quoted(head.before.phrases[:1])}"
    return (
        f"head {head.head + 1} of layer {head.layer + 1} {before} and is now closest to"
        f" {quoted(head.after.phrases[:1])}"
    )


def _why_unread(images: int) -> str:
    if images < FEWEST_IMAGES:
        return f"Heads are not described: {counted(images, 'image')} of at least {FEWEST_IMAGES}."
    return "The heads of this image encoder cannot be described, because their outputs do not add up."


def _known_of_directions(images: int) -> str:
    return (
        "A direction's effect is its change times the root mean square of its input over"
        f" {counted(images, 'image')} (for the text encoder, over the prompts). A phrase is shown only if its"
        " similarity to the direction exceeds that of the best phrase for as many random directions in 95 %"
        f" of {NULL_DRAWS} draws. Only directions that write to the output of the image encoder can be"
        " described."
    )


def _known_of_heads(images: int) -> str:
    return (
        "A head's change compares the product of its value and output matrices before and after adaptation."
        f" Its phrases are those along which its output varies most over {counted(images, 'image')}"
        f" ({ENOUGH_IMAGES} recommended), if they exceed the best of all phrases in 95 % of {ROTATIONS}"
        " random rotations of the phrases; one head in twenty exceeds this by chance."
    )
