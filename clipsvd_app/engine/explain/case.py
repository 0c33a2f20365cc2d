"""Explanation of one image's prediction: score, change, concepts and maps, each with its control."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from clipsvd_app.adapter_file import read_adapter
from clipsvd_app.corpus import load_corpus
from clipsvd_app.domain.results.contributions import LARGEST_RESIDUAL
from clipsvd_app.domain.results.explanation import (
    LARGEST_CONTROL_SHARE,
    LOWEST_COSINE,
    CaseExplanation,
    Control,
    ScorePart,
)
from clipsvd_app.engine.backbone.backbone import embed_images
from clipsvd_app.engine.data.images import model_square, normalise, open_image
from clipsvd_app.engine.explain.concepts import find_concepts
from clipsvd_app.engine.explain.maps.case_maps import read_maps, see
from clipsvd_app.engine.explain.model.attribution import attribute
from clipsvd_app.engine.explain.model.centre import centre_for_case
from clipsvd_app.engine.explain.model.decomposition import score_parts
from clipsvd_app.engine.explain.model.embedded_corpus import embed_corpus, likely_modalities
from clipsvd_app.engine.explain.model.image_tower import open_light

if TYPE_CHECKING:
    from torch import Tensor

    from clipsvd_app.domain.results.explanation import Attribution, ControlCode, MapKind
    from clipsvd_app.engine.explain.concepts import Concepts
    from clipsvd_app.engine.explain.maps.case_maps import FoundMaps, SeenImage
    from clipsvd_app.engine.explain.model.decomposition import Decomposition
    from clipsvd_app.engine.sigma.adapted import AdaptedModel
    from clipsvd_app.engine.sigma.warm import WarmBackbone
    from clipsvd_app.jobs.lines import Report
    from clipsvd_app.jobs.requests import ExplainRequest

_DELETION: dict[MapKind, ControlCode] = {
    "heads": "deletion_heads",
    "gradient": "deletion_gradient",
    "occlusion": "deletion_occlusion",
}


def run_explain(request: ExplainRequest, warm: WarmBackbone, report: Report) -> CaseExplanation:
    """Read the image and the adapter of a request, check that they fit, and explain the image."""
    loaded = warm.adapter(read_adapter(Path(request.adapter)), report)
    preprocessing = warm.backbone.preprocessing
    square = model_square(open_image(request.image), preprocessing.size, preprocessing.interpolation)
    image = normalise(square[None], preprocessing)[0].to(warm.backbone.device)
    return explain_case(loaded.adapted, image, request.image.id, report, occlusion=request.occlusion)


def explain_case(
    adapted: AdaptedModel, image: Tensor, image_id: int, report: Report, *, occlusion: bool = False
) -> CaseExplanation:
    """Explain one preprocessed image (3, size, size) under the adapted model.

    With ``occlusion`` the occlusion map is made too; a tower without another map always gets it.
    """
    begin = time.monotonic()
    centre = centre_for_case(adapted, image)
    modalities = likely_modalities(adapted, centre.base, report)
    corpus = embed_corpus(adapted, load_corpus().phrases, modalities, report)
    # Once through the adapted model and once through the base: all that follows starts from these passes.
    seen = see(adapted, image, corpus)
    seen_before = seen.embedding if adapted.base is adapted else _embedding(adapted.base, image)
    probabilities = _probabilities(adapted, seen.embedding)
    before = _probabilities(adapted.base, seen_before)
    winner, runner_up = sorted(range(len(probabilities)), key=lambda place: -probabilities[place])[:2]
    concepts = find_concepts(seen.embedding[0].cpu().numpy(), centre.vector, corpus)
    ends = seen_before, seen.embedding
    change = attribute(adapted, image, winner, runner_up, report, ends)
    found = read_maps(adapted, seen, winner, runner_up, report, occlusion=occlusion)
    shown = next((one for one in found.maps if one.passed), found.maps[0])
    decomposed = seen.decomposition
    residuals = (0.0, 0.0)
    if decomposed is not None:
        left = decomposed.residual[0].tolist()
        residuals = left[winner], left[winner] - left[runner_up]
    return CaseExplanation(
        image_id=image_id,
        class_names=tuple(spec.name for spec in adapted.classes),
        adapted=probabilities,
        zero_shot=before,
        concepts=concepts.phrases if concepts.explain_image else (),
        concepts_cosine=concepts.cosine,
        saliency=shown.grid,
        saliency_trusted=shown.passed,
        winner=winner,
        runner_up=runner_up,
        score=seen.logits[winner],
        margin=seen.logits[winner] - seen.logits[runner_up],
        decomposition=() if decomposed is None else _terms(adapted, decomposed, winner, runner_up),
        residual=residuals[0],
        margin_residual=residuals[1],
        attribution=change,
        maps=found.maps,
        map_passed=shown.passed,
        map_specificity=found.specificity,
        control_share=concepts.control_share,
        centre_of_run=centre.of_run,
        controls=_controls(seen, found, change, concepts, residuals[0]),
        temperature=adapted.temperature,
        seconds=time.monotonic() - begin,
    )


def _terms(adapted: AdaptedModel, found: Decomposition, winner: int, runner_up: int) -> tuple[ScorePart, ...]:
    """Return the terms of the score: those of the image tower, and the bias of a class head.

    The head's offsets are in the tower's terms, as part of the direction that they are read along.
    """
    terms = score_parts(found, 0, winner, runner_up)
    if adapted.head is None:
        return terms
    bias = adapted.head.bias
    value, margin = float(bias[winner]), float(bias[winner] - bias[runner_up])
    return (*terms, ScorePart(value, margin, "class_bias", tower=None))


def _controls(
    seen: SeenImage, found: FoundMaps, change: Attribution, concepts: Concepts, residual: float
) -> tuple[Control, ...]:
    controls = []
    if seen.decomposition is not None:
        controls.append(_below("score_sum", abs(residual), LARGEST_RESIDUAL))
    controls.append(_below("change_sum", abs(change.residual), LARGEST_RESIDUAL))
    controls.append(
        Control("concepts_cosine", concepts.cosine >= LOWEST_COSINE, concepts.cosine, LOWEST_COSINE)
    )
    controls.append(_below("concept_controls", concepts.control_share, LARGEST_CONTROL_SHARE))
    for one in found.maps:
        rivals = min(one.centre.area, *(curve.area for curve in one.random))
        controls.append(Control(_DELETION[one.kind], one.passed, one.deletion.area, rivals))
    if (own := found.specificity) is not None:
        controls.append(Control("map_specificity", own.is_specific, own.to_nonsense, own.among_nonsense))
    return tuple(controls)


def _below(code: ControlCode, value: float, limit: float) -> Control:
    return Control(code, value <= limit, value, limit)


@torch.no_grad()
def _embedding(adapted: AdaptedModel, image: Tensor) -> Tensor:
    model, _ = open_light(adapted.model)
    return embed_images(model, image[None])


@torch.no_grad()
def _probabilities(adapted: AdaptedModel, embedding: Tensor) -> tuple[float, ...]:
    return tuple(adapted.softmax(adapted.logits_of(embedding))[0].cpu().tolist())
