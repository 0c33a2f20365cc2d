"""A good adapter file taken apart, for generators that put it together wrongly."""

from __future__ import annotations

import functools
import json
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapter_examples import example_content

from clipsvd_app.adapter_file.writer import adapter_bytes

HIDDEN = [
    "\u202e",
    "\u2066",
    "\u200f",
    "\x1b[2J",
    "\x00",
    "\x07",
    "\r\n",
    "\u2028",
    "\ufeff",
    "\ud83d",
    "\x9b",
]
FIRST = "visual.trunk.blocks.0.attn.qkv.q"
Header = dict[str, Any]


@dataclass(slots=True)
class Parts:
    """A good file taken apart: header, its document, and the tensors' bytes."""

    header: Header
    document: dict[str, Any]
    body: bytearray

    def joined(self) -> bytes:
        """Put the parts together again."""
        self.header["__metadata__"]["sigma_adapter"] = json.dumps(self.document)
        return joined(json.dumps(self.header).encode(), bytes(self.body))


def good_parts() -> Parts:
    raw = _good_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + length])
    document = json.loads(header["__metadata__"]["sigma_adapter"])
    return Parts(header, document, bytearray(raw[8 + length :]))


@functools.cache
def _good_bytes() -> bytes:
    return adapter_bytes(example_content())


def joined(header: bytes, body: bytes) -> bytes:
    return struct.pack("<Q", len(header)) + header + body


Spoil = Callable[[random.Random, Parts], bytes]
