"""All maps of one case with their controls, from one decomposition of its score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch

from clipsvd_app.domain.results.explanation import CaseMap, MapSpecificity
from clipsvd_app.engine.explain.maps.deletion import margin_score, prepare_deletion
from clipsvd_app.engine.explain.maps.inner_maps import gradient_map, patch_grid
from clipsvd_app.engine.explain.maps.occlusion import grid_side, occlusion_map
from clipsvd_app.engine.explain.maps.specificity import NONSENSE_PROMPTS, specificity
from clipsvd_app.engine.explain.model.decomposition import Decomposition, decompose_logits
from clipsvd_app.engine.explain.model.image_tower import open_tower

if TYPE_CHECKING:
    from torch import Tensor, nn

    from clipsvd_app.engine.explain.model.embedded_corpus import EmbeddedCorpus
    from clipsvd_app.engine.sigma.adapted import AdaptedModel
    from clipsvd_app.jobs.lines import Report

# Of ViT-B/16, for towers that do not state their patch.
_USUAL_PATCH_PX = 16
# Two maps have one distance between them, and no spread to compare with.
_FEWEST_NONSENSE = 3


@dataclass(frozen=True, slots=True, eq=False)
class FoundMaps:
    """The maps in the order in which they are shown, and the decomposition behind them.

    ``logits`` are those of the classes; the decomposition is None where the tower has no exact sum.
    """

    maps: tuple[CaseMap, ...]
    logits: tuple[float, ...]
    decomposition: Decomposition | None
    specificity: MapSpecificity | None


def read_maps(
    adapted: AdaptedModel,
    image: Tensor,
    winner: int,
    runner_up: int,
    corpus: EmbeddedCorpus,
    report: Report,
    *,
    occlusion: bool,
) -> FoundMaps:
    """Make and test the maps of the margin of ``winner`` over ``runner_up`` in an image (3, size, size)."""
    classes, scale = adapted.class_vectors(), adapted.backbone.logit_scale
    view = open_tower(adapted.model)
    score = margin_score(adapted, winner, runner_up)
    maps: list[CaseMap] = []
    decomposition, own = None, None
    with torch.no_grad():
        logits = tuple(adapted.logits(image[None])[0].double().tolist())
    if view is not None:
        nonsense = _nonsense(corpus).to(classes)
        texts = torch.cat([classes, nonsense])
        decomposition = decompose_logits(adapted.model, view, image[None], texts, scale)
        tokens = decomposition.tokens[0]
        logits = tuple((decomposition.logits[0, : len(classes)].cpu() + adapted.bias().cpu()).tolist())
        grids = patch_grid(view, tokens).cpu()
        if len(nonsense) >= _FEWEST_NONSENSE:
            own = specificity(grids[winner].flatten(), grids[len(classes) :].flatten(1))
        deletion = prepare_deletion(score, image, view.grid, report)
        maps.append(deletion.judge("heads", grids[winner] - grids[runner_up], report))
        direction = classes[winner] - classes[runner_up]
        gradient = gradient_map(adapted.model, view, image, direction, scale).cpu()
        maps.append(deletion.judge("gradient", gradient, report))
    if occlusion or view is None:
        side = grid_side(image.shape[-1], patch_size(adapted.model))
        falls = occlusion_map(score, image, side, report)
        maps.append(prepare_deletion(score, image, (side, side), report).judge("occlusion", falls, report))
    return FoundMaps(tuple(maps), logits, decomposition, own)


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
