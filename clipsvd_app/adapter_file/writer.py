"""Writing an adapter file whole or not at all; equal content gives equal bytes."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

from clipsvd_app.adapter_file.content import AdapterContent, require_sound
from clipsvd_app.adapter_file.frozen_classifier import ClassifierContent, require_sound_classifier
from clipsvd_app.adapter_file.header import CLASSIFIER_KEY, DOCUMENT_KEY, document_text
from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.errors import UserError
from clipsvd_app.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

# safetensors pads its header with spaces to 8 bytes, so that tensors of any type can be mapped in place.
_ALIGNMENT = 8


def write_adapter(path: Path, content: AdapterContent | ClassifierContent) -> None:
    """Write an adapter or a classifier; an existing file is replaced only by a complete one."""
    if isinstance(content, AdapterContent):
        require_sound(content)
    else:
        require_sound_classifier(content)
    raw = adapter_bytes(content)
    try:
        write_whole(path, raw)
    except OSError as error:
        raise UserError(
            f"“{plain(path.name)}” could not be written: {error.strerror or 'the system refused'}.",
            remedy="Choose a folder with free space and write permission.",
            code="unwritable_file",
        ) from error


def adapter_bytes(content: AdapterContent | ClassifierContent) -> bytes:
    """Return the bytes of the file: safetensors with sorted names and one metadata key."""
    if isinstance(content, AdapterContent):
        key, tensors = DOCUMENT_KEY, _tensors(content)
    else:
        key, tensors = CLASSIFIER_KEY, content.tensors
    entries: dict[str, object] = {"__metadata__": {key: document_text(content.document)}}
    position = 0
    for name, values in tensors.items():
        end = position + values.size * 4
        entries[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [position, end]}
        position = end
    header = json.dumps(entries, separators=(",", ":")).encode("ascii")
    header += b" " * (-len(header) % _ALIGNMENT)
    body = b"".join(values.astype("<f4").tobytes() for values in tensors.values())
    return struct.pack("<Q", len(header)) + header + body


def _tensors(content: AdapterContent) -> dict[str, NDArray[np.float32]]:
    named = {} if content.head is None else content.head.tensors
    for spectrum in content.spectra:
        named[f"{spectrum.name}.sigma"] = spectrum.sigma
        named[f"{spectrum.name}.sigma_base"] = spectrum.sigma_base
        named[f"{spectrum.name}.probe"] = spectrum.probe
    return dict(sorted(named.items()))
