"""Numbers as words: percent, intervals, durations and counts, the same on every page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted

if TYPE_CHECKING:
    from clipsvd_app.domain.results.evaluation import Interval

_SPACE = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"


def percent(fraction: float) -> str:
    """Return “78 %”; what is not quite none or all never rounds to it."""
    if 0 < fraction < 0.005:
        return f"<1{_SPACE}%"
    if 0.995 <= fraction < 1:
        return f">99{_SPACE}%"
    return f"{fraction * 100:.0f}{_SPACE}%"


def percent_with_interval(fraction: float, interval: Interval) -> str:
    """Return “78 % (66–87)”."""
    return f"{percent(fraction)} ({interval.low * 100:.0f}–{interval.high * 100:.0f})"


def change_percent(fraction: float) -> str:
    """Return a small relative change with two significant digits, “0.34 %”."""
    value = fraction * 100
    if value == 0:
        return f"0{_SPACE}%"
    return f"{value:.2g}{_SPACE}%" if abs(value) < 10 else f"{value:.0f}{_SPACE}%"


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


def count(number: int, noun: str, plural: str = "") -> str:
    """Return “1 image” or “1,204 images”."""
    return counted(number, noun, plural).replace(" ", _SPACE, 1)


def file_size(size_bytes: int) -> str:
    """Return “512 bytes”, “442 KiB” or “1.2 GiB”."""
    size = float(size_bytes)
    if size < 1024:
        return count(size_bytes, "byte")
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if size < 1024 or unit == "GiB":
            break
    return f"{size:.0f}{_SPACE}{unit}" if size >= 10 else f"{size:.1f}{_SPACE}{unit}"


def short_hash(digest: str) -> str:
    """Return the first twelve characters of a hash, enough to compare by eye."""
    return digest[:12] if digest else "not yet known"
