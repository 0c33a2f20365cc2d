"""The singular value decomposition of every adapted matrix: W = U diag(s0) V^T, computed once and cached.

Decomposed in fp64 (`decomposition`) and stored in fp32: an fp32 SVD rotates near-equal singular values
differently on every machine, and the same trained s would then give another W.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from threadpoolctl import threadpool_limits
from torch import Tensor

from clipsvd_app import settings
from clipsvd_app.engine.backbone.architectures import Target, list_targets
from clipsvd_app.engine.sigma.decomposition import singular_values
from clipsvd_app.files import keep

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.engine.backbone.backbone import Backbone
    from clipsvd_app.jobs.lines import Report

# Part of the cache's folder name and of every adapter: to be changed with anything that changes U, s0 or V^T.
ALGORITHM = "fp64-gram-1"
STAGE = "Decomposing the backbone, once"
# Each takes about 100 MB while it decomposes a matrix of BiomedCLIP.
_MOST_WORKERS = 8


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

    What is returned is mapped from the cache's files, 1 GB for BiomedCLIP, not held in memory. A call that
    is cancelled keeps the matrices that it has done.
    folder: the cache, by default one for this backbone and algorithm among the user's caches.
    """
    targets = list_targets(backbone.model)
    cache = folder or settings.cache_folder() / "basis" / f"{backbone.sha256}-{ALGORITHM}"
    files = {target.name: cache / f"{target.name}.safetensors" for target in targets}
    with _workers() as workers:
        read = zip(files, workers.map(_read, files.values()), strict=True)
        shapes = {target.name: tuple(target.block(backbone.weight(target)).shape) for target in targets}
        # A cached file of another shape is damaged or foreign: decomposed again like a missing one.
        matrices = {name: matrix for name, matrix in read if matrix and _shape(matrix) == shapes[name]}
        missing = [target for target in targets if target.name not in matrices]
        results = _decomposed(workers, (target.block(backbone.weight(target)) for target in missing))
        for done, target in enumerate(missing, start=len(matrices)):
            report(STAGE, done, len(targets))
            matrices[target.name] = _kept(files[target.name], next(results))
    report(STAGE, len(targets), len(targets))
    return Basis(targets, matrices, _fingerprint(matrices))


def decompose(weight: Tensor) -> MatrixBasis:
    """Decompose one matrix (rows, columns) in fp64; rank is the smaller side.

    Signs are fixed so that the largest entry of every left vector is positive.
    """
    u, s0, vt = singular_values(weight.detach().cpu().double().numpy())
    # An SVD leaves the sign of each pair of vectors open; without a rule, solvers would differ.
    signs = np.sign(u[np.abs(u).argmax(axis=0), np.arange(u.shape[1])])
    u, vt = u * signs, vt * signs[:, None]
    return MatrixBasis(
        *(torch.from_numpy(np.ascontiguousarray(part, dtype=np.float32)) for part in (u, s0, vt))
    )


@contextmanager
def _workers() -> Iterator[ThreadPoolExecutor]:
    """Yield threads that decompose one matrix each, with one BLAS thread each.

    That is faster than all threads on one matrix, and the result does not depend on how many there are.
    """
    workers = ThreadPoolExecutor(min(_MOST_WORKERS, torch.get_num_threads()))
    try:
        with threadpool_limits(1, user_api="blas"):
            yield workers
    finally:
        workers.shutdown(cancel_futures=True)


def _decomposed(workers: ThreadPoolExecutor, weights: Iterable[Tensor]) -> Iterator[MatrixBasis]:
    """Yield decompositions in order, computing only a few ahead: all of BiomedCLIP's would take 1 GB."""
    ahead: deque[Future[MatrixBasis]] = deque()
    for weight in weights:
        ahead.append(workers.submit(decompose, weight))
        if len(ahead) > 2 * _MOST_WORKERS:
            yield ahead.popleft().result()
    while ahead:
        yield ahead.popleft().result()


def _shape(matrix: MatrixBasis) -> tuple[int, int]:
    return matrix.u.shape[0], matrix.vt.shape[1]


def _read(file: Path) -> MatrixBasis | None:
    """Map one cached matrix into memory; None if it is missing or not what was written."""
    try:
        matrix, checksum = _map(file)
    except (OSError, SafetensorError):
        return None
    return matrix if checksum == _checksum(matrix) else None


def _map(file: Path) -> tuple[MatrixBasis, str]:
    with safe_open(file, framework="pt", device="cpu") as stored:
        matrix = MatrixBasis(*(stored.get_tensor(name) for name in ("u", "s0", "vt")))
        return matrix, (stored.metadata() or {}).get("checksum", "")


def _kept(file: Path, matrix: MatrixBasis) -> MatrixBasis:
    """Write one matrix and return it mapped; as it is, in memory, where it cannot be written."""
    _write(file, matrix)
    return _read(file) or matrix


def _write(file: Path, matrix: MatrixBasis) -> None:
    """Write one matrix whole or not at all, also when two processes write it at once."""
    metadata = {"algorithm": ALGORITHM, "checksum": _checksum(matrix)}
    keep(file, save({"u": matrix.u, "s0": matrix.s0, "vt": matrix.vt}, metadata))


def _checksum(matrix: MatrixBasis) -> str:
    # Against damage, not against forgery: the fastest hash of the standard library, 1 GB for BiomedCLIP.
    digest = hashlib.blake2b(digest_size=16)
    for part in (matrix.u, matrix.s0, matrix.vt):
        digest.update(json.dumps(list(part.shape)).encode())
        digest.update(part.contiguous().numpy().data)
    return digest.hexdigest()


def _fingerprint(matrices: Mapping[str, MatrixBasis]) -> str:
    """Hash names and spectra, rounded so that two fp64 solvers agree."""
    digest = hashlib.sha256(ALGORITHM.encode())
    for name, matrix in sorted(matrices.items()):
        digest.update(name.encode())
        top = float(matrix.s0.max())
        # Four decimals of the largest value: far coarser than the differences between solvers.
        digest.update(np.round(matrix.s0.double().numpy() / max(top, 1e-30), 4).tobytes())
    return digest.hexdigest()
