"""The change of every matrix as a LoRA that peft loads onto the plain open_clip model.

The best approximation of rank k of U diag(s - s0) V^T is its k largest |s - s0| (Eckart, Young 1936), so a
LoRA with B A = U_k diag(s - s0)_k V_k^T loses exactly the squares of the others.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import save_file

from clipsvd_app.adapter_file.container import read_container
from clipsvd_app.engine.backbone.folder import read_folder
from clipsvd_app.engine.exports.class_head import write_head
from clipsvd_app.engine.exports.parity import logit_difference
from clipsvd_app.engine.exports.readme_texts import lora_readme, write_document
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from clipsvd_app.engine.backbone.architectures import Target
    from clipsvd_app.engine.sigma.adapter import LoadedAdapter
    from clipsvd_app.engine.sigma.trained import Vector
    from clipsvd_app.jobs.lines import Report

_STAGE = "Writing the LoRA"
Kept = dict[str, "NDArray[np.intp]"]


@dataclass(frozen=True, slots=True)
class LoraWritten:
    """The rank of every changed module, the number of parameters, and the largest logit difference."""

    ranks: dict[str, int]
    parameters: int
    logit_difference: float


def write_lora(folder: Path, loaded: LoadedAdapter, energy: float, report: Report) -> LoraWritten:
    """Write ``adapter_config.json`` and ``adapter_model.safetensors`` with ``energy`` of every change.

    energy: the share, above 0 up to 1, of the squared change of each matrix that is kept.
    """
    adapted = loaded.adapted
    _require_linear(adapted)
    report(_STAGE, 0, 2)
    kept = kept_directions(adapted, energy)
    factors = _factors(adapted, kept)
    if not factors:
        raise UserError(
            "The adapter changes no matrix, so it cannot be converted to a LoRA.",
            remedy="Train longer, or use the base model.",
            code="no_change",
        )
    tensors = {
        f"base_model.model.{path}.{part}.weight": tensor
        for path, pair in factors.items()
        for part, tensor in zip(("lora_A", "lora_B"), pair, strict=True)
    }
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    ranks = {path: down.shape[0] for path, (down, _) in factors.items()}
    _write_config(folder, ranks, loaded.content.document.base.name)
    report(_STAGE, 1, 2)
    difference = logit_difference(adapted, _truncated(adapted, kept).model)
    write_document(folder, loaded.content)
    write_head(folder, loaded.content)
    (folder / "README.md").write_text(lora_readme(loaded.content, energy, difference), encoding="utf-8")
    report(_STAGE, 2, 2)
    return LoraWritten(ranks, sum(tensor.numel() for tensor in tensors.values()), difference)


def kept_directions(adapted: AdaptedModel, energy: float) -> Kept:
    """Return, for every matrix, the positions of its largest |s - s0| whose squares reach ``energy``."""
    return {target.name: _largest(_change(adapted, target.name), energy) for target in adapted.basis.targets}


def _largest(change: NDArray[np.float64], energy: float) -> NDArray[np.intp]:
    squares = change**2
    order = np.argsort(-squares, kind="stable")
    moved = int(np.count_nonzero(squares))
    if moved == 0:
        return order[:0]
    sums = np.cumsum(squares[order])
    # 1e-12 forgives rounding of the sum, which at an energy of 1 might ask for one direction too many.
    enough = int(np.searchsorted(sums, energy * sums[-1] * (1 - 1e-12))) + 1
    return np.sort(order[: min(enough, moved)])


def _change(adapted: AdaptedModel, name: str) -> NDArray[np.float64]:
    base = adapted.basis.matrices[name].s0.numpy().astype(np.float64)
    return np.asarray(adapted.sigmas[name].astype(np.float64) - base)


def _factors(adapted: AdaptedModel, kept: Kept) -> dict[str, tuple[Tensor, Tensor]]:
    """Return A (rank, columns) and B (rows, rank) fp32 of every module that changed.

    A fused layer is one module: its blocks' ranks add up, and B is block-diagonal.
    """
    factors = {}
    for path, group in groupby(adapted.basis.targets, key=lambda target: target.module_path):
        targets = list(group)
        rank = sum(len(kept[target.name]) for target in targets)
        if rank:
            factors[path] = _module_factors(adapted, targets, kept, rank)
    return factors


def _module_factors(
    adapted: AdaptedModel, targets: list[Target], kept: Kept, rank: int
) -> tuple[Tensor, Tensor]:
    weight = adapted.backbone.weight(targets[0])
    down, up = torch.zeros((rank, weight.shape[1])), torch.zeros((weight.shape[0], rank))
    first = 0
    for target in targets:
        matrix, chosen = adapted.basis.matrices[target.name], torch.from_numpy(kept[target.name])
        delta = torch.from_numpy(_change(adapted, target.name)[kept[target.name]]).float()
        last = first + len(chosen)
        down[first:last] = matrix.vt[chosen]
        target.block(up)[:, first:last] = matrix.u[:, chosen] * delta
        first = last
    return down, up


def _truncated(adapted: AdaptedModel, kept: Kept) -> AdaptedModel:
    """Return the model with only the kept directions: what the LoRA makes of the base."""
    sigmas: dict[str, Vector] = {}
    for name, chosen in kept.items():
        sigmas[name] = adapted.basis.matrices[name].s0.numpy().copy()
        sigmas[name][chosen] = adapted.sigmas[name][chosen]
    return AdaptedModel(adapted.backbone, adapted.basis, sigmas, adapted.classes, head=adapted.head)


def _write_config(folder: Path, ranks: Mapping[str, int], base_name: str) -> None:
    """Write peft's configuration; alpha equals rank in every module, so that the scaling is exactly 1."""
    common = max(ranks.values())
    config = {
        "peft_type": "LORA",
        "task_type": None,
        "base_model_name_or_path": base_name,
        "inference_mode": True,
        "r": common,
        "lora_alpha": common,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": False,
        "use_rslora": False,
        "use_dora": False,
        "target_modules": list(ranks),
        "rank_pattern": dict(ranks),
        "alpha_pattern": dict(ranks),
    }
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _require_linear(adapted: AdaptedModel) -> None:
    """Refuse models in which plain open_clip holds an adapted matrix outside any linear layer."""
    names = set(read_container(read_folder(adapted.backbone.folder).weights).tensors)
    if any(f"{target.module_path}.weight" not in names for target in adapted.basis.targets):
        raise UserError(
            "A LoRA is not possible for this backbone, whose attention is a single open_clip module.",
            remedy="Use merge or to-onnx instead.",
            code="no_lora_for_backbone",
        )
