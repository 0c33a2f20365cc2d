"""Which controls an explanation of a run passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scipy.stats import binom

from clipsvd_app.domain.results.contributions import ABOVE_CHANCE, FEW_CONTROLS
from clipsvd_app.domain.results.explanation import LARGEST_CHANCE, LARGEST_CONTROL_SHARE, Control
from clipsvd_app.engine.explain.model.text_span import ENOUGH_IMAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.explanation import ClassChange, HeadChange, HeadReading

# Of the heads: each passes its null by chance in 5 %.
BY_CHANCE = 0.05
ENOUGH = "Enough reference images to describe heads"
CLASSES_ABOVE = "Classes told apart better than by shuffled labels"
CLASS_CONTROLS = "Every class's list has fewer unfit phrases than chance"


def class_controls(classes: Sequence[ClassChange]) -> tuple[Control, ...]:
    """Return the controls of the classes' phrases after adaptation; none without unseen images.

    Each class must pass both; the second states the worst of those that passed the first.
    """
    if not classes:
        return ()
    above = [change.after for change in classes if change.after.is_above]
    found = [Control(CLASSES_ABOVE, bool(above), float(len(above)), 0.0)]
    if above:
        worst = max(reading.by_chance for reading in above)
        found.append(Control(CLASS_CONTROLS, worst <= LARGEST_CHANCE, worst, LARGEST_CHANCE))
    return tuple(found)


def run_controls(heads: Sequence[HeadChange], images: int) -> tuple[Control, ...]:
    """Return the controls of the heads' phrases after adaptation; without readings only the image count.

    Each head passes its null by chance in one case of twenty, so only more heads than that are evidence.
    """
    controls = [Control(ENOUGH, images >= ENOUGH_IMAGES, float(images), float(ENOUGH_IMAGES))]
    readings = [head.after for head in heads if head.after is not None]
    if not readings:
        return tuple(controls)
    above = sum(is_above(reading) for reading in readings)
    # The number of heads that chance alone exceeds in one run of twenty.
    most_by_chance = int(binom.ppf(0.95, len(readings), BY_CHANCE))
    controls.append(Control(ABOVE_CHANCE, above > most_by_chance, float(above), float(most_by_chance)))
    share = sum(reading.is_control for reading in readings) / max(1, above)
    controls.append(Control(FEW_CONTROLS, share <= LARGEST_CONTROL_SHARE, share, LARGEST_CONTROL_SHARE))
    return tuple(controls)


def is_above(reading: HeadReading) -> bool:
    """Return whether a head's first phrase, a control included, exceeds its null."""
    return reading.best > reading.threshold > 0
