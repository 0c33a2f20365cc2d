"""Percent, intervals, durations and sizes, the same in the window, on the command line and in every file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipsvd_app.domain.results.evaluation import Interval

_SPACE = "\N{NO-BREAK SPACE}"
NOT_KNOWN = "–"


def percent(fraction: float | None) -> str:
    """Return “87.5 %”, “–” for None; what is not quite none or all never rounds to it."""
    if fraction is None:
        return NOT_KNOWN
    if 0 < fraction < 0.0005:
        return f"<0.1{_SPACE}%"
    if 0.9995 <= fraction < 1:
        return f">99.9{_SPACE}%"
    return f"{_tenths(fraction)}{_SPACE}%"


def span(interval: Interval) -> str:
    """Return the ends of an interval of fractions in percent, “79.1–93.0”."""
    return f"{_tenths(interval.low)}–{_tenths(interval.high)}"


def percent_with_interval(fraction: float, interval: Interval) -> str:
    """Return “87.5 % (79.1–93.0)”, for where a heading says what the interval is."""
    return f"{percent(fraction)} ({span(interval)})"


def percent_ci(fraction: float, interval: Interval) -> str:
    """Return “87.5 % (95 % CI 79.1–93.0)”, for sentences."""
    return f"{percent(fraction)} (95{_SPACE}% CI{_SPACE}{span(interval)})"


def duration(seconds: float) -> str:
    """Return “9 s”, “3 min 20 s” or “1 h 05 min”."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{_SPACE}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}{_SPACE}min" + (f"{_SPACE}{rest:02d}{_SPACE}s" if rest else "")
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{_SPACE}h{_SPACE}{minutes:02d}{_SPACE}min"


def file_size(size_bytes: int) -> str:
    """Return “512 bytes”, “442 KiB” or “1.2 GiB”."""
    size = float(size_bytes)
    if size < 1024:
        return f"{size_bytes}{_SPACE}{'byte' if size_bytes == 1 else 'bytes'}"
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if size < 1024 or unit == "GiB":
            break
    return f"{size:.0f}{_SPACE}{unit}" if size >= 10 else f"{size:.1f}{_SPACE}{unit}"


def _tenths(fraction: float) -> str:
    """Return percent to a tenth; nothing and all without a fraction that would say nothing."""
    return f"{100 * fraction:.0f}" if fraction in (0, 1) else f"{100 * fraction:.1f}"
