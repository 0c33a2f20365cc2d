"""The parts of a report, whatever its format: sections of text, tables, figures and pictures."""

from __future__ import annotations

from dataclasses import dataclass

from clipsvd_app.figures.figure import Figure as Described


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; ``strong`` ones carry the result."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Pairs of a name and its value."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header; ``widths`` are shares of the page's width that sum to 1."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its caption."""

    figure: Described
    caption: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A small picture (PNG of pixels only) with its caption."""

    png: bytes
    width_px: int
    height_px: int
    caption: str


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures in rows."""

    pictures: tuple[Picture, ...]


Block = Text | Facts | Table | Figure | Gallery


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of a report."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report; ``program`` says what wrote it."""

    title: str
    program: str
    sections: tuple[Section, ...]
