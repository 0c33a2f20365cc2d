"""The learning rate over the true number of steps: linear warm-up, then a cosine to zero.

Counted in steps, never in epochs: a cosine stepped once an iteration over a length in epochs turns back and
can end at the peak rate.
"""

from __future__ import annotations

import math


def learning_rate_at(step: int, steps: int, peak: float, warmup_fraction: float) -> float:
    """Return the rate of ``step`` (0 .. steps): linear to ``peak`` over the warm-up, then a cosine to 0."""
    warmup = max(1, round(steps * warmup_fraction))
    if step < warmup:
        # Step 0 already has a rate above zero: no step is wasted, and the peak comes right after the warm-up.
        return peak * (step + 1) / (warmup + 1)
    left = max(1, steps - warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / left)))
