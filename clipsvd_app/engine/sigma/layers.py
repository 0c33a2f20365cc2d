"""CLIP-SVD: train the singular values of frozen weights (Koleilat et al. 2026, arXiv 2509.03740).

W(s) = U diag(s) V^T with s = max(0, s0 + RMS(s0) a). The dimensionless a starts at 0 and is all that is
trained; its unit is the matrix's own scale, so that one learning rate fits every matrix, large or small.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clipsvd_app.domain.towers import Tower
    from clipsvd_app.engine.backbone.architectures import Target
    from clipsvd_app.engine.sigma.basis import Basis, MatrixBasis
    from clipsvd_app.engine.sigma.trained import Vector


class SigmaState(nn.Module):
    """All trained numbers in one vector ``a`` (size,) fp32, with their spectra ``s0`` and scales ``rms``."""

    s0: Tensor
    rms: Tensor

    def __init__(self, basis: Basis, targets: Sequence[Target]) -> None:
        super().__init__()
        spectra = [basis.matrices[target.name].s0 for target in targets]
        self.register_buffer("s0", torch.cat(spectra))
        # One scale a matrix, repeated for each of its values, so that a step is one product over one vector.
        self.register_buffer("rms", torch.cat([s.square().mean().sqrt().expand_as(s) for s in spectra]))
        self.a = nn.Parameter(torch.zeros_like(self.s0))
        self.names = tuple(target.name for target in targets)
        self.sizes = tuple(len(spectrum) for spectrum in spectra)

    def vector(self) -> Tensor:
        """Return all singular values s (size,); clamped, because a negative one would flip its direction."""
        return (self.s0 + self.rms * self.a).clamp_min(0)

    def sigmas(self) -> dict[str, Vector]:
        """Return copies of the singular values by target name, on the CPU."""
        parts = torch.split(self.vector().detach().cpu(), list(self.sizes))
        return {name: part.numpy().copy() for name, part in zip(self.names, parts, strict=True)}


class SigmaLinear(nn.Module):
    """A linear layer whose weight is U diag(s) V^T, one block of rows for each target of the layer.

    Factored, y = ((x V^T) * s) U^T + b: the gradient of s costs nothing extra. Materialised,
    y = x (W0 + U diag(s - s0) V^T)^T + b: cheaper for square matrices with many tokens.
    The bases are stored in the number type of the products, so that no step converts them again.
    """

    def __init__(
        self, linear: nn.Linear, blocks: list[MatrixBasis], dtype: torch.dtype, *, materialised: bool
    ) -> None:
        super().__init__()
        device = linear.weight.device
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.base_weight, self.bias = linear.weight, linear.bias
        self.u = [block.u.to(device, dtype) for block in blocks]
        self.vt = _joined([block.vt.to(device, dtype) for block in blocks])
        self.s0 = torch.cat([block.s0 for block in blocks]).to(device)
        self.ranks = [block.rank for block in blocks]
        self.materialised = materialised
        self.sigma = self.s0

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in_features) to (..., out_features) with the present singular values."""
        if self.materialised:
            return functional.linear(x, self.weight(), self.bias)
        z = functional.linear(x, self.vt)
        z = z * self.sigma.to(z.dtype)
        if len(self.u) == 1:
            return functional.linear(z, self.u[0], self.bias)
        parts = [
            functional.linear(part, u) for part, u in zip(torch.split(z, self.ranks, -1), self.u, strict=True)
        ]
        y = torch.cat(parts, dim=-1)
        return y if self.bias is None else y + self.bias.to(y.dtype)

    def weight(self) -> Tensor:
        """Return W(s) (out_features, in_features); exactly the base weight where s = s0."""
        # The change is added to W0, not U diag(s) V^T assembled: rounding then vanishes with the change.
        deltas = torch.split(self.sigma - self.s0, self.ranks)
        rows = [
            (u * delta.to(u.dtype)) @ vt
            for u, delta, vt in zip(self.u, deltas, torch.split(self.vt, self.ranks), strict=True)
        ]
        return self.base_weight + (rows[0] if len(rows) == 1 else torch.cat(rows))


