"""Statistics of each adapted matrix's input along its right singular vectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from clipsvd_app.engine.backbone.prompts import prompt_batch
from clipsvd_app.engine.sigma.layers import shadow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.towers import Tower
    from clipsvd_app.engine.sigma.adapted import AdaptedModel
    from clipsvd_app.jobs.lines import Report

# Bounds memory, and the time between two reports.
_BATCH = 16


@dataclass(slots=True)
class InputStatistics:
    """Sums over tokens of v_i^T x and of its square, (rank,) fp64 each, and the number of tokens."""

    total: Tensor
    squares: Tensor
    count: int = 0
    by_image: list[Tensor] = field(default_factory=list)
    """Means over the tokens of each image (images, rank) fp32, batch by batch; none for texts."""

    def add(self, coefficients: Tensor, *, of_images: bool) -> None:
        """Add (batch, tokens, rank) coefficients."""
        # Over the tokens of one image or text in fp32, which is one reading and no copy; over all in fp64.
        sums = coefficients.sum(dim=-2).cpu()
        lengths = torch.linalg.vector_norm(coefficients, dim=-2).cpu()
        self.total += sums.double().sum(dim=0)
        self.squares += lengths.double().square().sum(dim=0)
        tokens = coefficients.shape[-2]
        self.count += len(sums) * tokens
        if of_images:
            self.by_image.append(sums / tokens)

    @property
    def rms(self) -> Tensor:
        """Root mean square of v_i^T x (rank,)."""
        return (self.squares / max(1, self.count)).sqrt()

    @property
    def mean(self) -> Tensor:
        """Mean of v_i^T x (rank,); its sign is the side on which the inputs lie."""
        return self.total / max(1, self.count)


@dataclass(frozen=True, slots=True)
class Measuring:
    """A copy of the adapted model that measures what passes through it, and what it has measured by target.

    A copy, because a short job may use the adapted model between two batches, and must not be counted.
    """

    model: nn.Module
    found: dict[str, InputStatistics]


def measuring(adapted: AdaptedModel) -> Measuring:
    """Return a measuring copy of an adapted model, with nothing measured yet."""
    basis, model = adapted.basis, shadow(adapted.model)
    found = {name: _nothing(matrix.rank) for name, matrix in basis.matrices.items()}
    for path, group in groupby(basis.targets, key=lambda target: target.module_path):
        targets = tuple(group)
        linear = cast("nn.Linear", model.get_submodule(path))
        names = [target.name for target in targets]
        layer = _MeasuringLinear(adapted, linear, names, [found[name] for name in names], targets[0].tower)
        model.set_submodule(path, layer)
    return Measuring(model, found)


@torch.no_grad()
def gather_inputs(adapted: AdaptedModel, images: Tensor, report: Report) -> dict[str, InputStatistics]:
    """Pass images (images, 3, size, size) and all prompts through the model and measure every target."""
    measured = measuring(adapted)
    for start in range(0, len(images), _BATCH):
        report("Recording activations", start, len(images))
        measured.model.encode_image(images[start : start + _BATCH].to(adapted.backbone.device))  # type: ignore[operator]
    return gather_prompts(adapted, measured, report)


@torch.no_grad()
def gather_prompts(adapted: AdaptedModel, measured: Measuring, report: Report) -> dict[str, InputStatistics]:
    """Pass all prompts through a measuring model and return all that it has measured."""
    # Prompts go one length at a time, so that no padding is counted.
    tokens = prompt_batch(adapted.backbone, adapted.classes).tokens
    for done, row in enumerate(tokens):
        report("Recording activations", done, len(tokens))
        measured.model.encode_text(_unpadded(row)[None])  # type: ignore[operator]
    return measured.found


class _MeasuringLinear(nn.Module):
    """A linear layer in factors, y = U (s * V^T x) + b, that measures V^T x.

    W x and V^T x for a layer of m outputs, n inputs and rank r cost mn + rn a token, this rm + rn: as much
    for square matrices, and three eighths less for fc2.
    """

    def __init__(
        self,
        adapted: AdaptedModel,
        linear: nn.Linear,
        names: Sequence[str],
        found: Sequence[InputStatistics],
        tower: Tower,
    ) -> None:
        super().__init__()
        device = linear.weight.device
        matrices = [adapted.basis.matrices[name] for name in names]
        self.in_features, self.out_features, self.bias = linear.in_features, linear.out_features, linear.bias
        self._factors = [(matrix.u.to(device), matrix.vt.to(device)) for matrix in matrices]
        self._sigmas = [torch.from_numpy(adapted.sigmas[name]).to(device) for name in names]
        self._found, self._tower = found, tower

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., tokens, in_features) to (..., tokens, out_features)."""
        parts = []
        for (u, vt), sigma, found in zip(self._factors, self._sigmas, self._found, strict=True):
            coefficients = functional.linear(x, vt)
            found.add(coefficients, of_images=self._tower == "image")
            parts.append(functional.linear(coefficients * sigma, u))
        y = parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
        return y if self.bias is None else y + self.bias


def _nothing(rank: int) -> InputStatistics:
    return InputStatistics(torch.zeros(rank, dtype=torch.float64), torch.zeros(rank, dtype=torch.float64))


def _unpadded(row: Tensor) -> Tensor:
    filled = row.nonzero()
    return row[: int(filled.max()) + 1] if len(filled) else row[:1]
