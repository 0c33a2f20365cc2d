"""The one training recipe, in three presets; nothing here is tuned by the user."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from clipsvd_app.domain.records import Record
from clipsvd_app.errors import UserError

PresetName = Literal["quick", "standard", "thorough"]
StartName = Literal["probe", "text"]
STARTS: tuple[StartName, ...] = ("probe", "text")
"""Where training may begin: at the answers of a probe on frozen features, or at plain CLIP's."""
DEFAULT_PRESET: PresetName = "standard"
DeviceKind = Literal["cuda", "mps", "cpu"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]

DEVICE_KINDS: tuple[DeviceKind, ...] = ("cuda", "mps", "cpu")
"""In the order in which “auto” prefers them."""


class Recipe(Record):
    """How a run trains sigma. Stored with the run and written into the adapter."""

    preset: PresetName = DEFAULT_PRESET
    plain: bool = False
    """Plain CLIP-SVD as in the paper: from the class texts, without a class head, all of the change kept."""
    steps: int = 60
    """Optimiser steps of the final fit."""
    batch_size: int = 16
    """Images in one step, drawn so that every class is seen equally often."""
    learning_rate: float = 0.03
    """Peak rate of the dimensionless a in s = max(0, s0 + RMS(s0) a)."""
    share: float = 0.25
    """Share of the trained change that is kept, unless another is clearly better on unseen patients."""
    shares: tuple[float, ...] = (0.0, 0.125, 0.25, 0.5, 1.0)
    """Candidate shares; 0 is no change at all, so that only the class head is left."""
    fewest_to_choose: int = 8
    """With fewer images in any class the usual share is kept: three folds of them say next to nothing."""
    choice_folds: int = 3
    """Patient-grouped folds of the training images on which the choice is made."""
    choice_steps: int = 24
    """Optimiser steps of each of their fits."""
    choice_blocks: float = 1 / 3
    """Share of each tower's blocks that these fits train."""
    warmup_fraction: float = 0.08
    """Share of the steps over which the rate rises linearly; then a cosine to zero."""
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
    kept_patches: float = 0.5
    """Share of an image's patches that a step reads, drawn anew for each; 1 where only upper blocks are
    trained, whose lower activations are those of whole images."""
    views: int = 2
    """Augmented views of each image that are computed once, where lower blocks are not trained."""


PRESETS: dict[PresetName, Recipe] = {
    "quick": Recipe(preset="quick", steps=30, choice_steps=10, trained_share=1 / 3, kept_patches=1.0),
    "standard": Recipe(),
    "thorough": Recipe(preset="thorough", folds=5, repeats=2, seeds=3),
}


def recipe_title(recipe: Recipe) -> str:
    """Return what lists of runs call a recipe: its preset, and whether it is plain CLIP-SVD."""
    return f"{recipe.preset}, plain" if recipe.plain else recipe.preset


def recipe_for(preset: str, *, flip: bool = True, plain: bool = False) -> Recipe:
    """Return the recipe of a preset, or refuse a name that is none."""
    for name, recipe in PRESETS.items():
        if name == preset:
            return replace(recipe, flip=flip, plain=plain)
    raise UserError(
        f"There is no preset “{preset}”.",
        remedy=f"Choose one of {', '.join(PRESETS)}.",
        code="unknown_preset",
    )
