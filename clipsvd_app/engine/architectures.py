"""Which matrices are adapted: one explicit table for each architecture, never a match by substring.

A fused ``qkv`` of a timm ViT is three blocks of rows (q, then k, then v; head-major inside each).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from torch import nn

from clipsvd_app.domain.results import Tower
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

MatrixKind = Literal["q", "k", "v", "o", "fc1", "fc2"]

_TIMM_VIT_BLOCK: tuple[tuple[str, MatrixKind], ...] = (
    ("attn.proj", "o"),
    ("mlp.fc1", "fc1"),
    ("mlp.fc2", "fc2"),
)
_HF_BERT_LAYER: tuple[tuple[str, MatrixKind], ...] = (
    ("attention.self.query", "q"),
    ("attention.self.key", "k"),
    ("attention.self.value", "v"),
    ("attention.output.dense", "o"),
    ("intermediate.dense", "fc1"),
    ("output.dense", "fc2"),
)


@dataclass(frozen=True, slots=True)
class Target:
    """One adapted matrix: ``rows`` of the weight of ``module_path``, or all of it.

    ``name`` is its name in adapter files; ``layer`` counts from 0 within its tower.
    """

    name: str
    tower: Tower
    layer: int
    kind: MatrixKind
    module_path: str
    rows: slice | None = None

    def block(self, weight: Tensor) -> Tensor:
        """Return this target's rows of its module's weight, as a view."""
        return weight if self.rows is None else weight[self.rows]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A named pair of towers and the functions that list their matrices."""

    name: str
    vision_class: str
    text_class: str
    vision_targets: Callable[[nn.Module], Iterator[Target]]
    text_targets: Callable[[nn.Module], Iterator[Target]]


def architecture_of(model: nn.Module) -> Architecture:
    """Return the table entry of an open_clip model, or refuse an architecture that has none."""
    vision = type(getattr(model.visual, "trunk", model.visual)).__name__
    text_tower = getattr(model, "text", model)
    text = type(getattr(text_tower, "transformer", text_tower)).__name__
    for entry in ARCHITECTURES:
        if (entry.vision_class, entry.text_class) == (vision, text):
            return entry
    raise UserError(
        f"This backbone pairs a {vision} image tower with a {text} text tower, which cannot be adapted yet.",
        remedy="Choose a backbone with a timm ViT image tower and a BERT text tower, such as BiomedCLIP.",
        code="unknown_architecture",
    )


def list_targets(model: nn.Module) -> tuple[Target, ...]:
    """List every q, k, v, o, fc1 and fc2 matrix of both towers, image tower first."""
    entry = architecture_of(model)
    return (*entry.vision_targets(model), *entry.text_targets(model))


def _timm_vit(model: nn.Module) -> Iterator[Target]:
    blocks = model.get_submodule("visual.trunk.blocks")
    for layer, _ in enumerate(blocks.children()):
        path = f"visual.trunk.blocks.{layer}"
        qkv = f"{path}.attn.qkv"
        width = _rows(model, qkv) // 3
        parts: tuple[MatrixKind, ...] = ("q", "k", "v")
        for index, part in enumerate(parts):
            rows = slice(index * width, (index + 1) * width)
            yield Target(f"{qkv}.{part}", "image", layer, part, qkv, rows)
        for suffix, kind in _TIMM_VIT_BLOCK:
            yield Target(f"{path}.{suffix}", "image", layer, kind, f"{path}.{suffix}")


def _hf_bert(model: nn.Module) -> Iterator[Target]:
    layers = model.get_submodule("text.transformer.encoder.layer")
    for layer, _ in enumerate(layers.children()):
        for suffix, kind in _HF_BERT_LAYER:
            path = f"text.transformer.encoder.layer.{layer}.{suffix}"
            yield Target(path, "text", layer, kind, path)


def _rows(model: nn.Module, path: str) -> int:
    weight = cast("Tensor", model.get_submodule(path).weight)
    return int(weight.shape[0])


ARCHITECTURES = (Architecture("timm-vit+hf-bert", "VisionTransformer", "BertModel", _timm_vit, _hf_bert),)
