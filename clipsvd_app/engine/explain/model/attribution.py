"""The change of one score by adaptation: integrated gradients along s0 -> s (Sundararajan et al. 2017).

W(x) = W0 + x Delta W for 0 <= x <= 1 is the path on which every singular value goes from s0 to s, so that
IG_i = (s_i - s0_i) sum_k w_k dlogit/ds_i summed over a block of a matrix is sum_k w_k <Delta W, dlogit/dW>
there. With y = W x and g = dlogit/dy that product is g . (Delta W x): no gradient of a weight is formed.
Rows of v and columns of o belong to heads, which splits both by head exactly. A class head is fixed on the
path; what it adds to the logits at s0 is a part of its own, so that all parts lead from zero-shot to adapted.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from clipsvd_app.domain.results.contributions import LARGEST_RESIDUAL
from clipsvd_app.domain.results.explanation import Attribution, ScorePart
from clipsvd_app.engine.backbone.architectures import Target
from clipsvd_app.engine.backbone.backbone import embed_images
from clipsvd_app.engine.backbone.prompts import PromptBatch, prompt_batch
from clipsvd_app.engine.explain.model.path_nodes import LEVELS, path_nodes
from clipsvd_app.engine.fitting.last_block import use_class_token_only
from clipsvd_app.engine.sigma.class_head import ClassHead
from clipsvd_app.engine.sigma.layers import shadow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.towers import Tower
    from clipsvd_app.engine.sigma.adapted import AdaptedModel
    from clipsvd_app.jobs.lines import Report


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """One linear layer with its targets, its weight at the start of the path, and the change along it."""

    path: str
    targets: tuple[Target, ...]
    start: Tensor
    delta: Tensor


Products = dict[tuple[str, int | None], Tensor]
"""What each target, or each head of it, adds to both logits (2,)."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """The prompts of the predicted class and its rival, their class head, and the image."""

    prompts: PromptBatch
    image: Tensor
    head: ClassHead | None = None


@dataclass(frozen=True, slots=True)
class _Walker:
    """A model on the path, and its linear layers whose weights change, by path."""

    model: nn.Module
    linears: dict[str, nn.Linear]


def attribute(
    adapted: AdaptedModel,
    image: Tensor,
    answer: int,
    rival: int,
    report: Report,
    ends: tuple[Tensor, Tensor] | None = None,
) -> Attribution:
    """Attribute logit_adapted - logit_zero_shot of one image (3, size, size) to blocks of every matrix.

    Three points of the path, then seven and fifteen while the parts miss the difference by over 0.001.
    ends: the image's unit embeddings (1, width) under the unadapted and the adapted model, where known.
    """
    classes = adapted.classes[answer], adapted.classes[rival]
    head = None if adapted.head is None else adapted.head.of((answer, rival))
    pair = _Pair(prompt_batch(adapted.backbone, classes), image[None].to(adapted.backbone.device), head)
    layers = _changed_layers(adapted)
    before, start, after = (
        logits[[answer, rival]]
        for logits in _logits_of_ends(adapted, ends or _both_embeddings(adapted, pair))
    )
    of_head = () if head is None else (_head_part(start - before),)
    walker = _walker(adapted, layers)
    seen: dict[float, Products] = {}
    for level in range(LEVELS):
        parts = (*_integrate(adapted, walker, layers, pair, level, seen, report), *of_head)
        total, total_margin = sum(p.value for p in parts), sum(p.margin for p in parts)
        residual = float(after[0] - before[0]) - total
        margins = float(before[0] - before[1]), float(after[0] - after[1])
        margin_residual = margins[1] - margins[0] - total_margin
        if max(abs(residual), abs(margin_residual)) <= LARGEST_RESIDUAL:
            break
    return Attribution(
        float(before[0]), float(after[0]), parts, residual, *margins, margin_residual, len(seen)
    )


def heads_of(model: nn.Module, targets: Sequence[Target]) -> dict[Tower, int]:
    """Return the number of heads of each tower, read from the modules that hold its value matrices."""
    found: dict[Tower, int] = {}
    for target in targets:
        if target.kind == "v" and target.tower not in found:
            holder: Any = model.get_submodule(target.module_path.rpartition(".")[0])
            names = ("num_heads", "heads", "num_attention_heads")
            found[target.tower] = next(getattr(holder, name) for name in names if hasattr(holder, name))
    return found


def _ends(adapted: AdaptedModel) -> tuple[nn.Module, nn.Module]:
    return adapted.backbone.model, adapted.model


def _changed_layers(adapted: AdaptedModel) -> tuple[_Layer, ...]:
    base, folded = _ends(adapted)
    layers = []
    for path, group in groupby(adapted.basis.targets, key=lambda target: target.module_path):
        start, end = (cast("Tensor", model.get_submodule(path).weight) for model in (base, folded))
        if start is not end:
            layers.append(_Layer(path, tuple(group), start.detach(), (end - start).detach()))
    return tuple(layers)


@torch.no_grad()
def _both_embeddings(adapted: AdaptedModel, pair: _Pair) -> tuple[Tensor, Tensor]:
    return adapted.base.image_embeddings(pair.image), adapted.image_embeddings(pair.image)


@torch.no_grad()
def _logits_of_ends(adapted: AdaptedModel, ends: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Return all logits (classes,) fp64: zero-shot, of the unadapted towers with the head, and adapted."""
    zero_shot, after = adapted.base.logits_of(ends[0])[0], adapted.logits_of(ends[1])[0]
    start = zero_shot
    if adapted.head is not None:
        texts = adapted.base.class_embeddings()
        cosines = ends[0] @ adapted.head.class_vectors(texts).T
        start = adapted.backbone.logit_scale * cosines[0] + adapted.head.bias_like(texts)
    return zero_shot.double().cpu(), start.double().cpu(), after.double().cpu()


