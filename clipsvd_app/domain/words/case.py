"""Why the model predicts a class for one image, no more certain than the controls behind the sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.cases import NEARLY_AS_LIKELY, best_known, winner
from clipsvd_app.domain.results.contributions import LARGEST_RESIDUAL
from clipsvd_app.domain.results.explanation import LARGEST_CONTROL_SHARE, LOWEST_COSINE
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.domain.words.phrases import quoted
from clipsvd_app.domain.words.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.explanation import (
        Attribution,
        CaseExplanation,
        CaseMap,
        MapKind,
        MapSpecificity,
    )
    from clipsvd_app.domain.results.run import Doubt, Prediction

DOUBT_SENTENCES: dict[Doubt, str] = {
    "far_from_training": "Unlike all training images: the prediction is a guess.",
    "other_modality": "A different modality from the training images.",
    "set_not_single": "More than one class is possible: treat it as undecided.",
    "nearly_as_likely": "Two classes are almost equally likely: treat it as undecided.",
}
_MENTIONED = 3
_MAPS: dict[MapKind, str] = {
    "heads": "the contribution of each patch through the attention heads",
    "gradient": "how more attention to each patch would change the margin",
    "occlusion": "how much the margin falls when a patch is masked",
}


def case_statements(case: CaseExplanation) -> tuple[Statement, ...]:
    """Return the sentences about prediction, change, concepts and map."""
    shown = next((one for one in case.maps if one.passed), case.maps[0] if case.maps else None)
    return (
        answer_statement(case.class_names, case.adapted, case.zero_shot, case.temperature),
        *(
            [attribution_statement(case.attribution, case.class_names, case.winner, case.runner_up)]
            if case.attribution
            else []
        ),
        Statement(_concepts_sentence(case), _known_of_concepts(case), "concepts"),
        *([map_statement(shown, case.map_specificity)] if shown else []),
    )


def answer_statement(
    class_names: Sequence[str],
    adapted: Sequence[float],
    zero_shot: Sequence[float],
    temperature: float = 1.0,
) -> Statement:
    """State both predictions; the adapted model's is calibrated by ``temperature``, unless that is 1."""
    best, before = winner(adapted), winner(zero_shot)
    second, first = sorted(adapted)[-2:]
    close = ", almost a tie" if first - second < NEARLY_AS_LIKELY else ""
    sentence = f"The adapted model predicts “{class_names[best]}” ({percent(adapted[best])}{close})"
    base = percent(zero_shot[before])
    if best == before:
        text = f"{sentence}, as before adaptation ({base})."
    else:
        text = f"{sentence}; before adaptation, it predicted “{class_names[before]}” ({base})."
    known = "Probabilities of the models for this image."
    if temperature != 1:
        known = (
            f"The probability of the adapted model is calibrated with temperature {temperature:.2f}; that of"
            " the unadapted model is not."
        )
    return Statement(text, known, "answer")


def attribution_statement(
    found: Attribution, class_names: Sequence[str], answer: int, rival: int
) -> Statement:
    """Say what adaptation did to the margin, and in which encoder."""
    known = (
        "Integrated gradients from the original to the trained singular values at"
        f" {found.nodes} points; residual {abs(found.margin_residual):.1g}."
    )
    head = [part for part in found.parts if part.kind == "class_head"]
    if head:
        known += (
            " The class head is in place on the whole path; its share is its effect in the unadapted model."
        )
    pair = f"the margin of “{class_names[answer]}” over “{class_names[rival]}”"
    change = found.adapted_margin - found.zero_shot_margin
    if abs(found.margin_residual) > LARGEST_RESIDUAL:
        return Statement(
            f"The change in {pair} cannot be attributed: the contributions do not add up.", known, "change"
        )
    if not found.parts or abs(change) < LARGEST_RESIDUAL:
        return Statement(f"Adaptation did not change {pair} ({found.adapted_margin:+.2f}).", known, "change")
    sides = {
        tower: sum(part.margin for part in found.parts if part.tower == tower) for tower in ("image", "text")
    }
    ways = [f"{sides[tower]:+.2f} through the {tower} encoder" for tower in ("image", "text")]
    ways += [f"{part.margin:+.2f} by the class head" for part in head]
    text = (
        f"Adaptation changed {pair} from {found.zero_shot_margin:+.2f} to {found.adapted_margin:+.2f}:"
        f" {', '.join(ways[:-1])} and {ways[-1]}{_largest_layer(found)}."
    )
    return Statement(text, known, "change")


