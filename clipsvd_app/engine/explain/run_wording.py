"""What a run changed, in plain words that are never more certain than the controls behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.contributions import ABOVE_CHANCE, FEW_CONTROLS, heads_are_told
from clipsvd_app.domain.results.explanation import Statement
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.engine.explain.model.directions import NULL_DRAWS
from clipsvd_app.engine.explain.model.text_span import ENOUGH_IMAGES, FEWEST_IMAGES, ROTATIONS
from clipsvd_app.engine.explain.model.words import MATRIX_KINDS, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.explanation import Control, DirectionChange, HeadChange, MatrixChange

# In a sentence; the page describes all of them.
_NAMED_HEADS = 2
_FROM_SIGMA = "The sizes of change follow exactly from the singular values."


def run_statements(
    matrices: Sequence[MatrixChange],
    directions: Sequence[DirectionChange],
    heads: Sequence[HeadChange],
    controls: Sequence[Control],
    images: int,
    of_classes: Sequence[Statement] = (),
) -> tuple[Statement, ...]:
    """Return the sentences of a run's paragraph, each with how it is known; first what it is for."""
    if not directions:
        unchanged = "Adaptation changed nothing: every singular value is the base model's."
        return (*of_classes, Statement(unchanged, _FROM_SIGMA, "sizes"))
    return (
        *of_classes,
        Statement(_sizes(matrices), _FROM_SIGMA, "sizes"),
        Statement(_directions(directions, matrices), _known_of_directions(images), "directions"),
        Statement(_heads_sentence(heads, controls, images), _known_of_heads(images), "heads"),
    )


def _sizes(matrices: Sequence[MatrixChange]) -> str:
    most = max(matrices, key=lambda change: change.relative_change)
    mean = sum(change.relative_change for change in matrices) / len(matrices)
    means = {}
    for tower in ("image", "text"):
        changes = [change.relative_change for change in matrices if change.tower == tower]
        means[tower] = sum(changes) / len(changes) if changes else 0.0
    larger, smaller = sorted(means, key=lambda tower: -means[tower])
    return (
        f"Adaptation moved {counted(len(matrices), 'matrix', 'matrices')} by {percent(mean)} on average, the "
        f"{larger} tower by {percent(means[larger])} and the {smaller} tower by {percent(means[smaller])}; "
        f"the {_place(most)} moved most, by {percent(most.relative_change)}."
    )


def _place(change: MatrixChange) -> str:
    return f"{MATRIX_KINDS[change.kind]} of layer {change.layer + 1} of the {change.tower} tower"


def _directions(directions: Sequence[DirectionChange], matrices: Sequence[MatrixChange]) -> str:
    where = {change.name: _place(change) for change in matrices}
    first = directions[0]
    verb = "strengthened" if first.sigma > first.sigma_base else "weakened"
    strongest = (
        f"The change with the largest effect {verb} direction {first.index + 1} of the {where[first.matrix]} "
        f"(singular value {first.sigma_base:.3g} to {first.sigma:.3g})."
    )
    described = [entry for entry in directions if entry.positive or entry.negative]
    if not described:
        return (
            f"{strongest} None of the directions comes nearer to a phrase of the corpus than random "
            "directions do, so none is put into words."
        )
    entry = described[0]
    poles = [quoted(pole[:1]) for pole in (entry.positive, entry.negative) if pole]
    likeness = " and, at its other pole, ".join(poles)
    return f"{strongest} Direction {entry.index + 1} of the {where[entry.matrix]} lies nearest to {likeness}."


def _heads_sentence(heads: Sequence[HeadChange], controls: Sequence[Control], images: int) -> str:
    moved = max(heads, key=lambda head: head.relative_change)
    most = (
        f"The attention head that changed most is head {moved.head + 1} of layer {moved.layer + 1} of the "
        f"{moved.tower} tower (by {percent(moved.relative_change)})."
    )
    read = [head for head in heads if head.after is not None]
    if not read:
        return f"{most} {_why_unread(images)}"
    above = next(control for control in controls if control.name == ABOVE_CHANCE)
    if not heads_are_told(controls):
        return f"{most} There is no reliable description of the heads: {_why_unsure(controls, len(read))}."
    caution = "" if images >= ENOUGH_IMAGES else f", from {counted(images, 'image')} only"
    told = [head for head in read if head.after is not None and head.after.phrases]
    told.sort(key=lambda head: -head.relative_change)
    lines = [_one_head(head) for head in told[:_NAMED_HEADS]]
    found = f"Phrases exceed their null in {int(above.value)} of {counted(len(read), 'head')}{caution}"
    return f"{most} {found}{': ' + '; '.join(lines) if lines else ''}."


def _why_unsure(controls: Sequence[Control], heads: int) -> str:
    held = {control.name: control for control in controls}
    above, won = held[ABOVE_CHANCE], held[FEW_CONTROLS]
    if not above.passed:
        return (
            f"phrases exceed their null in {int(above.value)} of {heads}, and chance alone gives up to"
            f" {int(above.limit)}"
        )
    return (
        f"of those that exceed their null, {percent(won.value)} are won by phrases that describe no such"
        f" image, and {percent(won.limit)} are allowed"
    )


def _one_head(head: HeadChange) -> str:
    assert head.after is not None
    before = "had no reliable description"
    if head.before is not None and head.before.phrases:
        before = f"was nearest to {quoted(head.before.phrases[:1])}"
    return (
        f"head {head.head + 1} of layer {head.layer + 1} {before} and is now nearest to "
        f"{quoted(head.after.phrases[:1])}"
    )


def _why_unread(images: int) -> str:
    if images < FEWEST_IMAGES:
        return (
            f"Heads are not described from {counted(images, 'image')}; at least {FEWEST_IMAGES} are needed."
        )
    return "The heads of this image tower cannot be described: their outputs do not simply add up."


def _known_of_directions(images: int) -> str:
    return (
        "A direction's effect is its change times the root mean square of its input over "
        f"{counted(images, 'image')} (for the text tower, over the prompts). A phrase is shown only where "
        "its likeness to a direction exceeds what the best phrase reaches for as many random directions in "
        f"95 % of {NULL_DRAWS} draws. Only directions that write into the image tower's output "
        "can be read in words."
    )


def _known_of_heads(images: int) -> str:
    return (
        "A head's change compares what it reads and writes, as one product, before and after. Its phrases "
        f"are those along which its output varies most over {counted(images, 'image')} ({ENOUGH_IMAGES} are "
        f"asked for), and only those that exceed the best of all phrases in 95 % of {ROTATIONS} random "
        "rotations of the phrases; one head in twenty exceeds that by chance."
    )
