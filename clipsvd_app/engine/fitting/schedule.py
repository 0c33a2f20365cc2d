"""The learning rate: its unit by the backbone, and its course over the true number of steps.

AdamW moves every a by about the rate in each step, however small its gradient is. So what a rate does to the
logits depends on the backbone: on its logit scale, its depth, and how many singular values it has. The unit
of the rate is therefore taken from the gradient at a = 0.

The course is a linear warm-up, then a cosine to zero.

Counted in steps, never in epochs: a cosine stepped once an iteration over a length in epochs turns back and
can end at the peak rate.
"""

from __future__ import annotations

import math

_USUAL_SENSITIVITY = 75.0
"""Of the bundled model on three data sets (54 to 101), for which the recipe's rate was measured."""
# In steps so wide that neither the data set nor the noise of four images decides.
_STEP = 4.0
_MOST_STEPS = 2


def rate_factor(sensitivity: float) -> float:
    """Return 1, 1/4 or 1/16: what to multiply the recipe's rate by for a backbone that is so sensitive.

    sensitivity: the mean over images of the sum of |d margin / d a| over the singular values of the image
    tower, with margin the logit of the true class above the mean of the others.
    """
    if not math.isfinite(sensitivity) or sensitivity <= 0:
        return 1.0
    steps = round(math.log(sensitivity / _USUAL_SENSITIVITY, _STEP))
    return float(_STEP ** -min(max(steps, 0), _MOST_STEPS))


def learning_rate_at(step: int, steps: int, peak: float, warmup_fraction: float) -> float:
    """Return the rate of ``step`` (0 .. steps): linear to ``peak`` over the warm-up, then a cosine to 0."""
    warmup = max(1, round(steps * warmup_fraction))
    if step < warmup:
        # Step 0 already has a rate above zero: no step is wasted, and the peak comes right after the warm-up.
        return peak * (step + 1) / (warmup + 1)
    left = max(1, steps - warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / left)))