def _pair_logits(adapted: AdaptedModel, model: nn.Module, pair: _Pair) -> Tensor:
    image, texts = embed_images(model, pair.image), pair.prompts.class_embeddings(model)
    if pair.head is None:
        return adapted.backbone.logit_scale * (image @ texts.T)[0]
    cosines = image @ pair.head.class_vectors(texts).T
    return adapted.backbone.logit_scale * cosines[0] + pair.head.bias_like(texts)


def _walker(adapted: AdaptedModel, layers: Sequence[_Layer]) -> _Walker:
    """Return a copy of the base that owns its changed weights, which are set at each point of the path."""
    model = shadow(adapted.backbone.model)
    linears = {layer.path: cast("nn.Linear", model.get_submodule(layer.path)) for layer in layers}
    for layer in layers:
        weight = nn.Parameter(torch.empty_like(layer.start), requires_grad=False)
        linears[layer.path].weight = weight
    # After the layers are found: those of the last block have another path then.
    use_class_token_only(model)
    return _Walker(model, linears)


def _integrate(
    adapted: AdaptedModel,
    walker: _Walker,
    layers: Sequence[_Layer],
    pair: _Pair,
    level: int,
    seen: dict[float, Products],
    report: Report,
) -> tuple[ScorePart, ...]:
    """Sum over the points of a level; points that are ``seen`` already are not computed again."""
    if not layers:
        return ()
    heads = heads_of(adapted.backbone.model, adapted.basis.targets)
    nodes = path_nodes(level)
    new = [place for place, _ in nodes if place not in seen]
    for done, place in enumerate(new):
        report("Attributing the change", done, len(new))
        seen[place] = _products(adapted, walker, layers, pair, place, heads)
    sums: Products = {}
    for place, weight in nodes:
        for key, value in seen[place].items():
            sums[key] = sums.get(key, torch.zeros(2, dtype=torch.float64)) + value * weight
    by_name = {target.name: target for target in adapted.basis.targets}
    return tuple(_part(by_name[name], head, value) for (name, head), value in sums.items())


