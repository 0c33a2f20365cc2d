"""Hugging Face BERT as a text tower."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from clipsvd_app.engine.backbone.architectures.targets import (
    MatrixKind,
    Target,
    TowerTable,
    layer_paths,
    plain_matrices,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

_LAYER: tuple[tuple[str, MatrixKind], ...] = (
    ("attention.self.query", "q"),
    ("attention.self.key", "k"),
    ("attention.self.value", "v"),
    ("attention.output.dense", "o"),
    ("intermediate.dense", "fc1"),
    ("output.dense", "fc2"),
)


_BLOCKS = "text.transformer.encoder.layer"


def _targets(model: nn.Module) -> Iterator[Target]:
    for layer, path in layer_paths(model, _BLOCKS):
        yield from plain_matrices(_LAYER, path, "text", layer)


def _tokens(model: nn.Module) -> int:
    positions = model.get_submodule("text.transformer.embeddings.position_embeddings")
    return len(cast("Tensor", positions.weight))


HF_BERT = TowerTable(
    name="hf-bert",
    path="text.transformer",
    class_name="transformers.models.bert.modeling_bert.BertModel",
    blocks=_BLOCKS,
    stem=None,
    targets=_targets,
    tokens=_tokens,
)
