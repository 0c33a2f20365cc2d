"""Where a pane stands in its stack, and where it is going. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from clipsvd_app.imaging.series.placing import Axis

if TYPE_CHECKING:
    from collections.abc import Sequence

LinkWay = Literal["", "mm", "slices", "both"]


@dataclass(slots=True)
class Place:
    """``awaited`` is the frame that was asked for and is not displayed yet: hurried steps add up.

    axis: where the slices lie in the patient, None where that is not known.
    """

    index: int = 0
    count: int = 1
    awaited: int | None = None
    axis: Axis | None = None

    @property
    def here(self) -> int:
        """Where the next step starts."""
        return self.index if self.awaited is None else self.awaited

    def arrive(self, index: int, count: int) -> None:
        """Note what is displayed now."""
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

    def beside(self, other: Place) -> int | None:
        """Return the slice that lies where another stack stands; None where they share no place."""
        if self.axis is None or other.axis is None or other.here >= len(other.axis.along_mm):
            return None
        found = self.axis.nearest(other.axis, other.here)
        return found if found is not None and found < self.count else None

    def come_to(self, other: Place) -> int | None:
        """Return the frame to ask for to stand where another stack stands."""
        found = self.beside(other)
        return None if found is None else self.ask(found)

    def follow(self, other: Place, frames: int) -> int | None:
        """Return the frame to ask for after another stack went so many frames on."""
        return self.step(frames) if self.beside(other) is None else self.come_to(other)

    def play(self) -> int | None:
        """Return the next frame of a cine, round and round; None while one is awaited."""
        if self.awaited is not None or self.count < 2:
            return None
        return self.ask((self.index + 1) % self.count)


def way_linked(active: Place, others: Sequence[Place]) -> LinkWay:
    """Return how other stacks follow the active one: by place, slice by slice, or some each way."""
    ways = {"slices" if other.beside(active) is None else "mm" for other in others}
    return "both" if len(ways) == 2 else "mm" if "mm" in ways else "slices" if ways else ""
