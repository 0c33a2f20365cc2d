"""All maps of one case with their controls, from one decomposition of its score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from clipsvd_app.domain.results.explanation import CaseMap, MapSpecificity
from clipsvd_app.engine.backbone.backbone import embed_images
from clipsvd_app.engine.explain.maps.deletion import margin_score, prepare_deletion
from clipsvd_app.engine.explain.maps.inner_maps import gradient_map, patch_grid
from clipsvd_app.engine.explain.maps.occlusion import grid_side, occlusion_map
from clipsvd_app.engine.explain.maps.specificity import NONSENSE_PROMPTS, specificity
from clipsvd_app.engine.explain.model.decomposition import Decomposition, decompose_trace
from clipsvd_app.engine.explain.model.image_tower import TowerView, open_light, trace

if TYPE_CHECKING:
    from clipsvd_app.engine.explain.model.embedded_corpus import EmbeddedCorpus
    from clipsvd_app.engine.sigma.adapted import AdaptedModel
    from clipsvd_app.jobs.lines import Report

# Of ViT-B/16, for towers that do not state their patch.
_USUAL_PATCH_PX = 16
# Two maps have one distance between them, and no spread to compare with.
_FEWEST_NONSENSE = 3


@dataclass(frozen=True, slots=True, eq=False)
class SeenImage:
    """What one pass of an image (3, size, size) through the adapted model gave.

    ``model`` is a copy of the adapted one that computes what is needed only, with its ``view``; ``embedding``
    (1, width) is a unit vector. ``decomposition`` is of the classes and then of meaningless prompts; it is
    None where the tower has no exact sum. ``logits`` are those of the classes, with a class head's bias.
    """

    image: Tensor
    model: nn.Module
    view: TowerView | None
    embedding: Tensor
    logits: tuple[float, ...]
    decomposition: Decomposition | None


@dataclass(frozen=True, slots=True, eq=False)
class FoundMaps:
    """The maps in the order in which they are shown, and whether the first is specific to its class."""

    maps: tuple[CaseMap, ...]
    specificity: MapSpecificity | None


@torch.no_grad()
def see(adapted: AdaptedModel, image: Tensor, corpus: EmbeddedCorpus) -> SeenImage:
    """Pass an image through the adapted model, once for all that is said about it."""
    model, view = open_light(adapted.model)
    if view is None:
        embedding = embed_images(model, image[None])
        logits = adapted.logits_of(embedding)[0].double().tolist()
        return SeenImage(image, model, None, embedding, tuple(logits), None)
    classes = adapted.class_vectors()
    texts = torch.cat([classes, _nonsense(corpus).to(classes)])
    found = trace(model, view, image[None], view.readings(texts))
    decomposition = decompose_trace(view, found, texts, adapted.backbone.logit_scale)
    # In fp64, in which the terms add up.
    logits = (decomposition.logits[0, : len(classes)].cpu() + adapted.bias().cpu()).tolist()
    embedding = functional.normalize(found.embedding.float(), dim=-1)
    return SeenImage(image, model, view, embedding, tuple(logits), decomposition)


def read_maps(
    adapted: AdaptedModel, seen: SeenImage, winner: int, runner_up: int, report: Report, *, occlusion: bool
) -> FoundMaps:
    """Make and test the maps of the margin of ``winner`` over ``runner_up``."""
    image, view = seen.image, seen.view
    score = margin_score(adapted, winner, runner_up, seen.model)
    whole = seen.logits[winner] - seen.logits[runner_up]
    maps: list[CaseMap] = []
    own = None
    if view is not None and seen.decomposition is not None:
        classes = adapted.class_vectors()
        grids = patch_grid(view, seen.decomposition.tokens[0]).cpu()
        nonsense = grids[len(classes) :]
        if len(nonsense) >= _FEWEST_NONSENSE:
            own = specificity(grids[winner].flatten(), nonsense.flatten(1))
        deletion = prepare_deletion(score, image, view.grid, report, whole=whole)
        maps.append(deletion.judge("heads", grids[winner] - grids[runner_up], report))
        direction = classes[winner] - classes[runner_up]
        gradient = gradient_map(seen.model, view, image, direction, adapted.backbone.logit_scale).cpu()
        maps.append(deletion.judge("gradient", gradient, report))
    if occlusion or view is None:
        side = grid_side(image.shape[-1], patch_size(adapted.model))
        falls = occlusion_map(score, image, side, report, whole)
        deletion = prepare_deletion(score, image, (side, side), report, whole=whole)
        maps.append(deletion.judge("occlusion", falls, report))
    return FoundMaps(tuple(maps), own)


def patch_size(model: nn.Module) -> int:
    """Return the side in pixels of the image tower's patches; 16 where it is not stated."""
    visual = cast("nn.Module", model.visual)
    for path, name in (("trunk.patch_embed", "patch_size"), ("conv1", "kernel_size")):
        try:
            size = getattr(visual.get_submodule(path), name)
        # A tower without this path is of the other architecture.
        except AttributeError:
            continue
        return int(size[0] if isinstance(size, tuple) else size)
    return _USUAL_PATCH_PX


def _nonsense(corpus: EmbeddedCorpus) -> Tensor:
    """Return embeddings (prompts, embedding) of negative controls, spread evenly over the corpus."""
    assert corpus.plain is not None
    rows = torch.from_numpy(corpus.is_control).nonzero().flatten()
    if len(rows) > NONSENSE_PROMPTS:
        rows = rows[torch.linspace(0, len(rows) - 1, NONSENSE_PROMPTS).round().long()]
    return torch.from_numpy(corpus.plain)[rows]
