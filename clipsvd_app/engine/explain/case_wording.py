"""Why one image got its answer, in plain words that are never more certain than the controls behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.cases import NEARLY_AS_LIKELY
from clipsvd_app.domain.results.contributions import LARGEST_RESIDUAL
from clipsvd_app.domain.results.explanation import Statement
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.engine.explain.concepts import LOWEST_COSINE
from clipsvd_app.engine.explain.model.words import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.explanation import Attribution, CaseMap, MapSpecificity
    from clipsvd_app.engine.explain.concepts import Concepts

# Phrases in a sentence; the page lists all of them.
_MENTIONED = 3
_MAPS = {
    "heads": "what the attention heads take from each patch",
    "gradient": "what more attention to each patch would add",
    "occlusion": "how far the margin falls when a patch is hidden",
}


def answer_statement(
    class_names: Sequence[str],
    adapted: Sequence[float],
    zero_shot: Sequence[float],
    temperature: float = 1.0,
) -> Statement:
    """Say both models' answers; the adapted one's is calibrated by ``temperature``, unless that is 1."""
    winner, before = _best(adapted), _best(zero_shot)
    second, first = sorted(adapted)[-2:]
    close = ", almost a tie" if first - second < NEARLY_AS_LIKELY else ""
    sentence = f"The adapted model answers “{class_names[winner]}” ({percent(adapted[winner])}{close})"
    base = percent(zero_shot[before])
    if winner == before:
        text = f"{sentence}, as the unadapted model did ({base})."
    else:
        text = f"{sentence}; the unadapted model answered “{class_names[before]}” ({base})."
    known = "Both answers are the models' own probabilities for this image."
    if temperature != 1:
        known = (
            f"The adapted model's probability is calibrated: the run's temperature of {temperature:.2f}"
            " divides its logits. The unadapted model's is its own."
        )
    return Statement(text, known, "answer")


def attribution_statement(
    found: Attribution, class_names: Sequence[str], answer: int, rival: int
) -> Statement:
    """Say what adaptation did to the margin, and on which side."""
    known = (
        f"The change is followed along the path from the base's singular values to the trained ones at "
        f"{found.nodes} points; its parts miss the whole by {abs(found.margin_residual):.1g}."
    )
    pair = f"the margin of “{class_names[answer]}” over “{class_names[rival]}”"
    change = found.adapted_margin - found.zero_shot_margin
    if abs(found.margin_residual) > LARGEST_RESIDUAL:
        return Statement(f"What moved {pair} cannot be told apart: the parts do not add up.", known, "change")
    if not found.parts or abs(change) < LARGEST_RESIDUAL:
        return Statement(f"Adaptation left {pair} as it was ({found.adapted_margin:+.2f}).", known, "change")
    sides = {
        tower: sum(part.margin for part in found.parts if part.tower == tower) for tower in ("image", "text")
    }
    layers: dict[tuple[str, int], float] = {}
    for part in found.parts:
        place = (part.tower, part.layer or 0)
        layers[place] = layers.get(place, 0.0) + part.margin
    tower, layer = max(layers, key=lambda place: abs(layers[place]))
    text = (
        f"Adaptation moved {pair} from {found.zero_shot_margin:+.2f} to {found.adapted_margin:+.2f}: "
        f"{sides['image']:+.2f} through the image tower and {sides['text']:+.2f} through the text tower; "
        f"layer {layer + 1} of the {tower} tower did most ({layers[tower, layer]:+.2f})."
    )
    return Statement(text, known, "change")


def concepts_statement(concepts: Concepts, *, centre_of_run: bool) -> Statement:
    """Say the concepts, or why there are none."""
    known = _known_of_concepts(concepts, centre_of_run=centre_of_run)
    return Statement(_concepts_sentence(concepts), known, "concepts")


def map_statement(shown: CaseMap, specificity: MapSpecificity | None) -> Statement:
    """Say where the answer comes from, or that the map failed a control."""
    known = (
        f"The map shows {_MAPS[shown.kind]}. It is trusted only if hiding patches in its order lowers the "
        "margin clearly faster than ten random orders, and faster than from the centre outwards."
    )
    if specificity is not None:
        known += (
            f" Its own class's map must differ from those of {specificity.prompts} nonsense prompts "
            f"({specificity.to_nonsense:.2f}) more than any of these differs from the others "
            f"({specificity.among_nonsense:.2f})."
        )
    if not shown.passed:
        text = "The map did not pass its control and does not show where the finding lies."
    elif specificity is not None and not specificity.is_specific:
        text = (
            "The map is not specific: prompts without meaning give one as unlike each other's as the "
            "class's is, so it shows what the model looks at, not why it answers so."
        )
    else:
        text = f"The answer depends most on the {_place(shown.grid)} of the image."
    return Statement(text, known, "map")


def _concepts_sentence(concepts: Concepts) -> str:
    if not concepts.phrases and concepts.is_reliable:
        return "No phrase of the corpus describes what sets this image apart."
    if not concepts.is_reliable:
        return (
            "The concepts are unreliable and not shown: phrases of no medical meaning, or of another kind of "
            "image, fitted as well as descriptions did."
        )
    if not concepts.explain_image:
        return (
            "Concepts do not explain this image: the nearest phrases rebuild too little of what the model "
            f"sees in it (cosine {concepts.cosine:.2f}, where {LOWEST_COSINE} is needed)."
        )
    return f"What sets the image apart reads as {quoted(concepts.phrases[:_MENTIONED])}."


def _known_of_concepts(concepts: Concepts, *, centre_of_run: bool) -> str:
    against = "the mean of the run's images" if centre_of_run else "shuffled copies of the image itself"
    return (
        f"Concepts are the few corpus phrases whose sum comes nearest to what sets the image apart from "
        f"{against} (cosine {concepts.cosine:.2f}; {LOWEST_COSINE} is needed). Phrases of no medical "
        "meaning, and of other kinds of image, compete with them and took "
        f"{percent(concepts.control_share)} of the weight (10 % is the limit); phrases that name a "
        "class are left out."
    )


def _place(grid: Sequence[Sequence[float]]) -> str:
    rows, columns = len(grid), len(grid[0])
    cells = ((row, column) for row in range(rows) for column in range(columns))
    row, column = max(cells, key=lambda cell: grid[cell[0]][cell[1]])
    vertical = ("upper", "middle", "lower")[3 * row // rows]
    horizontal = ("left", "middle", "right")[3 * column // columns]
    if vertical == horizontal:
        return "middle"
    return f"{vertical} {horizontal} part".replace("middle ", "")


def _best(values: Sequence[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)
