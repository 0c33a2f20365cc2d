"""What the welcome page and the page that makes a project are told to show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecentState:
    """A card: the project's name, a line on what it holds, one on when it was opened, and its error."""

    path: str
    name: str
    detail: str = ""
    opened: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class PlaceState:
    """Name and folder of the project to be made, and what is in the way, "" where nothing is."""

    name: str
    folder: str
    error: str = ""