@dataclass(frozen=True, slots=True)
class Attachment:
    """A model whose target layers read their singular values from ``state``.

    ``model`` shares every other tensor with the backbone, which itself stays as it is.
    """

    model: nn.Module
    state: SigmaState
    layers: tuple[SigmaLinear, ...]

    def refresh(self) -> None:
        """Set the layers' singular values from the present ``a``; call once before each forward pass."""
        sizes = [sum(layer.ranks) for layer in self.layers]
        for layer, sigma in zip(self.layers, torch.split(self.state.vector(), sizes), strict=True):
            layer.sigma = sigma


def shadow(model: nn.Module) -> nn.Module:
    """Copy the modules of a model while sharing all of its tensors.

    Layers can be replaced in the copy; the original never changes, so nothing has to be restored.
    """
    shared: dict[int, object] = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    # deepcopy takes what its memo holds for copied already: seeded with the tensors, it copies modules only.
    return copy.deepcopy(model, shared)


def attach(
    model: nn.Module,
    basis: Basis,
    tokens: Mapping[Tower, int],
    dtype: torch.dtype = torch.float32,
    targets: Sequence[Target] | None = None,
) -> Attachment:
    """Return a trainable shadow of ``model`` with the layers of ``targets`` swapped, by default of all.

    tokens: how many tokens a training step passes through each tower, which decides the cheaper form.
    dtype: the number type of the products.
    """
    copied = shadow(model)
    chosen = basis.targets if targets is None else tuple(targets)
    state = SigmaState(basis, chosen).to(next(model.parameters()).device)
    layers = []
    for path, parts in _by_module(chosen):
        linear = cast("nn.Linear", copied.get_submodule(path))
        blocks = [basis.matrices[target.name] for target in parts]
        cheaper = is_cheaper_materialised(linear, blocks, tokens[parts[0].tower])
        layer = SigmaLinear(linear, blocks, dtype, materialised=cheaper)
        copied.set_submodule(path, layer)
        layers.append(layer)
    return Attachment(copied, state, tuple(layers))


def is_cheaper_materialised(linear: nn.Linear, blocks: list[MatrixBasis], tokens: int) -> bool:
    """Compare products, forward and backward: factored 2 T r (m + n), materialised 3 T m n + 2 m n r."""
    n = linear.in_features
    rows = [(block.u.shape[0], block.rank) for block in blocks]
    factored = sum(2 * tokens * r * (m + n) for m, r in rows)
    materialised = sum(3 * tokens * m * n + 2 * m * n * r for m, r in rows)
    return materialised < factored


@torch.no_grad()
def fold(model: nn.Module, basis: Basis, sigmas: Mapping[str, Vector]) -> nn.Module:
    """Return a shadow with plain linear layers of weight W0 + U diag(s - s0) V^T: as fast as the base.

    A matrix whose singular values did not change keeps the base's own tensor, bit for bit.
    """
    copied = shadow(model)
    for path, targets in _by_module(basis.targets):
        linear = cast("nn.Linear", copied.get_submodule(path))
        copied.set_submodule(path, _folded(linear, targets, basis, sigmas))
    return copied


def weight_delta(matrix: MatrixBasis, sigma: Tensor) -> Tensor:
    """Return U diag(s - s0) V^T (rows, columns)."""
    return (matrix.u * (sigma - matrix.s0)) @ matrix.vt


def _folded(
    linear: nn.Linear, targets: list[Target], basis: Basis, sigmas: Mapping[str, Vector]
) -> nn.Linear:
    weight = cast("nn.Parameter", linear.weight)
    for target in targets:
        matrix = basis.matrices[target.name]
        sigma = torch.from_numpy(sigmas[target.name])
        if torch.equal(sigma, matrix.s0):
            continue
        # Copied at the first change only, so that an unchanged matrix keeps sharing the base's memory.
        if weight is linear.weight:
            weight = nn.Parameter(linear.weight.detach().clone(), requires_grad=False)
        target.block(weight).add_(weight_delta(matrix, sigma).to(weight.device))
    folded = cast("nn.Linear", shadow(linear))
    folded.weight = weight
    return folded


def _joined(parts: list[Tensor]) -> Tensor:
    """Concatenate matrices; a single one is not copied, as it may be mapped from the cache's file."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _by_module(targets: Sequence[Target]) -> Iterator[tuple[str, list[Target]]]:
    for path, parts in groupby(targets, key=lambda target: target.module_path):
        yield path, list(parts)
