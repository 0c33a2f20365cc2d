"""The three findings of the demo studies, how far each has gone, and the prompts the program starts with."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

EFFUSION: Final = "pleural effusion"
PNEUMOTHORAX: Final = "pneumothorax"
ENLARGED_HEART: Final = "enlarged heart"
FINDINGS: Final[tuple[str, str, str]] = (EFFUSION, PNEUMOTHORAX, ENLARGED_HEART)

# Each says what the finding looks like, in words that the bundled model met with other pictures.
PROMPTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        EFFUSION: (
            "a dense white lung base",
            "a homogeneous opacity at the lung base",
            "fluid at the lung base",
        ),
        PNEUMOTHORAX: (
            "black air without lung markings",
            "a thin line with black air beyond it",
            "a large air filled space along the chest wall",
        ),
        ENLARGED_HEART: (
            "a large heart shadow",
            "a rather wide heart shadow",
            "a heart wider than normal",
        ),
    }
)

NORMAL_RATIO: Final = (0.40, 0.48)
VOLUME: Final = (0.25, 1.0)
GAP: Final = (0.12, 0.32)
ENLARGED_RATIO: Final = (0.58, 0.72)


@dataclass(frozen=True, slots=True)
class Effusion:
    """Fluid in one pleural space: side -1 is the patient's right; volume 0 (blunted angle) to 1 (large)."""

    side: int
    volume: float


@dataclass(frozen=True, slots=True)
class Pneumothorax:
    """Air in one pleural space: gap at its widest in units (200 mm), 0 to 1 from lateral to purely apical."""

    side: int
    gap: float
    apical: float


@dataclass(frozen=True, slots=True)
class Disease:
    """What is wrong with one chest: at most one of the three findings."""

    heart_ratio: float
    effusion: Effusion | None = None
    pneumothorax: Pneumothorax | None = None


def draw_disease(rng: np.random.Generator, finding: str | None) -> Disease:
    """Choose side and extent of a finding; ``None`` gives a chest with none of the three."""
    if finding is None:
        return Disease(_between(rng, NORMAL_RATIO))
    if finding == ENLARGED_HEART:
        return Disease(_between(rng, ENLARGED_RATIO))
    if finding == EFFUSION:
        return Disease(_between(rng, NORMAL_RATIO), effusion=Effusion(_side(rng), _between(rng, VOLUME)))
    if finding == PNEUMOTHORAX:
        air = Pneumothorax(_side(rng), _between(rng, GAP), float(rng.uniform()))
        return Disease(_between(rng, NORMAL_RATIO), pneumothorax=air)
    raise UserError(
        f"The demo studies have no finding called {finding!r}.",
        remedy=f"Choose one of: {', '.join(FINDINGS)}.",
        code="unknown_demo_finding",
    )


def _side(rng: np.random.Generator) -> int:
    return -1 if rng.uniform() < 0.5 else 1


def _between(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    return float(rng.uniform(*limits))
