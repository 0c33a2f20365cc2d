"""What the Label page's widgets are told to show. Positions of classes count from 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, overload

import msgspec

if TYPE_CHECKING:
    from clipsvd_app.domain.project_values import Mark

Order = Literal["suggested", "similar", "text", "disagree", "name"]
ORDERS: tuple[tuple[Order, str], ...] = (
    ("suggested", "Suggested next"),
    ("similar", "Sort by similarity"),
    ("text", "Text search"),
    ("disagree", "Likely mistakes"),
    ("name", "Patient and date"),
)


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series: what to call it, its images in their order, and sentences on what is irregular about it."""

    key: str
    name: str
    image_ids: tuple[int, ...]
    labelled: int = 0
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """What a file of a series says: date (ISO 8601), modality, descriptions of study and series."""

    date: str = ""
    modality: str = ""
    study: str = ""
    series: str = ""


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


# A struct is built and compared several times as quickly as a dataclass; a pool has one for each image.
class StripItem(msgspec.Struct, frozen=True):
    """An image of the pool: its label, or what the preview makes of it.

    ``second`` is what a second reader calls it, ``settled`` whether the two have decided since.
    ``doubted``: the preview speaks against the label. ``alike``: another file shows nearly the same.
    ``moved``: the file is not where it was, or another one lies there. ``stack``: the series that it is a
    slice of, where the pool shows that under one thumbnail, else 0; ``slice`` counts from 1 to ``slices``.
    ``path``: its file, whose name the tooltip says.
    """

    image_id: int
    name: str
    label: int | None = None
    predicted: int | None = None
    probability: float | None = None
    note: str = ""
    mark: Mark = ""
    second: int | None = None
    settled: bool = False
    doubted: bool = False
    patient: int = 0
    alike: bool = False
    moved: bool = False
    stack: int = 0
    slice: int = 0
    slices: int = 0
    path: str = ""


class StripItems(Sequence[StripItem]):
    """The items of a pool in its order. ids: their images."""

    def __init__(self, items: Sequence[StripItem] = ()) -> None:
        self.ids = [item.image_id for item in items]
        self._made = {item.image_id: item for item in items}

    def item(self, image_id: int) -> StripItem:
        """Return the item of an image."""
        return self._made[image_id]

    def changed_since(self, before: StripItems) -> Sequence[int] | None:
        """Return which images have other items than before, None where the cells are others."""
        if [(item.image_id, item.stack) for item in self] != [(item.image_id, item.stack) for item in before]:
            return None
        return [new.image_id for old, new in zip(before, self, strict=True) if old != new]

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, place: int) -> StripItem: ...
    @overload
    def __getitem__(self, place: slice) -> list[StripItem]: ...
    def __getitem__(self, place: int | slice) -> StripItem | list[StripItem]:
        found = self.ids[place]
        return self.item(found) if isinstance(found, int) else [self.item(image_id) for image_id in found]


@dataclass(frozen=True, slots=True)
class FilterEntry:
    """One thing that the pool can be narrowed to, and how many images of the project are that."""

    key: str
    words: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class FilterState:
    """What the pool can be narrowed to, what it is narrowed to, and a part of the file names shown."""

    entries: tuple[FilterEntry, ...] = ()
    chosen: frozenset[str] = frozenset()
    name: str = ""

    @property
    def parts(self) -> int:
        """How many conditions hold."""
        return len(self.chosen) + bool(self.name)

    @property
    def words(self) -> str:
        """What is shown, in words; empty while that is all."""
        kinds = [entry.words for entry in self.entries if entry.key in self.chosen]
        named = [f"names with “{self.name}”"] if self.name else []
        return " and ".join([" or ".join(kinds)] * bool(kinds) + named)


@dataclass(frozen=True, slots=True)
class StripState:
    """The pool in the order it is shown; ``orders`` are the ones that can be had now.

    ``part_of``: how many images the whole pool has, where only a chosen part of it is shown; else 0.
    ``news``: the words of the button that puts the pool into a newer order. ``reference``: what it is like.
    ``hidden_by``: where nothing is shown, what hides it.
    """

    items: Sequence[StripItem] = ()
    order: Order = "suggested"
    orders: tuple[Order, ...] = ("suggested", "similar", "text", "disagree", "name")
    caption: str = ""
    part_of: int = 0
    news: str = ""
    reference: str = ""
    filter: FilterState = FilterState()
    hidden_by: str = ""


@dataclass(frozen=True, slots=True)
class BinState:
    """A class: its images, newest first, and what would help it."""

    class_id: int
    position: int
    name: str
    image_ids: tuple[int, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class PatientOption:
    """A patient whom images can be given to, in words; ``likely`` where names or folders suggest it."""

    key: str
    words: str
    likely: bool = False


@dataclass(frozen=True, slots=True)
class ReaderState:
    """What the line above the page says of a second reader; nothing while ``mode`` is "off"."""

    mode: Literal["off", "reading", "comparing"] = "off"
    headline: str = ""
    sentence: str = ""
    can_step: bool = False