def _largest_layer(found: Attribution) -> str:
    """Name the layer with the largest contribution; nothing where no singular value changed."""
    layers: dict[tuple[str, int], float] = {}
    for part in found.parts:
        if part.tower is not None:
            place = (part.tower, part.layer or 0)
            layers[place] = layers.get(place, 0.0) + part.margin
    if not layers:
        return ""
    tower, layer = max(layers, key=lambda place: abs(layers[place]))
    named = f"{tower} layer {layer + 1} ({layers[tower, layer]:+.2f})"
    return f", with the largest contribution from {named}"


def map_statement(shown: CaseMap, specificity: MapSpecificity | None) -> Statement:
    """Say which region the prediction depends on, or that the map failed a control."""
    known = (
        f"The map shows {_MAPS[shown.kind]}. It is shown only if masking patches in its order lowers the"
        " margin clearly faster than ten random orders, and faster than from the centre outwards."
    )
    if specificity is not None:
        known += (
            f" It must also differ more from the maps of {specificity.prompts} meaningless prompts"
            f" ({specificity.to_nonsense:.2f}) than these differ from each other"
            f" ({specificity.among_nonsense:.2f})."
        )
    if not shown.passed:
        text = "The heat map failed its deletion test and does not locate the finding."
    elif specificity is not None and not specificity.is_specific:
        text = (
            "The heat map is not specific to the class: meaningless prompts give maps that differ as much"
            " from each other. It shows where the model looks, not why it predicts the class."
        )
    else:
        text = f"The prediction depends most on the {_place(shown.grid)} of the image."
    return Statement(text, known, "map")


def map_verdict(found: CaseMap) -> str:
    """State the result of the deletion test, with the orders that it is compared with."""
    lowest = min(curve.area for curve in found.random)
    figures = (
        f"Mean margin while masking: {found.deletion.area:+.2f} in the order of the map, {lowest:+.2f} in the"
        f" best of {len(found.random)} random orders, {found.centre.area:+.2f} from the centre outwards."
    )
    if found.passed:
        return f"The heat map passed its deletion test. {figures}"
    rivals = []
    if found.deletion.area >= found.centre.area:
        rivals.append("masking from the centre outwards")
    if found.deletion.area >= lowest or not rivals:
        rivals.append("masking random areas")
    return (
        "The heat map is not shown: masking the highlighted areas lowered the margin no faster than"
        f" {' or '.join(rivals)}. {figures}"
    )


def set_sentence(prediction: Prediction, names: Sequence[str], alpha: float) -> str:
    """Name the classes of the prediction set; empty where none could be calibrated."""
    if prediction.conformal is None:
        return ""
    promise = f"contains the true class in at least {100 * (1 - alpha):.0f} % of patients on average"
    if not prediction.conformal:
        return f"No class is likely enough for a prediction set that {promise}."
    listed = " or ".join(names[position] for position in prediction.conformal)
    return f"Possible: {listed}. Such a prediction set {promise}."


def as_unseen(prediction: Prediction | None, names: Sequence[str]) -> tuple[Statement, ...]:
    """Say what a prediction is worth for an image that the run's model was trained on.

    An image predicted out of fold has a second prediction, by a model that was not trained on its patient.
    """
    if prediction is None or prediction.role not in ("train", "out_of_fold"):
        return ()
    seen = "The model explained here was trained on this image"
    if prediction.role == "train":
        return (
            Statement(
                f"{seen}, so its prediction is not evidence for unseen patients.", "The run's records."
            ),
        )
    shown = best_known(prediction)
    best = winner(shown)
    return (
        Statement(
            f"{seen}. Trained on other patients only, it predicts “{names[best]}” ({percent(shown[best])}).",
            "The second prediction is from cross-validation fits that were not trained on this patient; the"
            " Inspect page uses it.",
        ),
    )


def _concepts_sentence(case: CaseExplanation) -> str:
    if case.control_share > LARGEST_CONTROL_SHARE:
        return "Concepts are not shown, because negative controls fitted as well as descriptions."
    if case.concepts:
        return f"The image is characterised by {quoted(case.concepts[:_MENTIONED])}."
    if not case.concepts_cosine:
        return "No phrase of the corpus characterises this image."
    return (
        "Concepts do not explain this image: the closest phrases reconstruct too little of it (cosine"
        f" {case.concepts_cosine:.2f}, at least {LOWEST_COSINE} needed)."
    )


def _known_of_concepts(case: CaseExplanation) -> str:
    against = "the mean of the run's images" if case.centre_of_run else "shuffled copies of the image"
    return (
        "Concepts are the few phrases whose sum best reconstructs the difference between the image and"
        f" {against} (cosine {case.concepts_cosine:.2f}; at least {LOWEST_COSINE} needed). Negative controls"
        f" compete with them and have {percent(case.control_share)} of the weight (limit:"
        f" {percent(LARGEST_CONTROL_SHARE)}). Phrases that name a class are excluded."
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
