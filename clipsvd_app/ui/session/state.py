"""What the frame of the window is told to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["quiet", "busy", "good", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of the status bar; an empty text hides it. ``hint`` is the tool tip."""

    text: str = ""
    level: Level = "quiet"
    hint: str = ""


@dataclass(frozen=True, slots=True)
class StatusState:
    """The status bar, from left to right."""

    engine: Segment = Segment("Engine starting", "busy")
    device: Segment = Segment()
    backbone: Segment = Segment()
    preview: Segment = Segment()
    saved: Segment = Segment()


@dataclass(frozen=True, slots=True)
class LongJob:
    """A job of more than a moment: ``page`` is where it is watched, a ``total`` of 0 has no known end.

    ``if_closed`` says what becomes of it when the window closes; ``keep`` is the button that lets it go on.
    """

    page: str
    title: str
    if_closed: str
    keep: str = "Keep window open"
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float | None = None

    @property
    def share(self) -> float | None:
        """How much of it is done, 0 to 1; None while its end is not known."""
        return min(1.0, self.done / self.total) if self.total > 0 else None


@dataclass(frozen=True, slots=True)
class TitleState:
    """The project's name as shown above the pages, a short detail, and whether it can be changed."""

    name: str = ""
    detail: str = ""
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class EmptyAction:
    """A button of an empty state."""

    action: str
    text: str
    primary: bool = False


@dataclass(frozen=True, slots=True)
class EmptySpec:
    """What a page without content says: what it is for and what to do next."""

    icon: str
    headline: str
    sentence: str
    actions: tuple[EmptyAction, ...] = ()
