"""The training loop: predict the teachers' features and match captions, in two phases with a budget each."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .batches import Batch, Supply
    from .student import Student
    from .together import Team

PHRASES = 32
ALL_PATCHES = 64
WARM_UP = 0.04
EMA_DECAY = 0.995
SAVE_EVERY = 50
CHECK_EVERY = 250
SURE = 0.1
"""Temperature of the loss that tells pictures apart by the teacher's features."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One part of learning: pictures a step and worker, how many are captioned, patches kept, weights.

    alike is the share of batches of one modality alone: there a caption has to say more than the modality.
    """

    name: str
    batch: int
    captioned: int
    patches: int
    alike: float
    matching: float
    peak_rate: float


DISTIL = Phase("distil", batch=128, captioned=64, patches=20, alike=0.0, matching=0.3, peak_rate=2e-3)
ALIGN = Phase("align", batch=128, captioned=128, patches=32, alike=0.7, matching=1.0, peak_rate=1e-3)
PHASES = (DISTIL, ALIGN)


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to learn: a number of steps (repeatable to the bit) or, where steps is 0, minutes."""

    minutes: float
    steps: int = 0

    def progress(self, step: int, elapsed_s: float) -> float:
        """Return how much of the budget is used, 0 to 1."""
        return min(1.0, step / self.steps if self.steps else elapsed_s / (60 * self.minutes))


def learn(
    student: Student,
    supply: Supply,
    phase: Phase,
    budget: Budget,
    checkpoint: Path,
    check: Callable[[Student, str], None],
    team: Team,
) -> None:
    """Train until the budget is used, from the checkpoint where there is one, and into it."""
    matrices = [p for n, p in student.named_parameters() if _is_hidden_matrix(n, p)]
    others = [p for n, p in student.named_parameters() if not _is_hidden_matrix(n, p)]
    optimisers: list[torch.optim.Optimizer] = [
        torch.optim.Muon(
            matrices, lr=phase.peak_rate, weight_decay=0.05, ns_steps=3, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(others, lr=phase.peak_rate, weight_decay=0.0, betas=(0.9, 0.98)),
    ]
    average = copy.deepcopy(student)
    step, used_s = _resume(checkpoint, [student, average, *optimisers])
    started = time.monotonic() - used_s
    while (progress := team.agree(budget.progress(step, time.monotonic() - started))) < 1:
        losses = _step(student, supply, phase, optimisers, progress, team)
        step += 1
        _follow(average, student, step)
        if step % 10 == 0 and team.rank == 0:
            elapsed = time.monotonic() - started
            print(f"step {step} progress {progress:.3f} {elapsed:.0f}s " + losses, flush=True)
        if step % SAVE_EVERY == 0:
            supply.refresh()
        if step % SAVE_EVERY == 0 and team.rank == 0:
            _store(checkpoint, step, time.monotonic() - started, [student, average, *optimisers])
        if step % CHECK_EVERY == 0 and team.rank == 0:
            check(average, f"step {step}")
    if team.rank == 0:
        _store(checkpoint, step, time.monotonic() - started, [student, average, *optimisers])


def _step(
    student: Student,
    supply: Supply,
    phase: Phase,
    optimisers: list[torch.optim.Optimizer],
    progress: float,
    team: Team,
) -> str:
    rate = phase.peak_rate * min(1.0, progress / WARM_UP + 0.02) * 0.5 * (1 + math.cos(math.pi * progress))
    keep = supply.kept_patches(phase.batch, phase.patches) if phase.patches < ALL_PATCHES else None
    losses = _losses(student, supply.batch(phase.batch, phase.captioned, PHRASES, phase.alike), keep)
    weights = {"telling": 0.5, "matching": phase.matching}
    torch.stack([weights.get(name, 1.0) * loss for name, loss in losses.items()]).sum().backward()
    team.average_gradients(student.parameters())
    torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
        optimiser.zero_grad()
    with torch.no_grad():
        student.clip.logit_scale.clamp_(0, math.log(100))
    return " ".join(f"{name} {loss.item():.3f}" for name, loss in losses.items())


def _losses(student: Student, batch: Batch, keep: torch.Tensor | None) -> dict[str, torch.Tensor]:
    """Return each loss, unweighted."""
    with torch.autocast("cpu", dtype=torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
        first, patches = student.see(batch.images, keep)
        pooled, spatial = student.pooled(first).float(), student.spatial(patches).float()
        images = student.clip.visual.head(first)
        echo = student.echoed(images.float()).float()
        texts = student.read(batch.tokens)[1].float()
        meanings = student.read(batch.phrases)[0].float()
    target = batch.spatial
    if keep is not None:
        target = target.gather(1, keep[..., None].expand(-1, -1, target.shape[-1]))
    captioned = images[: len(batch.captions)].float()
    return {
        "pooled": functional.mse_loss(pooled, batch.pooled),
        "echo": functional.mse_loss(echo, batch.pooled),
        "spatial": functional.mse_loss(spatial, target),
        "telling": telling_loss(echo, batch.pooled),
        "matching": matching_loss(captioned, texts, batch.captions, student.clip.logit_scale),
        "meaning": 5 * (1 - functional.cosine_similarity(meanings, batch.meanings).mean()),
    }


def telling_loss(guesses: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of finding each picture's teacher features (n, d) among those of the batch."""
    scores = functional.normalize(guesses, dim=-1) @ functional.normalize(features, dim=-1).T / SURE
    return functional.cross_entropy(scores, torch.arange(len(scores)))


def matching_loss(
    images: torch.Tensor, texts: torch.Tensor, captions: list[str], log_scale: torch.Tensor
) -> torch.Tensor:
    """CLIP's symmetric loss in which equal captions are equally right for each other's images."""
    logits = log_scale.exp() * functional.normalize(images, dim=-1) @ functional.normalize(texts, dim=-1).T
    same = torch.tensor([[a == b for b in captions] for a in captions]).float()
    target = same / same.sum(dim=1, keepdim=True)
    return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2


@torch.no_grad()
def _follow(average: Student, student: Student, step: int) -> None:
    """Move the average towards the student, quickly at first."""
    share = 1 - min(EMA_DECAY, step / (step + 10))
    for mean, value in zip(average.parameters(), student.parameters(), strict=True):
        mean.lerp_(value, share)


def _is_hidden_matrix(name: str, parameter: torch.Tensor) -> bool:
    return parameter.ndim == 2 and (".blocks." in name or ".encoder.layer." in name)


def _store(path: Path, step: int, used_s: float, parts: list[nn.Module | torch.optim.Optimizer]) -> None:
    partial = path.with_suffix(".partial")
    torch.save({"step": step, "used_s": used_s, "states": [part.state_dict() for part in parts]}, partial)
    partial.replace(path)


def _resume(path: Path, parts: list[nn.Module | torch.optim.Optimizer]) -> tuple[int, float]:
    if not path.exists():
        return 0, 0.0
    content = torch.load(path, map_location="cpu", weights_only=True)
    for part, state in zip(parts, content["states"], strict=True):
        part.load_state_dict(state)
    return int(content["step"]), float(content["used_s"])


def averaged(checkpoint: Path) -> dict[str, torch.Tensor]:
    """Return the averaged student's state from a checkpoint."""
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    state: dict[str, torch.Tensor] = content["states"][1]
    return state


def effort(checkpoint: Path) -> tuple[int, float]:
    """Return the steps taken and the seconds used."""
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return int(content["step"]), float(content["used_s"])
