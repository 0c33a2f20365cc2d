"""The class head beside an exported model, for which neither open_clip nor peft has a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safetensors.numpy import save_file

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.adapter_file import AdapterContent

HEAD_FILE = "class_head.safetensors"


def write_head(folder: Path, content: AdapterContent) -> None:
    """Write ``offsets`` (classes, width) and ``bias`` (classes,), if the adapter has a head."""
    if content.head is not None:
        save_file({"offsets": content.head.offsets, "bias": content.head.bias}, folder / HEAD_FILE)


def head_usage(content: AdapterContent) -> str:
    """Return the sentence for the console that leads to the head; empty without one."""
    return "" if content.head is None else f" The class head is in {HEAD_FILE}; README.md applies it."
