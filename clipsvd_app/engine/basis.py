"""The singular value decomposition of every adapted matrix: W = U diag(s0) V^T, computed once and kept.

Decomposed in fp64 by LAPACK gesdd and stored in fp32: an fp32 SVD rotates near-equal singular values
differently on every machine, and the same trained s would then give another W.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from clipsvd_app import settings
from clipsvd_app.engine.architectures import Target, list_targets

if TYPE_CHECKING:
    from clipsvd_app.engine.backbones import Backbone
    from clipsvd_app.jobs import Report

ALGORITHM = "fp64-gesdd-1"


@dataclass(frozen=True, slots=True)
class MatrixBasis:
    """U (rows, rank), s0 (rank,) descending, V^T (rank, columns) of one matrix, all fp32 on the CPU."""

    u: Tensor
    s0: Tensor
    vt: Tensor

    @property
    def rank(self) -> int:
        """The number of singular values."""
        return int(self.s0.shape[0])


@dataclass(frozen=True, slots=True)
class Basis:
    """The decomposition of a backbone: its targets in order and their matrices by target name."""

    targets: tuple[Target, ...]
    matrices: Mapping[str, MatrixBasis]
    fingerprint: str
    algorithm: str = ALGORITHM
    dtype: str = "float32"

    @property
    def size(self) -> int:
        """How many singular values there are in all."""
        return sum(matrix.rank for matrix in self.matrices.values())

    def sigma_base(self) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float32]]]:
        """Return copies of all base spectra, as numpy vectors by target name."""
        return {name: matrix.s0.numpy().copy() for name, matrix in self.matrices.items()}


def load_basis(backbone: Backbone, report: Report, folder: Path | None = None) -> Basis:
    """Return the basis of a backbone from the cache, decomposing what is missing or damaged.

    folder: the cache, by default one for this backbone and algorithm among the user's caches.
    """
    targets = list_targets(backbone.model)
    cache = folder or settings.cache_folder() / "basis" / f"{backbone.sha256}-{ALGORITHM}"
    matrices: dict[str, MatrixBasis] = {}
    for done, target in enumerate(targets):
        file = cache / f"{target.name}.safetensors"
        matrix = _read(file)
        if matrix is None:
            report("Decomposing the backbone, once", done, len(targets))
            matrix = decompose(target.block(backbone.weight(target)))
            _write(file, matrix)
        matrices[target.name] = matrix
    report("Decomposing the backbone, once", len(targets), len(targets))
    return Basis(targets, matrices, _fingerprint(matrices))


def decompose(weight: Tensor) -> MatrixBasis:
    """Decompose one matrix (rows, columns) in fp64; rank is the smaller side.

    Signs are fixed so that the largest entry of every left vector is positive.
    """
    matrix = weight.detach().cpu().double().numpy()
    wide = matrix.shape[0] < matrix.shape[1]
    # LAPACK is more than twice as fast on tall matrices.
    u, s0, vt = scipy.linalg.svd(matrix.T if wide else matrix, full_matrices=False, lapack_driver="gesdd")
    if wide:
        u, vt = vt.T, u.T
    signs = np.sign(u[np.abs(u).argmax(axis=0), np.arange(u.shape[1])])
    u, vt = u * signs, vt * signs[:, None]
    return MatrixBasis(
        *(torch.from_numpy(np.ascontiguousarray(part, dtype=np.float32)) for part in (u, s0, vt))
    )


def _read(file: Path) -> MatrixBasis | None:
    """Map one cached matrix into memory; None if it is missing or not what was written."""
    try:
        with safe_open(file, framework="pt", device="cpu") as stored:
            parts = [stored.get_tensor(name) for name in ("u", "s0", "vt")]
            metadata = stored.metadata() or {}
    except (OSError, SafetensorError):
        return None
    if metadata.get("checksum") != _checksum(parts):
        return None
    return MatrixBasis(*parts)


def _write(file: Path, matrix: MatrixBasis) -> None:
    """Write one matrix whole or not at all, also when two processes write it at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    parts = {"u": matrix.u, "s0": matrix.s0, "vt": matrix.vt}
    metadata = {"algorithm": ALGORITHM, "checksum": _checksum(list(parts.values()))}
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, suffix=".part")
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(save(parts, metadata))
    Path(temporary).replace(file)


def _checksum(parts: list[Tensor]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(json.dumps(list(part.shape)).encode())
        digest.update(part.contiguous().numpy().tobytes())
    return digest.hexdigest()


def _fingerprint(matrices: Mapping[str, MatrixBasis]) -> str:
    """Hash names and spectra, rounded so that two fp64 solvers agree."""
    digest = hashlib.sha256(ALGORITHM.encode())
    for name, matrix in sorted(matrices.items()):
        digest.update(name.encode())
        top = float(matrix.s0.max())
        digest.update(np.round(matrix.s0.double().numpy() / max(top, 1e-30), 4).tobytes())
    return digest.hexdigest()
