"""Checkpoints of a fit: a stopped fit resumes from its last one, to the same last bit."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from clipsvd_app.domain.records import Record, from_text, to_json, to_text
from clipsvd_app.domain.results.run import RunNote, StepMetrics
from clipsvd_app.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable

# A lost engine costs at most half a minute of training; the few vectors of a state are written in no time.
BETWEEN_SAVES_S = 30.0
# Two weeks to resume a stopped run; without a limit, abandoned checkpoints would fill the cache folder.
MAX_AGE_S = 14 * 24 * 3600.0


class FitNumbers(Record):
    """What is not a vector in the state of a fit; ``steps_done`` counts from 0."""

    steps_done: int
    peak: float
    restarts: int
    parts: int
    checkpointed: bool
    prompt_tokens: int
    curve: tuple[StepMetrics, ...]
    notes: tuple[RunNote, ...]


@dataclass(frozen=True, slots=True)
class FitState:
    """The state of a fit between two steps: vectors fp32 on the CPU, and numbers."""

    vectors: dict[str, Tensor]
    numbers: FitNumbers


class Checkpoints(Protocol):
    """Where the fits of one run keep their state, each under its name."""

    def load(self, name: str) -> FitState | None:
        """Return the last state kept under this name."""

    def keep(self, name: str, state: Callable[[], FitState], *, now: bool) -> None:
        """Write the state if it is time, or in any case with ``now``."""


class NoCheckpoints:
    """Keeps nothing: for measurements and tests."""

    def load(self, name: str) -> None:
        """Return None: no state is kept."""

    def keep(self, name: str, state: Callable[[], FitState], *, now: bool) -> None:
        """Do nothing."""


@dataclass(slots=True)
class FolderCheckpoints:
    """One file a fit, in the folder of one run; written at most every ``between_s`` seconds.

    A state that cannot be written ends no training; ``notes`` then say that the run cannot be resumed.
    """

    folder: Path
    between_s: float = BETWEEN_SAVES_S
    notes: tuple[RunNote, ...] = ()
    _written: float = field(default_factory=time.monotonic)

    def load(self, name: str) -> FitState | None:
        """Return the last state kept under this name; a damaged file counts as none."""
        try:
            with safe_open(self._file(name), framework="pt", device="cpu") as stored:
                # Cloned, because safetensors maps the file into memory, and the next save replaces that file.
                vectors = {key: stored.get_tensor(key).clone() for key in stored.keys()}  # noqa: SIM118
                text = (stored.metadata() or {}).get("numbers", "")
            return FitState(vectors, from_text(FitNumbers, text))
        # A missing or damaged checkpoint costs time, never the run: the fit starts from the beginning.
        except (OSError, SafetensorError, ValueError):
            return None

    def keep(self, name: str, state: Callable[[], FitState], *, now: bool) -> None:
        """Write the state whole or not at all, if it is time or ``now``."""
        if not now and time.monotonic() - self._written < self.between_s:
            return
        # Built only when it is written: copying the state off a GPU in every step would slow the step.
        kept = state()
        raw = save(kept.vectors, {"numbers": to_text(kept.numbers)})
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._file(name), raw)
        # A full disk ends no training: it only cannot be resumed, which the warning says.
        except OSError:
            self.notes = (RunNote("no_checkpoints"),)
        self._written = time.monotonic()

    def clear(self) -> None:
        """Delete the checkpoints: the run is done."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, name: str) -> Path:
        # Hashed, because names hold rates and stages, which not every file system takes.
        return self.folder / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.safetensors"


def run_checkpoints(root: Path, facts: object) -> FolderCheckpoints:
    """Return the checkpoints of the run that ``facts`` describe, and delete those of abandoned runs.

    facts: everything that the result depends on; runs that differ in any of it share nothing.
    """
    oldest = time.time() - MAX_AGE_S
    for folder in root.iterdir() if root.is_dir() else ():
        # Another engine may have deleted it in the meantime.
        with suppress(OSError):
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)
    text = json.dumps(to_json(facts), sort_keys=True)
    return FolderCheckpoints(root / hashlib.sha256(text.encode()).hexdigest())


def optimiser_vectors(optimiser: torch.optim.Optimizer, a: Tensor) -> dict[str, Tensor]:
    """Return what AdamW remembers of ``a`` by torch's names, on the CPU; nothing before its first step."""
    return {name: value.detach().cpu().clone() for name, value in optimiser.state.get(a, {}).items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, a: Tensor, vectors: dict[str, Tensor]) -> None:
    """Give AdamW back what ``optimiser_vectors`` returned; torch has its step counter on the CPU."""
    optimiser.state[a] = {
        name: value.clone() if name == "step" else value.to(a.device) for name, value in vectors.items()
    }
