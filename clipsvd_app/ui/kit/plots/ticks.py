"""Round numbers along an axis."""

from __future__ import annotations

import math


def round_ticks(low: float, high: float, about: int = 5) -> tuple[float, ...]:
    """Return about ``about`` multiples of 1, 2 or 5 times a power of ten within [low, high].

    Refuses (assertion) an empty or infinite range.
    """
    assert -math.inf < low < high < math.inf, (low, high)
    step = _round_step((high - low) / max(1, about))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(index * step for index in range(first, last + 1))


def tick_text(value: float) -> str:
    """Return a tick label without needless zeros."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * factor for factor in (1, 2, 5, 10) if raw <= power * factor * (1 + 1e-9))
