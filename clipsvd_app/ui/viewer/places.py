"""Where a pane stands in its stack, and where it is going. No Qt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Place:
    """``awaited`` is the frame that was asked for and is not on show yet: hurried steps add up."""

    index: int = 0
    count: int = 1
    awaited: int | None = None

    @property
    def here(self) -> int:
        """Where the next step starts."""
        return self.index if self.awaited is None else self.awaited

    def arrive(self, index: int, count: int) -> None:
        """Note what is on show now."""
        self.index, self.count, self.awaited = index, count, None

    def ask(self, index: int) -> int | None:
        """Return the frame to ask for, stopping at the ends; None when that changes nothing."""
        wanted = min(max(index, 0), self.count - 1)
        if wanted == self.here:
            return None
        self.awaited = wanted
        return wanted

    def step(self, frames: int) -> int | None:
        """Return the frame some places on."""
        return self.ask(self.here + frames)

    def play(self) -> int | None:
        """Return the next frame of a cine, round and round; None while one is awaited."""
        if self.awaited is not None or self.count < 2:
            return None
        return self.ask((self.index + 1) % self.count)
