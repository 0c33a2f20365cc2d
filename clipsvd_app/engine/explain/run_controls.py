"""Which controls an explanation of a run passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scipy.stats import binom

from clipsvd_app.domain.results.explanation import (
    ENOUGH_IMAGES,
    LARGEST_CHANCE,
    LARGEST_CONTROL_SHARE,
    Control,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.explanation import ClassChange, HeadChange, HeadReading

# Of the heads: each passes its null by chance in 5 %.
BY_CHANCE = 0.05


def class_controls(classes: Sequence[ClassChange]) -> tuple[Control, ...]:
    """Return the controls of the classes' phrases after adaptation; none without unseen images.

    Each class must pass both; the second states the worst of those that passed the first.
    """
    if not classes:
        return ()
    above = [change.after for change in classes if change.after.is_above]
    found = [Control("classes_above_chance", bool(above), float(len(above)), 0.0)]
    if above:
        worst = max(reading.by_chance for reading in above)
        found.append(Control("class_controls", worst <= LARGEST_CHANCE, worst, LARGEST_CHANCE))
    return tuple(found)


def run_controls(heads: Sequence[HeadChange], images: int) -> tuple[Control, ...]:
    """Return the controls of the heads' phrases after adaptation; without readings only the image count.

    Each head passes its null by chance in one case of twenty, so only more heads than that are evidence.
    """
    controls = [Control("reference_images", images >= ENOUGH_IMAGES, float(images), float(ENOUGH_IMAGES))]
    readings = [head.after for head in heads if head.after is not None]
    if not readings:
        return tuple(controls)
    above = sum(is_above(reading) for reading in readings)
    # The number of heads that chance alone exceeds in one run of twenty.
    expected = int(binom.ppf(0.95, len(readings), BY_CHANCE))
    controls.append(Control("heads_above_chance", above > expected, float(above), float(expected)))
    share = sum(reading.is_control for reading in readings) / max(1, above)
    controls.append(Control("head_controls", share <= LARGEST_CONTROL_SHARE, share, LARGEST_CONTROL_SHARE))
    return tuple(controls)


def is_above(reading: HeadReading) -> bool:
    """Return whether a head's first phrase, a control included, exceeds its null."""
    return reading.best > reading.threshold > 0
