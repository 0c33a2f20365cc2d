"""The one training recipe, in three presets; nothing here is tuned by the user."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from clipsvd_app.domain.records import Record
from clipsvd_app.errors import UserError

PresetName = Literal["quick", "standard", "thorough"]
DeviceKind = Literal["cuda", "mps", "cpu"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]

DEVICE_KINDS: tuple[DeviceKind, ...] = ("cuda", "mps", "cpu")
"""In the order in which “auto” prefers them."""


class Recipe(Record):
    """How a run trains sigma. Stored with the run and written into the adapter."""

    preset: PresetName = "standard"
    steps: int = 100
    """Optimiser steps of the final fit."""
    batch_size: int = 16
    """Images in one step, drawn so that every class is seen equally often."""
    learning_rates: tuple[float, ...] = (0.0075, 0.03, 0.12)
    """Candidate peak rates of the dimensionless a in s = max(0, s0 + RMS(s0) a)."""
    search_steps: int = 25
    """Steps of each shortened run that chooses the rate on one grouped inner split."""
    min_images_to_search: int = 4
    """Below this many examples in any class the middle rate is used: there is no split to choose on."""
    warmup_fraction: float = 0.08
    """Share of the steps over which the rate rises linearly; then a cosine to zero."""
    penalty: float = 1e-3
    """Weight of the mean of a^2."""
    crop_scale: float = 0.9
    """Smallest area kept by the random crop."""
    flip: bool = True
    """Mirror images left-right; off where laterality decides."""
    folds: int = 3
    """Patient-grouped folds of the estimate when no images are held out."""
    repeats: int = 1
    """Draws of these folds; every image is predicted once in each, and figures are means over them."""
    seeds: int = 1
    """Fits whose trained a are averaged into one."""
    trained_share: float = 1.0
    """Share of each tower's blocks, the upper ones, that is trained; the others keep the base's values."""
    views: int = 4
    """Augmented views of each image that are computed once, where lower blocks are not trained."""


PRESETS: dict[PresetName, Recipe] = {
    "quick": Recipe(preset="quick", steps=40, search_steps=10, trained_share=1 / 3),
    "standard": Recipe(),
    "thorough": Recipe(preset="thorough", steps=200, search_steps=50, folds=5, repeats=2, seeds=3),
}


def recipe_for(preset: str, *, flip: bool = True) -> Recipe:
    """Return the recipe of a preset, or refuse a name that is none."""
    for name, recipe in PRESETS.items():
        if name == preset:
            return replace(recipe, flip=flip)
    raise UserError(
        f"There is no preset “{preset}”.",
        remedy=f"Choose one of {', '.join(PRESETS)}.",
        code="unknown_preset",
    )
