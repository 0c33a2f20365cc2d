"""The model while it learns: CLIP's two towers and the heads that predict the teachers' features."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from . import targets, teacher, text_teacher

PATCH = 16
GREY_BASES = 168


class Student(nn.Module):
    """Image tower and text tower with distillation heads; patches may be dropped to learn faster."""

    def __init__(self, clip: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.clip = clip
        width = clip.visual.trunk.num_features
        self.pooled = nn.Linear(width, targets.WIDTH)
        self.echo = nn.Linear(clip.visual.head.proj.out_features, targets.WIDTH)
        self.spatial = nn.Linear(width, teacher.SPATIAL)
        self.sentence = nn.Linear(clip.text.transformer.config.hidden_size, text_teacher.WIDTH)
        start_from_cosines(clip.visual.trunk.patch_embed.proj)
        start_from_waves(clip.visual.trunk.pos_embed)

    def see(self, images: torch.Tensor, keep: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the CLS features (n, 192) and the patch features (n, kept, 192) after the last norm.

        images: (n, 3, 128, 128) normalised. keep: (n, kept) patch numbers, or None for all 64.
        """
        trunk = self.clip.visual.trunk
        patches = trunk.patch_embed(images) + trunk.pos_embed[:, 1:]
        if keep is not None:
            patches = patches.gather(1, keep[..., None].expand(-1, -1, patches.shape[-1]))
        first = (trunk.cls_token + trunk.pos_embed[:, :1]).expand(len(images), -1, -1)
        tokens = trunk.norm(trunk.blocks(torch.cat([first, patches], dim=1)))
        return tokens[:, 0], tokens[:, 1:]

    def echoed(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Predict the image teacher's features (n, 256) from the direction of the embeddings (n, 256).

        Whatever this prediction needs, the cosine between embeddings can see as well.
        """
        guess: torch.Tensor = self.echo(
            functional.normalize(embeddings, dim=-1) * embeddings.shape[-1] ** 0.5
        )
        return guess

    def read(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the guess of the sentence teacher's embedding (n, 384) and our embedding (n, 256)."""
        text = self.clip.text
        mask = (tokens != text.config.pad_token_id).long()
        pooled = text.pooler(text.transformer(input_ids=tokens, attention_mask=mask), mask)
        return self.sentence(pooled), text.proj(pooled)


def start_from_cosines(projection: nn.Conv2d) -> None:
    """Set the patch filters to the lowest cosine waves: 168 in grey, 12 in each of two opponent colours.

    Coarse waves are scaled down as natural spectra fall, so all outputs start with similar variance.
    """
    order = sorted((u + v, u, v) for u in range(PATCH) for v in range(PATCH))
    axis = (np.arange(PATCH) + 0.5) * np.pi / PATCH
    filters = np.zeros(tuple(projection.weight.shape))
    colours = [(1 / 3, 1 / 3, 1 / 3)] * GREY_BASES + [(0.5, -0.5, 0.0)] * 12 + [(0.25, 0.25, -0.5)] * 12
    for row, colour in enumerate(colours):
        place = row if row < GREY_BASES else (row - GREY_BASES) % 12
        total, u, v = order[place]
        wave = np.outer(np.cos(u * axis), np.cos(v * axis))
        filters[row] = np.array(colour)[:, None, None] * wave / np.linalg.norm(wave) * (1 + total) / PATCH
    with torch.no_grad():
        projection.weight.copy_(torch.from_numpy(filters))


def start_from_waves(positions: torch.Tensor) -> None:
    """Set the position embedding (1, 1 + 64, width) to sines and cosines of rows and columns."""
    width = positions.shape[-1]
    side = round((positions.shape[1] - 1) ** 0.5)
    rates = 1 / 100 ** (torch.arange(width // 4) / (width // 4))
    angles = torch.arange(side)[:, None] * rates
    one_axis = torch.cat([angles.sin(), angles.cos()], dim=-1)
    rows = one_axis[:, None].expand(side, side, -1)
    columns = one_axis[None].expand(side, side, -1)
    grid = torch.cat([rows, columns], dim=-1).reshape(1, side * side, width)
    with torch.no_grad():
        positions[:, 1:] = 0.3 * grid