def _products(
    adapted: AdaptedModel,
    walker: _Walker,
    layers: Sequence[_Layer],
    pair: _Pair,
    place: float,
    heads: dict[Tower, int],
) -> Products:
    """Return <Delta W, dlogit/dW> of both logits (2,) at one point of the path, by target and head."""
    seen: dict[str, tuple[Tensor, Tensor]] = {}
    with ExitStack() as stack, torch.enable_grad():
        for layer in layers:
            linear = walker.linears[layer.path]
            torch.add(layer.start, layer.delta, alpha=place, out=linear.weight)
            stack.callback(linear.register_forward_hook(_keeper(layer.path, seen)).remove)
        logits = _pair_logits(adapted, walker.model, pair)
        gradients = _gradients(logits, {layer.path: seen[layer.path][1] for layer in layers}, layers)
    found = {}
    # (2, prompts): the gradient at a prompt is that of its own class's logit.
    owner = (pair.prompts.average > 0).double()
    with torch.no_grad():
        for layer in layers:
            products = _feature_products(layer, seen[layer.path][0], gradients[layer.path])
            if layer.targets[0].tower == "text":
                products = owner @ products
            found.update(_by_block(layer, products, heads))
    return found


def _gradients(logits: Tensor, outputs: dict[str, Tensor], layers: Sequence[_Layer]) -> dict[str, Tensor]:
    """Return the gradients at the output of every layer: of both logits (2, ...) for the image tower.

    A prompt influences only its own class's logit, so one backward pass through the text tower serves both:
    there it is the gradient (prompts, ...) of their sum.
    """
    image = [layer.path for layer in layers if layer.targets[0].tower == "image"]
    text = [layer.path for layer in layers if layer.targets[0].tower == "text"]
    found: dict[str, Tensor] = {}
    if image:
        ends = [outputs[path] for path in image]
        passes = [
            torch.autograd.grad(logits[row], ends, retain_graph=True, materialize_grads=True)
            for row in range(2)
        ]
        found |= {path: torch.stack(both) for path, *both in zip(image, *passes, strict=True)}
    if text:
        ends = [outputs[path] for path in text]
        together = torch.autograd.grad(logits.sum(), ends, materialize_grads=True)
        found |= dict(zip(text, together, strict=True))
    return found


def _keeper(path: str, seen: dict[str, tuple[Tensor, Tensor]]) -> Any:  # noqa: ANN401 - a hook
    def keep(_: object, arguments: tuple[Tensor, ...], output: Tensor) -> Tensor:
        # No weight requires a gradient, so the first layers of both towers start the graph.
        kept = output if output.requires_grad else output.detach().requires_grad_()
        seen[path] = arguments[0].detach(), kept
        return kept

    return keep


def _feature_products(layer: _Layer, x: Tensor, g: Tensor) -> Tensor:
    """Return g . (Delta W x) summed over tokens (batch, features) fp64, by inputs for o, else by outputs.

    g: (batch, ...) with as many rows as x or, for both logits of one image, twice as many.
    """
    of_inputs = layer.targets[0].kind == "o"
    products = (g @ layer.delta) * x if of_inputs else g * functional.linear(x, layer.delta)
    # Over tokens in fp32, without a copy of all products in fp64; over features in fp64.
    return products.flatten(1, -2).sum(dim=1).double()


def _by_block(layer: _Layer, products: Tensor, heads: dict[Tower, int]) -> Products:
    """Sum products (2, features) by target, and by head where features belong to heads."""
    found: Products = {}
    if layer.targets[0].kind == "o":
        return _head_sums(layer.targets[0], products, heads)
    for target in layer.targets:
        own = products if target.rows is None else products[:, target.rows]
        if target.kind == "v":
            found.update(_head_sums(target, own, heads))
        else:
            found[target.name, None] = own.sum(dim=1).cpu()
    return found


def _head_sums(target: Target, values: Tensor, heads: dict[Tower, int]) -> Products:
    by_head = values.view(2, heads[target.tower], -1).sum(dim=-1).cpu()
    return {(target.name, head): by_head[:, head] for head in range(by_head.shape[1])}


def _head_part(change: Tensor) -> ScorePart:
    """Return the part of a class head from its change of both logits (2,)."""
    return ScorePart(float(change[0]), float(change[0] - change[1]), "class_head", tower=None)


def _part(target: Target, head: int | None, value: Tensor) -> ScorePart:
    margin = float(value[0] - value[1])
    return ScorePart(float(value[0]), margin, target.kind, target.tower, target.layer, head)
