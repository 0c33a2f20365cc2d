"""Reading an adapter file, or refusing it in one sentence."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.adapter_file.class_head import BIAS, OFFSETS, head_of
from clipsvd_app.adapter_file.container import (
    Container,
    TensorEntry,
    container_of,
    header_length,
    refuse,
    unreadable,
)
from clipsvd_app.adapter_file.content import AdapterContent, Spectrum, require_sound
from clipsvd_app.adapter_file.frozen_classifier import (
    ClassifierContent,
    classifier_content,
    require_sound_classifier,
)
from clipsvd_app.adapter_file.header import (
    CLASSIFIER_KEY,
    DOCUMENT_KEY,
    classifier_document_from_text,
    document_from_text,
)
from clipsvd_app.adapter_file.names import EITHER, SIGMA_SUFFIX
from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# Stated in docs/sigma-adapter.md. An adapter of BiomedCLIP, 144 matrices of rank 768, has less than 1 MB.
LARGEST_FILE = 16_000_000
LARGEST_HEADER = 256_000
_PARTS = ("sigma", "sigma_base", "probe")


def read_adapter(path: Path) -> AdapterContent:
    """Read a sigma adapter of format 1, or of format 2 with a class head, without torch.

    Refuses, each with one sentence: a file over 16 MB, a header over 256 kB, JSON that is not
    strict, a document that breaks the schema, tensors that are not named, typed and shaped as the
    format says, non-finite numbers, negative sigma, and changes over 10 RMS of the base.
    The engine checks whether it fits a backbone.
    """
    content = read_exported(path)
    if not isinstance(content, AdapterContent):
        raise UserError(
            f"“{plain(path.name)}” is a frozen classifier, not an adapter.",
            remedy=f"Choose a file that ends in {SIGMA_SUFFIX}.",
            code="not_an_adapter",
        )
    return content


def read_exported(path: Path) -> AdapterContent | ClassifierContent:
    """Read a sigma adapter or a frozen-feature classifier; its metadata key tells which it is."""
    raw = _read_small(path)
    length = header_length(raw[:8], len(raw), LARGEST_HEADER)
    container = container_of(raw[8 : 8 + length], len(raw))
    if set(container.metadata) == {CLASSIFIER_KEY}:
        classifier = classifier_content(
            classifier_document_from_text(container.metadata[CLASSIFIER_KEY]), container, raw
        )
        require_sound_classifier(classifier)
        return classifier
    if set(container.metadata) != {DOCUMENT_KEY}:
        raise UserError(
            f"“{plain(path.name)}” is a safetensors file, but not a sigma adapter.",
            remedy=f"Choose a file that ends in {EITHER}.",
            code="not_an_adapter",
        )
    document = document_from_text(container.metadata[DOCUMENT_KEY])
    content = AdapterContent(document, _spectra(container, raw), head_of(container, raw))
    require_sound(content)
    return content


def _read_small(path: Path) -> bytes:
    """Return all bytes of a regular file; a too large one, a pipe or a device is not read."""
    name = plain(path.name)
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise UserError(
            f"There is no adapter file “{name}”.", remedy="Check the path.", code="unreadable_file"
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise UserError(f"“{name}” is not a file.", remedy="Choose one file.", code="unreadable_file")
    if status.st_size > LARGEST_FILE:
        refuse(f"it has {status.st_size:,} bytes; the limit is {LARGEST_FILE:,}")
    try:
        with path.open("rb") as file:
            # Bounded, because the file may have grown since it was measured.
            return file.read(LARGEST_FILE)
    except OSError as error:
        raise unreadable(path, error) from error


def _spectra(container: Container, raw: bytes) -> tuple[Spectrum, ...]:
    matrices: dict[str, set[str]] = {}
    for name in container.tensors:
        if name in (OFFSETS, BIAS):
            continue
        matrix, _, part = name.rpartition(".")
        if part not in _PARTS or not matrix:
            refuse(f"it contains an unexpected tensor “{name[:80]}”")
        matrices.setdefault(matrix, set()).add(part)
    for matrix, parts in matrices.items():
        if len(parts) != len(_PARTS):
            refuse(f"“{matrix[:80]}” lacks {' and '.join(sorted(set(_PARTS) - parts))}")
    return tuple(
        Spectrum(matrix, *(_values(container.tensors[f"{matrix}.{part}"], raw, matrix) for part in _PARTS))
        for matrix in sorted(matrices)
    )


def _values(entry: TensorEntry, raw: bytes, matrix: str) -> NDArray[np.float32]:
    if entry.dtype != "F32" or len(entry.shape) != 1:
        refuse(f"a tensor of “{matrix[:80]}” is not a list of fp32 numbers")
    return np.frombuffer(raw[entry.begin : entry.end], dtype="<f4").astype(np.float32)
