"""The findings in plain words, never more certain than their controls allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.engine.explain.concepts import LOWEST_COSINE
from clipsvd_app.engine.explain.directions import NULL_DRAWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.explanation import DirectionChange, MatrixChange, Phrase
    from clipsvd_app.engine.explain.concepts import Concepts
    from clipsvd_app.engine.explain.occlusion import Saliency

_KINDS = {
    "q": "query",
    "k": "key",
    "v": "value",
    "o": "output projection",
    "fc1": "first MLP matrix",
    "fc2": "second MLP matrix",
}
_NEAR_TIE = 0.10
_MENTIONED = 3


def run_text(matrices: Sequence[MatrixChange], directions: Sequence[DirectionChange], numbers: int) -> str:
    """Return one paragraph on what adaptation changed."""
    if not directions:
        return "Adaptation changed nothing: every singular value is the base model's."
    most = max(matrices, key=lambda change: change.relative_change)
    mean = sum(change.relative_change for change in matrices) / len(matrices)
    return " ".join(
        (
            f"Adaptation trained {numbers:,} singular values in {len(matrices)} matrices.",
            f"The matrices moved by {_percent(mean)} on average; the {_KINDS[most.kind]} of layer "
            f"{most.layer + 1} of the {most.tower} tower moved most, by {_percent(most.relative_change)}.",
            _towers(matrices),
            _strongest(directions[0]),
            _described(directions),
        )
    )


def run_sources(images: int) -> str:
    """Return how each statement about a run was obtained and tested."""
    return (
        "The sizes of change follow exactly from the singular values. A direction's effect is "
        f"its change times the root mean square of its input over {_count(images, 'image')} (for the text "
        "tower, over the prompts). A phrase is shown only where its likeness to a direction exceeds what the "
        f"best phrase reaches for as many random directions in 95 % of {NULL_DRAWS} draws. Only "
        "directions that write into the image tower's output can be read in words; the others are given by "
        "size alone, and nothing is said of attention heads."
    )


def case_text(
    class_names: Sequence[str],
    adapted: Sequence[float],
    zero_shot: Sequence[float],
    concepts: Concepts,
    saliency: Saliency,
) -> str:
    """Return one paragraph on one image."""
    return " ".join(
        (_answer(class_names, adapted, zero_shot), concepts_sentence(concepts), saliency_sentence(saliency))
    )


def case_sources(concepts: Concepts, *, centre_of_run: bool) -> str:
    """Return how each statement about a case was obtained and tested."""
    against = "the mean of the run's images" if centre_of_run else "shuffled copies of the image itself"
    return (
        f"Concepts are the few corpus phrases whose sum comes nearest to what sets the image "
        f"apart from {against} (cosine {concepts.cosine:.2f}; {LOWEST_COSINE} is needed). Phrases of no "
        f"medical meaning compete with them as a control and took {_percent(concepts.control_share)} of the "
        "weight (10 % is the limit); phrases that name a class are left out. The map shows how much the "
        "margin falls when a patch is hidden; it is trusted only if hiding patches in its order lowers the "
        "margin clearly faster than ten random orders, and faster than from the centre outwards."
    )


def concepts_sentence(concepts: Concepts) -> str:
    """Say the concepts, or why there are none."""
    if not concepts.phrases and concepts.is_reliable:
        return "No phrase of the corpus describes what sets this image apart."
    if not concepts.is_reliable:
        return (
            "The concepts are unreliable and not shown: phrases of no medical meaning fitted the image "
            "as well as descriptions did."
        )
    if not concepts.explain_image:
        return (
            "Concepts do not explain this image: the nearest phrases rebuild too little of what the model "
            f"sees in it (cosine {concepts.cosine:.2f}, where {LOWEST_COSINE} is needed)."
        )
    return f"What sets the image apart reads as {_quoted(concepts.phrases[:_MENTIONED])}."


def saliency_sentence(saliency: Saliency) -> str:
    """Say where hiding matters most, or that the map failed its control."""
    if not saliency.is_trusted:
        return "The map of hidden patches did not pass its control and does not show where the finding lies."
    return f"The answer depends most on the {_place(saliency.falls)} of the image."


def _answer(class_names: Sequence[str], adapted: Sequence[float], zero_shot: Sequence[float]) -> str:
    winner, before = _best(adapted), _best(zero_shot)
    second, first = sorted(adapted)[-2:]
    close = ", almost a tie" if first - second < _NEAR_TIE else ""
    sentence = f"The adapted model answers “{class_names[winner]}” ({100 * adapted[winner]:.0f} %{close})"
    if winner == before:
        return f"{sentence}, as the unadapted model did ({100 * zero_shot[before]:.0f} %)."
    return (
        f"{sentence}; the unadapted model answered “{class_names[before]}” ({100 * zero_shot[before]:.0f} %)."
    )


def _towers(matrices: Sequence[MatrixChange]) -> str:
    means = {}
    for tower in ("image", "text"):
        changes = [change.relative_change for change in matrices if change.tower == tower]
        means[tower] = sum(changes) / len(changes) if changes else 0.0
    larger, smaller = sorted(means, key=lambda tower: -means[tower])
    most, least = _percent(means[larger]), _percent(means[smaller])
    return f"The {larger} tower moved by {most}, the {smaller} tower by {least}."


def _strongest(direction: DirectionChange) -> str:
    verb = "strengthened" if direction.sigma > direction.sigma_base else "weakened"
    return (
        f"The change with the largest effect {verb} direction {direction.index + 1} of {direction.matrix} "
        f"(singular value {direction.sigma_base:.3g} to {direction.sigma:.3g})."
    )


def _described(directions: Sequence[DirectionChange]) -> str:
    described = [entry for entry in directions if entry.positive or entry.negative]
    if not described:
        return (
            "None of these directions comes nearer to a phrase of the corpus than random directions do, "
            "so none is put into words."
        )
    entry = described[0]
    poles = [_quoted(pole[:1]) for pole in (entry.positive, entry.negative) if pole]
    likeness = " and, at its other pole, ".join(poles)
    return f"Direction {entry.index + 1} of {entry.matrix} lies nearest to {likeness}."


def _place(falls: Sequence[Sequence[float]]) -> str:
    side = len(falls)
    cells = ((row, column) for row in range(side) for column in range(side))
    row, column = max(cells, key=lambda cell: falls[cell[0]][cell[1]])
    vertical = ("upper", "middle", "lower")[3 * row // side]
    horizontal = ("left", "middle", "right")[3 * column // side]
    if vertical == horizontal:
        return "middle"
    return f"{vertical} {horizontal} part".replace("middle ", "")


def _best(values: Sequence[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)


def _quoted(phrases: Sequence[Phrase]) -> str:
    return ", ".join(f"“{phrase.text}”" for phrase in phrases)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %" if fraction >= 0.001 or fraction == 0 else "under 0.1 %"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
