"""What the untrained lower blocks make of each picture and prompt, computed once for all fits of a run.

Two thousand pictures of BiomedCLIP's size in five views are 6 GB. So activations stay in memory up to a share
of what is free, go into a temporary file up to a share of the disk, and are computed anew beyond that.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, cast

import psutil
import torch
from torch import Tensor

from clipsvd_app import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    Prepare = Callable[[Tensor, str], Tensor]
    Lower = Callable[[Tensor], Tensor]

_BATCH = 32
_SHARE_OF_FREE_MEMORY = 0.25
_SHARE_OF_FREE_DISK = 0.5


@dataclass(slots=True, weakref_slot=True)
class LowerCache:
    """Activations by content of the picture and number of the view; all are kept on the CPU.

    memory_bytes, disk_bytes: how much of each may be taken; None for a share of what is free when the first
    activations come.
    """

    memory_bytes: int | None = None
    disk_bytes: int | None = None
    _known: dict[str, Tensor] = field(default_factory=dict)
    _spilled: _SpillFile | None = None
    _in_memory: int = 0
    _left_out: bool = False

    def of(self, pictures: Tensor, view: str, prepare: Prepare, lower: Lower) -> Tensor:
        """Return the activations (pictures, tokens, width) of one view of each picture, on the CPU.

        pictures: (pictures, 3, side, side) uint8, as few as a step takes. prepare: one picture and its key
        to a model input (1, 3, size, size). lower: model inputs to activations.
        """
        keys = [picture_key(picture, view) for picture in pictures]
        found = {key: activations for key in keys if (activations := self._recall(key)) is not None}
        missing = [place for place, key in enumerate(keys) if key not in found]
        for start in range(0, len(missing), _BATCH):
            found |= self._computed(pictures, keys, missing[start : start + _BATCH], prepare, lower)
        return torch.stack([found[key] for key in keys])

    def fill(
        self,
        pictures: Tensor,
        view: str,
        prepare: Prepare,
        lower: Lower,
        pulse: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Compute one view of each picture and keep it while there is room.

        pulse: told how many pictures of this view are done, before each batch.
        """
        keys = [picture_key(picture, view) for picture in pictures]
        missing = [place for place, key in enumerate(keys) if not self._has(key)]
        done = len(keys) - len(missing)
        for start in range(0, len(missing), _BATCH):
            pulse(done + start)
            if self._left_out:
                return
            self._computed(pictures, keys, missing[start : start + _BATCH], prepare, lower)

    def text(self, tokens: Tensor, lower: Lower) -> Tensor:
        """Return the activations (prompts, tokens, width) of one part of the prompts, on the CPU."""
        key = f"text/{tokens.shape[1]}/{hashlib.sha256(tokens.cpu().numpy().tobytes()).hexdigest()}"
        activations = self._recall(key)
        if activations is None:
            activations = lower(tokens).cpu()
            self._keep(key, activations)
        return activations

    def still_to_take(self, pictures: int) -> int:
        """Return how many bytes one more view of so many pictures will take, at most what is left."""
        if not self._known:
            return 0
        each = self._in_memory // len(self._known)
        return max(0, min(pictures * each, self._memory_limit() - self._in_memory))

    @property
    def note(self) -> str:
        """Say what is not held in memory, for the user; empty where all is."""
        if self._left_out:
            return "Memory and disk are short: part of the lower layers was computed anew in every step."
        if self._spilled is not None:
            return "Memory is short: part of what the lower layers computed was kept in a temporary file."
        return ""

    def _computed(
        self, pictures: Tensor, keys: list[str], places: list[int], prepare: Prepare, lower: Lower
    ) -> dict[str, Tensor]:
        inputs = torch.cat([prepare(pictures[place : place + 1], keys[place]) for place in places])
        found = {}
        for place, activations in zip(places, lower(inputs).cpu(), strict=True):
            # A row of a batch would keep the whole batch alive.
            found[keys[place]] = activations.clone()
            self._keep(keys[place], found[keys[place]])
        return found

    def _has(self, key: str) -> bool:
        return key in self._known or (self._spilled is not None and key in self._spilled.places)

    def _recall(self, key: str) -> Tensor | None:
        if key in self._known or self._spilled is None:
            return self._known.get(key)
        return self._spilled.read(key)

    def _keep(self, key: str, activations: Tensor) -> None:
        if self._has(key):
            return
        if self._in_memory + activations.nbytes <= self._memory_limit():
            self._known[key] = activations
            self._in_memory += activations.nbytes
            return
        if self._left_out:
            return
        self._spilled = self._spilled or _SpillFile.open(self.disk_bytes)
        self._left_out = self._spilled is None or not self._spilled.write(key, activations)

    def _memory_limit(self) -> int:
        if self.memory_bytes is None:
            self.memory_bytes = int(psutil.virtual_memory().available * _SHARE_OF_FREE_MEMORY)
        return self.memory_bytes


@dataclass(slots=True, weakref_slot=True)
class _SpillFile:
    """Tensors in a file that ends with this object; not mapped, so that a full disk is an error to catch."""

    stream: IO[bytes]
    limit_bytes: int
    places: dict[str, tuple[int, tuple[int, ...], torch.dtype]] = field(default_factory=dict)
    size: int = 0

    @classmethod
    def open(cls, limit_bytes: int | None) -> _SpillFile | None:
        """Return an empty file in the cache folder; None where there can be none."""
        try:
            folder = settings.cache_folder()
            folder.mkdir(parents=True, exist_ok=True)
            if limit_bytes is None:
                limit_bytes = int(shutil.disk_usage(folder).free * _SHARE_OF_FREE_DISK)
            stream = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - it outlives this call
        except OSError:
            return None
        opened = cls(stream, limit_bytes)
        weakref.finalize(opened, stream.close)
        return opened

    def write(self, key: str, values: Tensor) -> bool:
        """Append a tensor; False, and nothing changed, where there is no room."""
        if self.size + values.nbytes > self.limit_bytes:
            return False
        left = _bytes_of(values.contiguous())
        try:
            self.stream.seek(self.size)
            while left:
                left = left[self.stream.write(left) :]
        except OSError:
            return False
        self.places[key] = (self.size, tuple(values.shape), values.dtype)
        self.size += values.nbytes
        return True

    def read(self, key: str) -> Tensor | None:
        """Return a tensor; None where it was never written, or cannot be read again."""
        if key not in self.places:
            return None
        start, shape, dtype = self.places[key]
        buffer = torch.empty(shape, dtype=dtype)
        left = _bytes_of(buffer)
        try:
            self.stream.seek(start)
            while left:
                taken = self.stream.readinto(left)  # type: ignore[attr-defined]
                if not taken:
                    return None
                left = left[taken:]
        except OSError:
            return None
        return buffer


def _bytes_of(values: Tensor) -> memoryview:
    """Return the memory of a contiguous tensor, of any number type."""
    return memoryview(cast("Any", values.view(torch.uint8).numpy().reshape(-1)))


def picture_key(picture: Tensor, view: str) -> str:
    """Name a picture by its content, and the view of it."""
    return f"{hashlib.blake2b(picture.numpy().tobytes(), digest_size=16).hexdigest()}/{view}"
