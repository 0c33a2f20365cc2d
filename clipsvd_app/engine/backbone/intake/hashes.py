"""The two hashes of a source: of the file as it is, and of its tensors whatever file they lie in."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from clipsvd_app.engine.backbone.weights import state_sha256

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from clipsvd_app.jobs.lines import Report

# 16 MiB between two reports: frequent enough to show progress and to be cancelled, too rare to slow reading.
_CHUNK = 1 << 24
_MIB = 1 << 20


def file_sha256(path: Path, report: Report) -> str:
    """Return the SHA-256 of a file, which is what its publisher states."""
    digest, total, done = hashlib.sha256(), path.stat().st_size, 0
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            report("Reading the file", done // _MIB, total // _MIB)
            digest.update(piece)
            done += len(piece)
    return digest.hexdigest()


def tensors_sha256(state: Mapping[str, Tensor], report: Report) -> str:
    """Return the canonical hash of tensors in memory."""
    total = sum(tensor.nbytes for tensor in state.values())
    return state_sha256(state, lambda done: report("Reading the tensors", done // _MIB, total // _MIB))
