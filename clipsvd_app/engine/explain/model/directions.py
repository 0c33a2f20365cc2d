"""The singular directions that adaptation changed most, described by phrases where that is valid.

A left singular vector u of an output projection or fc2 writes straight into the residual stream of
the image tower, whose way to the embedding is the final LayerNorm and the projection P: its reading
is p = P(gamma * (u - mean u)). Vectors of q, k, v and fc1, and of the text tower, whose LayerNorms
lie after every addition, have no such reading: for them only the size of the change is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from clipsvd_app.domain.results.explanation import NULL_DRAWS, DirectionChange, Phrase
from clipsvd_app.engine.backbone.architectures import Target
from clipsvd_app.engine.explain.model.embedded_corpus import EmbeddedCorpus, unit
from clipsvd_app.engine.explain.model.inputs import InputStatistics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from clipsvd_app.engine.sigma.adapted import AdaptedModel

# Directions in all, and how many of them can be described by phrases.
SHOWN = 12
READABLE = 6
# What fits beside a direction on the page.
_PHRASES_A_POLE = 3
_IMAGES_A_SIDE = 4
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Ranked:
    """One direction before it is described; ``side`` is the side of u on which the reference inputs lie."""

    target: Target
    index: int
    sigma_base: float
    sigma: float
    effect: float
    side: float
    inputs: InputStatistics


def rank_directions(adapted: AdaptedModel, inputs: Mapping[str, InputStatistics]) -> list[Ranked]:
    """Return the changed directions of all matrices, the largest |sigma' - sigma| RMS(v^T x) first."""
    ranked: list[Ranked] = []
    for target in adapted.basis.targets:
        base = adapted.basis.matrices[target.name].s0
        sigma = torch.from_numpy(adapted.sigmas[target.name])
        effects = (sigma - base).abs().double() * inputs[target.name].rms
        for index in effects.argsort(descending=True)[:SHOWN].tolist():
            effect, side = float(effects[index]), float(inputs[target.name].mean[index])
            if effect > 0:
                values = float(base[index]), float(sigma[index])
                sign = -1.0 if side < 0 else 1.0
                ranked.append(Ranked(target, index, *values, effect, sign, inputs[target.name]))
    return sorted(ranked, key=lambda entry: -entry.effect)


def describe_directions(
    adapted: AdaptedModel,
    inputs: Mapping[str, InputStatistics],
    corpus: EmbeddedCorpus,
    image_ids: Sequence[int] = (),
    seed: int = 0,
) -> tuple[DirectionChange, ...]:
    """Return the directions that changed most, up to six readable ones among them, with phrases.

    A phrase is given only if its cosine exceeds that of the best phrase for any of as many random directions
    in 95 % of draws, read through the same LayerNorm and projection. ``image_ids`` are those of the reference
    images, in order, so that the most extreme images of a direction can be named.
    """
    ranked = rank_directions(adapted, inputs)
    shown = _chosen(ranked)
    readable = [entry for entry in shown if is_readable(entry.target)]
    readout = residual_readout(adapted.model)
    if readout is None or not readable:
        return tuple(_change(entry, ((), ()), image_ids) for entry in shown)
    vectors = [entry.side * adapted.basis.matrices[entry.target.name].u[:, entry.index] for entry in readable]
    readings = readout(torch.stack(vectors))
    threshold = null_threshold(readout, len(vectors[0]), len(readable), corpus, seed)
    poles = {
        id(entry): _poles(reading, corpus, threshold)
        for entry, reading in zip(readable, readings, strict=True)
    }
    return tuple(
        _change(entry, poles.get(id(entry), ((), ())), image_ids, threshold if id(entry) in poles else None)
        for entry in shown
    )


def is_readable(target: Target) -> bool:
    """Whether a matrix writes into the residual stream of the image tower."""
    return target.tower == "image" and target.kind in ("o", "fc2")


class Readout:
    """p = P(gamma * (u - mean u)) for vectors u of the image tower's residual stream."""

    def __init__(self, gamma: Tensor, projection: Tensor) -> None:
        self._gamma = gamma.detach().cpu().float()
        self._projection = projection.detach().cpu().float()

    def __call__(self, vectors: Tensor) -> NDArray[np.float32]:
        """Return unit readings (vectors, width) of residual vectors (vectors, residual width)."""
        centred = vectors.float() - vectors.float().mean(dim=-1, keepdim=True)
        return unit((self._gamma * centred @ self._projection.T).numpy())


