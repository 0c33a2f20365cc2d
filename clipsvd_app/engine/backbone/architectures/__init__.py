"""Which matrices are adapted: an image tower of one table with a text tower of another.

Every table names its matrices one by one, never by a match of substrings: ``output.dense`` would also find
``attention.output.dense``. A tower is known by where it lies and by its exact class, module included,
because timm and open_clip both call theirs ``VisionTransformer``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from clipsvd_app.engine.backbone.architectures.hf_bert import HF_BERT
from clipsvd_app.engine.backbone.architectures.open_clip_towers import (
    OPEN_CLIP_CLIP_TEXT,
    OPEN_CLIP_TEXT,
    OPEN_CLIP_VIT,
)
from clipsvd_app.engine.backbone.architectures.targets import MatrixKind, Target, TowerTable
from clipsvd_app.engine.backbone.architectures.timm_vit import TIMM_VIT
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "IMAGE_TOWERS",
    "TEXT_TOWERS",
    "Architecture",
    "MatrixKind",
    "Target",
    "architecture_of",
    "list_targets",
    "tokens_per_image",
]

_REMEDY = "Choose a backbone with a ViT image encoder and a BERT or CLIP text encoder."
IMAGE_TOWERS = (TIMM_VIT, OPEN_CLIP_VIT)
TEXT_TOWERS = (HF_BERT, OPEN_CLIP_CLIP_TEXT, OPEN_CLIP_TEXT)


@dataclass(frozen=True, slots=True)
class Architecture:
    """The tables of a model's two towers."""

    image: TowerTable
    text: TowerTable

    @property
    def name(self) -> str:
        """The name in adapter files, such as ``timm-vit+hf-bert``."""
        return f"{self.image.name}+{self.text.name}"


def architecture_of(model: nn.Module) -> Architecture:
    """Return the tables of an open_clip model, or refuse an architecture that has none."""
    image, text = _table(IMAGE_TOWERS, model), _table(TEXT_TOWERS, model)
    if image is None or text is None:
        raise UserError(
            f"This backbone pairs a {_class_at(model, ('visual.trunk', 'visual'))} image encoder"
            f" with a {_class_at(model, ('text.transformer', 'text', 'transformer'))} text encoder,"
            f" which is not supported.",
            remedy=_REMEDY,
            code="unknown_architecture",
        )
    return Architecture(image, text)


def list_targets(model: nn.Module) -> tuple[Target, ...]:
    """List every q, k, v, o, fc1 and fc2 matrix of both towers, image tower first.

    open_clip's own towers are listed after ``plain_attention``. A tower whose layers are not those of its
    table, such as one with gated MLPs, is refused.
    """
    entry = architecture_of(model)
    targets = (*entry.image.targets(model), *entry.text.targets(model))
    for target in targets:
        if not isinstance(_module_at(model, target.module_path), nn.Linear):
            raise UserError(
                f"This backbone has no plain matrix at “{target.module_path}” and is not supported.",
                remedy=_REMEDY,
                code="unknown_architecture",
            )
    return targets


def tokens_per_image(model: nn.Module) -> int:
    """Return how many tokens the image tower makes of an image, class token included."""
    return architecture_of(model).image.tokens(model)


def _table(tables: Sequence[TowerTable], model: nn.Module) -> TowerTable | None:
    return next(
        (table for table in tables if _class_name(_module_at(model, table.path)) == table.class_name), None
    )


def _class_name(module: nn.Module | None) -> str:
    return f"{type(module).__module__}.{type(module).__qualname__}"


def _class_at(model: nn.Module, paths: Sequence[str]) -> str:
    return next(type(found).__name__ for path in paths if (found := _module_at(model, path)) is not None)


def _module_at(model: nn.Module, path: str) -> nn.Module | None:
    try:
        return model.get_submodule(path)
    except AttributeError:
        return None
