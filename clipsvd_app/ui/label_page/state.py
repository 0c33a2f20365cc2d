"""What the Label page's widgets are told to show. Positions of classes count from 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Order = Literal["suggested", "similar", "text", "disagree", "name"]
ORDERS: tuple[tuple[Order, str], ...] = (
    ("suggested", "Suggested next"),
    ("similar", "Similar to this"),
    ("text", "Text match"),
    ("disagree", "Label and preview disagree"),
    ("name", "Name"),
)


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series: what to call it, and its images in their order."""

    key: str
    name: str
    image_ids: tuple[int, ...]
    labelled: int = 0


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study of a patient."""

    key: str
    name: str
    series: tuple[SeriesRow, ...]


@dataclass(frozen=True, slots=True)
class PatientRow:
    """A patient under the name that may be shown."""

    key: str
    name: str
    studies: tuple[StudyRow, ...]


@dataclass(frozen=True, slots=True)
class StripItem:
    """An image of the pool: its label, or what the preview makes of it."""

    image_id: int
    name: str
    label: int | None = None
    predicted: int | None = None
    probability: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class StripState:
    """The pool in the order it is shown; ``orders`` are the ones that can be had now."""

    items: tuple[StripItem, ...] = ()
    order: Order = "suggested"
    orders: tuple[Order, ...] = ("suggested", "similar", "text", "disagree", "name")
    caption: str = ""


@dataclass(frozen=True, slots=True)
class BinState:
    """A class: its images, newest first, and what would help it."""

    class_id: int
    position: int
    name: str
    image_ids: tuple[int, ...] = ()
    hint: str = ""
