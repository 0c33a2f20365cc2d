"""Statistics of each adapted matrix's input along its right singular vectors."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from clipsvd_app.engine.backbone.prompts import prompt_batch
from clipsvd_app.engine.sigma.layers import shadow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from clipsvd_app.domain.towers import Tower
    from clipsvd_app.engine.backbone.architectures import Target
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

    def add(self, coefficients: Tensor) -> None:
        """Add (tokens, rank) coefficients."""
        values = coefficients.double()
        self.total += values.sum(dim=0)
        self.squares += values.square().sum(dim=0)
        self.count += len(values)

    @property
    def rms(self) -> Tensor:
        """Root mean square of v_i^T x (rank,)."""
        return (self.squares / max(1, self.count)).sqrt()

    @property
    def mean(self) -> Tensor:
        """Mean of v_i^T x (rank,); its sign is the side on which the inputs lie."""
        return self.total / max(1, self.count)


@torch.no_grad()
def gather_inputs(adapted: AdaptedModel, images: Tensor, report: Report) -> dict[str, InputStatistics]:
    """Pass images (images, 3, size, size) and all prompts through the model and measure every target."""
    basis, device = adapted.basis, adapted.backbone.device
    found = {
        name: InputStatistics(
            torch.zeros(matrix.rank, dtype=torch.float64), torch.zeros(matrix.rank, dtype=torch.float64)
        )
        for name, matrix in basis.matrices.items()
    }
    # Hooks go on a copy: between two batches a short job may use the adapted model, and must not be counted.
    model = cast("Any", shadow(adapted.model))
    with _watched(model, adapted, "image", found):
        for start in range(0, len(images), _BATCH):
            report("Recording activations", start, len(images))
            model.encode_image(images[start : start + _BATCH].to(device))
    # Prompts go one length at a time, so that no padding is counted.
    tokens = prompt_batch(adapted.backbone, adapted.classes).tokens
    with _watched(model, adapted, "text", found):
        for done, row in enumerate(tokens):
            report("Recording activations", done, len(tokens))
            model.encode_text(_unpadded(row)[None])
    return found


def _unpadded(row: Tensor) -> Tensor:
    filled = row.nonzero()
    return row[: int(filled.max()) + 1] if len(filled) else row[:1]


@contextmanager
def _watched(
    model: nn.Module, adapted: AdaptedModel, tower: Tower, found: dict[str, InputStatistics]
) -> Iterator[None]:
    targets = [target for target in adapted.basis.targets if target.tower == tower]
    with ExitStack() as stack:
        for path, group in groupby(targets, key=lambda target: target.module_path):
            module = model.get_submodule(path)
            watch = _watcher(adapted, tuple(group), found)
            stack.callback(module.register_forward_pre_hook(watch).remove)
        yield


def _watcher(adapted: AdaptedModel, targets: tuple[Target, ...], found: dict[str, InputStatistics]):  # type: ignore[no-untyped-def] # noqa: ANN202
    def watch(_: object, arguments: tuple[Tensor, ...]) -> None:
        x = arguments[0].detach().float().flatten(0, -2)
        for target in targets:
            vt = adapted.basis.matrices[target.name].vt.to(x.device)
            coefficients = (x @ vt.T).cpu()
            found[target.name].add(coefficients)
            if target.tower == "image":
                by_image = coefficients.view(*arguments[0].shape[:-1], -1).mean(dim=1)
                found[target.name].by_image.append(by_image)

    return watch
