"""The outputs of the untrained lower blocks for each image and prompt, computed once for all fits of a run.

Two thousand images of BiomedCLIP's size in five views are 6 GB. So activations stay in memory up to a share
of what is free, go into a temporary file up to a share of the disk, and are recomputed beyond that.
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
from clipsvd_app.domain.results.run import RunNote

if TYPE_CHECKING:
    from collections.abc import Callable

    Prepare = Callable[[Tensor, str], Tensor]
    Lower = Callable[[Tensor], Tensor]

# Bounds the memory of one pass of the lower blocks, and the time between two reports.
_BATCH = 32
# The training step itself plans with half of the free memory (``memory``); a quarter is left to the system.
_SHARE_OF_FREE_MEMORY = 0.25
# The file is temporary and may grow to gigabytes; the other half keeps checkpoints and other programs going.
_SHARE_OF_FREE_DISK = 0.5


@dataclass(slots=True, weakref_slot=True)
class LowerCache:
    """Activations by content of the image and number of the view; all are kept on the CPU.

    memory_bytes, disk_bytes: how much of each may be used; None for a share of what is free when the first
    activations are stored.
    """

    memory_bytes: int | None = None
    disk_bytes: int | None = None
    _known: dict[str, Tensor] = field(default_factory=dict)
    _spilled: _SpillFile | None = None
    _in_memory: int = 0
    _left_out: bool = False

    def of(self, images: Tensor, view: str, prepare: Prepare, lower: Lower) -> Tensor:
        """Return the activations (images, tokens, width) of one view of each image, on the CPU.

        images: (images, 3, side, side) uint8, as few as a step takes. prepare: one image and its key to a
        model input (1, 3, size, size). lower: model inputs to activations.
        """
        keys = [image_key(image, view) for image in images]
        found = {key: activations for key in keys if (activations := self._recall(key)) is not None}
        missing = [place for place, key in enumerate(keys) if key not in found]
        for start in range(0, len(missing), _BATCH):
            found |= self._computed(images, keys, missing[start : start + _BATCH], prepare, lower)
        return torch.stack([found[key] for key in keys])

    def fill(
        self,
        images: Tensor,
        view: str,
        prepare: Prepare,
        lower: Lower,
        pulse: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Compute one view of each image and keep it while there is room.

        pulse: called before each batch with the number of images of this view that are done.
        """
        keys = [image_key(image, view) for image in images]
        missing = [place for place, key in enumerate(keys) if not self._has(key)]
        done = len(keys) - len(missing)
        for start in range(0, len(missing), _BATCH):
            pulse(done + start)
            if self._left_out:
                return
            self._computed(images, keys, missing[start : start + _BATCH], prepare, lower)

    def text(self, tokens: Tensor, lower: Lower, cut: str = "") -> Tensor:
        """Return the activations (prompts, tokens, width) of one part of the prompts, on the CPU.

        cut: where the towers are cut, as ``lower`` cuts them.
        """
        # The padded length is part of the key: the same prompts cut into other parts are padded otherwise.
        key = f"text/{cut}/{tokens.shape[1]}/{hashlib.sha256(tokens.cpu().numpy().tobytes()).hexdigest()}"
        activations = self._recall(key)
        if activations is None:
            activations = lower(tokens).cpu()
            self._keep(key, activations)
        return activations

    def still_to_take(self, images: int) -> int:
        """Return how many bytes one more view of so many images will take, at most what is left."""
        if not self._known:
            return 0
        each = self._in_memory // len(self._known)
        return max(0, min(images * each, self._memory_limit() - self._in_memory))

    @property
    def notes(self) -> tuple[RunNote, ...]:
        """Return what to know of activations that are not held in memory; none where all are."""
        if self._left_out:
            return (RunNote("lower_recomputed"),)
        return () if self._spilled is None else (RunNote("lower_on_disk"),)

    def _computed(
        self, images: Tensor, keys: list[str], places: list[int], prepare: Prepare, lower: Lower
    ) -> dict[str, Tensor]:
        inputs = torch.cat([prepare(images[place : place + 1], keys[place]) for place in places])
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
    """Tensors in a temporary file that is deleted with this object.

    Written and read, not mapped: a full disk under a mapped file ends the process without an error to catch.
    """

    stream: IO[bytes]
    limit_bytes: int
    places: dict[str, tuple[int, tuple[int, ...], torch.dtype]] = field(default_factory=dict)
    size: int = 0

    @classmethod
    def open(cls, limit_bytes: int | None) -> _SpillFile | None:
        """Return an empty file in the cache folder; None where none can be made."""
        try:
            folder = settings.cache_folder()
            folder.mkdir(parents=True, exist_ok=True)
            if limit_bytes is None:
                limit_bytes = int(shutil.disk_usage(folder).free * _SHARE_OF_FREE_DISK)
            stream = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - it outlives this call
        except OSError:
            return None
        opened = cls(stream, limit_bytes)
        # Not left to the stream's own destructor, which warns of an unclosed file.
        weakref.finalize(opened, stream.close)
        return opened

    def write(self, key: str, values: Tensor) -> bool:
        """Append a tensor; False, and nothing changed, where there is no room."""
        if self.size + values.nbytes > self.limit_bytes:
            return False
        left = _bytes_of(values.contiguous())
        try:
            self.stream.seek(self.size)
            # An unbuffered write or read may move fewer bytes than asked for.
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


def image_key(image: Tensor, view: str) -> str:
    """Return a key of an image's content and its view."""
    # 16 bytes: chance collisions are out of reach, and blake2b is the fastest hash of the standard library.
    return f"{hashlib.blake2b(image.numpy().tobytes(), digest_size=16).hexdigest()}/{view}"
