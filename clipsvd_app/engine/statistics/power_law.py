"""Errors that fall as a power of the number of examples, and the uncertainty of such a fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.engine.statistics.metrics import Floats

if TYPE_CHECKING:
    from collections.abc import Sequence


# Enough for 5 % quantiles (ten beyond each); every class and size is fitted as often.
_RESAMPLES = 200
# Half a percent stands in for an error of 0, which has no logarithm.
_LEAST_ERROR = 0.005
# R squared of the line; below it the errors follow no power law, and nothing is predicted from them.
_EXPLAINED = 0.8


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """error = amount * examples ** -rate (Hestness et al. 2017), with fits to resampled draws.

    ``explained`` is R squared of log error on log examples; amounts and rates: (resamples,).
    """

    amount: float
    rate: float
    explained: float
    amounts: Floats
    rates: Floats

    @property
    def is_good(self) -> bool:
        """Whether the line explains the errors and at least 95 % of the resampled fits fall too."""
        return self.explained >= _EXPLAINED and float(np.quantile(self.rates, 0.05)) > 0

    def error(self, examples: float) -> float:
        """Return the error with so many examples of each class."""
        return float(self.amount * examples**-self.rate)

    def gain(self, examples: float, more: float) -> tuple[float, float, float]:
        """Return how much the error falls with ``more`` examples, and the central 90 % of the resamples."""
        falls = self.amounts * (examples**-self.rates - (examples + more) ** -self.rates)
        low, high = np.quantile(falls, [0.05, 0.95])
        return self.error(examples) - self.error(examples + more), float(low), float(high)

    def examples_for(self, examples: float, gain: float) -> float:
        """Return how many more examples gain so much by this law; infinite if none do."""
        left = self.error(examples) - gain
        if left <= 0 or self.rate <= 0:
            return float("inf")
        return float((self.amount / left) ** (1 / self.rate) - examples)


def fit_power_law(sizes: Sequence[int], errors: Sequence[Floats]) -> PowerLaw:
    """Fit a line through the logs of mean errors; errors: (draws,) for each size."""
    means = np.array([found.mean() for found in errors])
    amount, rate, explained = _line(sizes, means)
    generator = np.random.default_rng(0)
    fits = [
        _line(sizes, np.array([generator.choice(found, len(found)).mean() for found in errors]))
        for _ in range(_RESAMPLES)
    ]
    return PowerLaw(
        amount, rate, explained, np.array([fit[0] for fit in fits]), np.array([fit[1] for fit in fits])
    )


def _line(sizes: Sequence[int], errors: Floats) -> tuple[float, float, float]:
    along, values = np.log(np.asarray(sizes, dtype=np.float64)), np.log(errors.clip(_LEAST_ERROR))
    slope, offset = np.polyfit(along, values, 1)
    spread = float(values.var())
    residual = float((values - offset - slope * along).var())
    return float(np.exp(offset)), -float(slope), 1 - residual / spread if spread > 0 else 0.0
