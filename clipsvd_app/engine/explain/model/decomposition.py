"""A logit as an exact sum over the parts of the image tower (Gandelsman et al. 2024).

With x_L the class token before the final LayerNorm (gamma, beta, standard deviation sigma), P the
projection, t a text direction, tau the logit scale and z the image embedding, r = centred(gamma * P^T t) and
c = tau / (|z| sigma):
logit = c r.x_0 + sum_l c r.b_O + sum_l c r.mlp_l + sum_lh c r.(W_O^h sum_j a_j v_j) + (tau / |z|) t.(P beta),
where each head's constant r.(W_O^h b_V^h) is a term of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from clipsvd_app.domain.results.explanation import PartKind, ScorePart
from clipsvd_app.engine.explain.model.image_tower import Trace, head_weights, trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from clipsvd_app.engine.explain.model.image_tower import TowerView


@dataclass(frozen=True, slots=True, eq=False)
class Decomposition:
    """The terms of logits (batch, texts), fp64, none of them computed as a remainder.

    embedding, shift: (batch, texts); output_bias, mlp: (batch, texts, layers); heads and head_constant:
    (batch, texts, layers, heads). ``tokens`` (batch, texts, tokens) is ``heads`` summed over layers and heads
    instead, before the sum over tokens.
    """

    logits: Tensor
    embedding: Tensor
    output_bias: Tensor
    mlp: Tensor
    heads: Tensor
    head_constant: Tensor
    shift: Tensor
    tokens: Tensor

    @property
    def residual(self) -> Tensor:
        """Logits minus the sum of all terms (batch, texts): rounding error only."""
        terms = self.embedding + self.shift + self.output_bias.sum(-1) + self.mlp.sum(-1)
        return self.logits - terms - (self.heads + self.head_constant).sum(dim=(-2, -1))


def decompose_logits(
    model: nn.Module, view: TowerView, images: Tensor, texts: Tensor, logit_scale: float
) -> Decomposition:
    """Decompose logit_scale * cosine of images (batch, 3, size, size) with directions (texts, embedding).

    Directions need not be of unit length: the difference of two classes gives their margin.
    """
    return decompose_trace(view, trace(model, view, images, view.readings(texts)), texts, logit_scale)


def decompose_trace(view: TowerView, found: Trace, texts: Tensor, logit_scale: float) -> Decomposition:
    """Decompose the logits of images that passed already, traced with ``view.readings(texts)``."""
    r = view.readings(texts)
    length = found.embedding.norm(dim=-1, keepdim=True)
    spread = (found.end.var(dim=-1, unbiased=False, keepdim=True) + view.norm.eps).sqrt()
    c = logit_scale / (length * spread)
    constants = torch.stack([_head_constants(view, layer, r) for layer in range(len(view.blocks))], dim=1)
    biases = torch.stack([view.layer_readings(r, b) @ b.output_bias().to(r) for b in view.blocks], dim=1)
    tokens = torch.stack(found.tokens, dim=2) * c[:, :, None, None, None]
    return Decomposition(
        logits=logit_scale * (found.embedding / length) @ texts.double().T,
        embedding=c * (found.start @ r.T),
        output_bias=c[:, :, None] * biases,
        mlp=torch.stack([c * (part @ r.T) for part in found.mlp], dim=2),
        heads=tokens.sum(dim=-1),
        head_constant=c[:, :, None, None] * constants,
        shift=logit_scale / length * (texts.double() @ _shift(view)),
        tokens=tokens.sum(dim=(2, 3)),
    )


def score_parts(found: Decomposition, image: int, answer: int, rival: int) -> tuple[ScorePart, ...]:
    """Return the terms of one image's logit for the text ``answer``; margins are against ``rival``."""
    return tuple(
        ScorePart(
            value=float(term[image, answer]),
            margin=float(term[image, answer] - term[image, rival]),
            kind=kind,
            layer=layer,
            head=head,
        )
        for kind, term, layer, head in _terms(found)
    )


def head_outputs(view: TowerView, found: Trace) -> Tensor:
    """Return each head's mean of values by the image's own scale (layers, batch, heads, head width), fp64."""
    spread = (found.end.var(dim=-1, unbiased=False) + view.norm.eps).sqrt()
    return torch.stack(found.mixed) / spread[None, :, None, None]


def head_ways_out(view: TowerView, layer: int) -> Tensor:
    """Return the map from each head's values to the embedding (heads, head width, embedding), fp64."""
    block = view.blocks[layer]
    weight = block.out.weight.double()
    if block.attention_scale is not None:
        weight = block.attention_scale.double()[:, None] * weight
    centred = view.norm.weight.double()[:, None] * (weight - weight.mean(dim=0))
    return (view.projection.double() @ centred).T.reshape(view.heads, -1, len(view.projection))


def _head_constants(view: TowerView, layer: int, r: Tensor) -> Tensor:
    block = view.blocks[layer]
    weights = head_weights(view, block, view.layer_readings(r, block))
    return torch.einsum("chd,hd->ch", weights, block.value_bias(view.heads).to(r))


def _shift(view: TowerView) -> Tensor:
    beyond = view.projection.double() @ view.norm.bias.double()
    return beyond if view.bias is None else beyond + view.bias.double()


def _terms(found: Decomposition) -> Iterator[tuple[PartKind, Tensor, int | None, int | None]]:
    """Yield kind, values (batch, texts), layer and head of every term."""
    yield "embedding", found.embedding, None, None
    layers, heads = found.heads.shape[2:]
    for layer in range(layers):
        yield "output_bias", found.output_bias[:, :, layer], layer, None
        yield "mlp", found.mlp[:, :, layer], layer, None
        for head in range(heads):
            yield "head", found.heads[:, :, layer, head], layer, head
            yield "head_constant", found.head_constant[:, :, layer, head], layer, head
    yield "shift", found.shift, None, None