def residual_readout(model: nn.Module) -> Readout | None:
    """Return the readout of an open_clip model with a timm ViT, or None if its head is not linear."""
    try:
        norm = model.get_submodule("visual.trunk.norm")
        head = model.get_submodule("visual.head")
        block = model.get_submodule("visual.trunk.blocks.0")
    except AttributeError:
        return None
    if isinstance(norm, nn.Identity):
        norm = model.get_submodule("visual.trunk.fc_norm")
    linears = [part for part in head.modules() if isinstance(part, nn.Linear)]
    bends = [part for part in head.modules() if isinstance(part, nn.GELU | nn.ReLU | nn.SiLU)]
    scaled = any(not isinstance(getattr(block, name, nn.Identity()), nn.Identity) for name in ("ls1", "ls2"))
    if not isinstance(norm, nn.LayerNorm) or len(linears) != 1 or bends or scaled:
        return None
    return Readout(cast("Tensor", norm.weight), linears[0].weight)


def null_threshold(readout: Readout, width: int, count: int, corpus: EmbeddedCorpus, seed: int) -> float:
    """Return the cosine that the best phrase for any of ``count`` random directions exceeds in 5 % of draws.

    Both poles of each direction count, as they do when real directions are read.
    """
    generator = torch.Generator().manual_seed(seed)
    best = []
    for _ in range(NULL_DRAWS):
        readings = readout(torch.randn((count, width), generator=generator))
        best.append(float(np.abs(readings @ corpus.centred.T).max()))
    return float(np.quantile(best, _LEVEL))


def _chosen(ranked: Sequence[Ranked]) -> list[Ranked]:
    readable = [entry for entry in ranked if is_readable(entry.target)][:READABLE]
    others = [entry for entry in ranked if entry not in readable][: SHOWN - len(readable)]
    return sorted([*readable, *others], key=lambda entry: -entry.effect)


def _poles(
    reading: NDArray[np.float32], corpus: EmbeddedCorpus, threshold: float
) -> tuple[tuple[Phrase, ...], tuple[Phrase, ...]]:
    cosines = corpus.centred @ reading
    return _nearest(cosines, corpus, threshold), _nearest(-cosines, corpus, threshold)


def _nearest(cosines: NDArray[np.float32], corpus: EmbeddedCorpus, threshold: float) -> tuple[Phrase, ...]:
    """Return the nearest phrases above the threshold; none at all where a control is nearest."""
    order = np.argsort(-cosines, kind="stable")[:_PHRASES_A_POLE]
    if corpus.phrases[int(order[0])].is_control:
        return ()
    return tuple(
        Phrase(corpus.phrases[int(row)].text, float(cosines[row]), corpus.phrases[int(row)].axis)
        for row in order
        if cosines[row] > threshold and not corpus.phrases[int(row)].is_control
    )


def _driving(entry: Ranked, image_ids: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the ids of the images furthest on the positive and on the negative side."""
    if not entry.inputs.by_image or not image_ids:
        return (), ()
    values = entry.side * torch.cat(entry.inputs.by_image)[:, entry.index]
    order = values.argsort(descending=True, stable=True).tolist()
    count = min(_IMAGES_A_SIDE, len(order) // 2)
    towards, against = order[:count], order[::-1][:count]
    return tuple(image_ids[place] for place in towards), tuple(image_ids[place] for place in against)


def _change(
    entry: Ranked,
    poles: tuple[tuple[Phrase, ...], tuple[Phrase, ...]],
    image_ids: Sequence[int],
    threshold: float | None = None,
) -> DirectionChange:
    towards, against = _driving(entry, image_ids)
    return DirectionChange(
        matrix=entry.target.name,
        tower=entry.target.tower,
        layer=entry.target.layer,
        index=entry.index,
        sigma_base=entry.sigma_base,
        sigma=entry.sigma,
        effect=entry.effect,
        positive=poles[0],
        negative=poles[1],
        images_towards=towards,
        images_against=against,
        threshold=threshold,
    )
