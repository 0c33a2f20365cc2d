"""How long a job has still to go, from how long its last steps took."""

from __future__ import annotations

from collections import deque
from statistics import median

_REMEMBERED = 24
_NEEDED = 4
_NEEDED_SECONDS = 1.5


class TimeLeft:
    """Median pace of the latest reports, so that one slow step or one burst does not move it.

    A new stage, or a count that goes back, starts over. The answer is None until the pace is known.
    """

    def __init__(self) -> None:
        self._stage = ""
        self._done = self._total = 0
        self._since_s = self._last_s = 0.0
        self._paces: deque[float] = deque(maxlen=_REMEMBERED)

    def observe(self, stage: str, done: int, total: int, now_s: float) -> None:
        """Take note that ``done`` of ``total`` were done at ``now_s`` (a clock that never goes back)."""
        self._total = total
        if stage != self._stage or done < self._done:
            self._restart(stage, done, now_s)
        elif done > self._done:
            self._paces.append((now_s - self._last_s) / (done - self._done))
            self._done, self._last_s = done, now_s

    def seconds_left(self, now_s: float) -> float | None:
        """Return the seconds until the stage ends, never negative; None while unknown."""
        if self._total > 0 and self._done >= self._total:
            return 0.0
        if len(self._paces) < _NEEDED or self._last_s - self._since_s < _NEEDED_SECONDS:
            return None
        waited_s = max(0.0, now_s - self._last_s)
        pace_s = median(self._paces)
        return max(0.0, pace_s * (self._total - self._done) - min(waited_s, pace_s))

    def _restart(self, stage: str, done: int, now_s: float) -> None:
        self._stage, self._done = stage, done
        self._since_s = self._last_s = now_s
        self._paces.clear()


def time_left_text(seconds: float | None) -> str:
    """Return the time in words as coarse as it is uncertain."""
    if seconds is None:
        return "Estimating the remaining time…"
    if seconds < 1:
        return "Nearly there"
    if seconds < 10:
        return "A few seconds left"
    if seconds < 55:
        return f"About {round(seconds / 5) * 5} s left"
    if seconds < 3600:
        return f"About {max(1, round(seconds / 60))} min left"
    return f"About {seconds / 3600:.1f} h left"
