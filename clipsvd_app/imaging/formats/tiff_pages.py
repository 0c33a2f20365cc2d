"""Which pages of a TIFF are the image: frames of one kind, never a slide's label, and what is left out."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from clipsvd_app.imaging.formats import tiff_directory as tags
from clipsvd_app.imaging.formats.tiff_directory import Page
from clipsvd_app.imaging.values import FileNote, notes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

# Bits of NewSubfileType (TIFF 6.0); 9 is what Aperio writes for a macro image.
_REDUCED, _MASK, _MACRO = 1, 4, 9
# Hamamatsu's source lens: -1 is the macro image, -2 a map of the slide.
_NDPI_LENS = 65421
# OME-XML takes megabytes; the patterns below must not search an endless text.
_LARGEST_DESCRIPTION = 8 * 1024**2
# Must match the whole description: an image may be described as "macro photograph" or "label: benign".
_LABEL = re.compile(
    r"\s*(slide[ _-]*)?(label|macro|overview|barcode)([ _-]*image)?(\s+\d+x\d+.*|\s*-offset.*)?\s*",
    re.IGNORECASE | re.DOTALL,
)
_NAMED_LABEL = re.compile(r"(\A|[\s\[_/-])(label|macro|overview)([ _-]?image)?\]?\s*\Z", re.IGNORECASE)
_APERIO_LABEL = re.compile(r"^\s*(label|macro)\b", re.IGNORECASE | re.MULTILINE)
_QPTIFF_LABEL = re.compile(r"<ImageType>\s*(label|overview|macro)", re.IGNORECASE)
_ELEMENT = re.compile(r"<image\b.*?</image>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Chosen:
    """The pages that are shown, all of one size and kind.

    behind: how many frames lie behind the first page's, in one piece and without directories of their own.
    """

    pages: tuple[Page, ...]
    behind: int
    notes: tuple[FileNote, ...]

    @property
    def frames(self) -> int:
        """How many frames the file has."""
        return len(self.pages) + self.behind


def choose(pages: Sequence[Page]) -> Chosen | None:
    """Return the frames of a file, None where it holds only a slide's label or the glass."""
    labels = _slide_labels(pages)
    images = [page for number, page in enumerate(pages) if number not in labels]
    if not images:
        return None
    first = next((page for page in images if not _is_lesser(page)), images[0])
    frames = [page for page in images if page is first or _is_like(page, first)]
    stated = _stated_frames(first)
    found = _frames_behind(first) if len(pages) == 1 else 0
    behind = min(found, stated - 1) if stated > 1 else 0
    levels = sum(len(page.numbers(tags.SUB_IFDS)) for page in images)
    notes = notes_of(
        {
            "pages_left_out": len(images) - len(frames) + levels,
            "slide_label_left_out": len(labels),
            "frames_missing": stated - len(frames) - behind,
            "unnamed_data": found - behind,
        }
    )
    return Chosen(tuple(frames), behind, notes)


def frame_bytes(page: Page) -> int:
    """Return how long a page is when it is not compressed."""
    bits = sum(int(number) for number in _bits(page))
    return page.whole(tags.LENGTH, 0) * -(-page.whole(tags.WIDTH, 0) * bits // 8)


def _bits(page: Page) -> tuple[int, ...]:
    samples = page.whole(tags.SAMPLES, 1)
    bits = tuple(int(number) for number in page.numbers(tags.BITS)) or (1,)
    return bits if len(bits) == samples else bits[:1] * samples


def _is_lesser(page: Page) -> bool:
    return bool(page.whole(tags.SUBFILE, 0) & (_REDUCED | _MASK))


def _is_like(page: Page, first: Page) -> bool:
    return not _is_lesser(page) and _kind(page) == _kind(first)


def _kind(page: Page) -> tuple[object, ...]:
    wanted = (tags.WIDTH, tags.LENGTH, tags.SAMPLE_FORMAT, tags.EXTRA_SAMPLES, tags.ORIENTATION)
    photometric = page.whole(tags.PHOTOMETRIC, -1)
    return _bits(page), photometric, *(page.numbers(tag)[:1] for tag in wanted)


def _slide_labels(pages: Sequence[Page]) -> set[int]:
    """Return the pages that show a slide's label or the whole glass, as scanners mark them.

    Aperio and others name them in the description; Hamamatsu by tag 65421; Leica and OME-TIFF in the first
    page's XML.
    """
    found = {number for number, page in enumerate(pages) if _is_label(page)}
    if pages:
        found |= _named_in_xml(_description(pages[0])) & set(range(len(pages)))
    return found


def _is_label(page: Page) -> bool:
    lens = page.numbers(_NDPI_LENS)
    if lens and lens[0] in (-1, -2):
        return True
    said, name = _description(page), page.text(tags.PAGE_NAME)
    if said.startswith("Aperio") and _APERIO_LABEL.search(said):
        return True
    named = _LABEL.fullmatch(said) or _LABEL.fullmatch(name) or _QPTIFF_LABEL.search(said)
    return bool(named) or page.whole(tags.SUBFILE, 0) == _MACRO


def _description(page: Page) -> str:
    entry = page.entries.get(tags.DESCRIPTION)
    if entry is None or entry.size > _LARGEST_DESCRIPTION:
        return ""
    return page.text(tags.DESCRIPTION)


def _named_in_xml(text: str) -> set[int]:
    found: set[int] = set()
    collection = _sizes(re.search(r"<collection\b[^>]*>", text))
    for number in re.findall(r"<supplementalImage\b[^>]*\bifd=\"(\d{1,5})\"", text):
        found.add(int(number))
    for element in _ELEMENT.findall(text):
        name = re.search(r"<image\b[^>]*\bName=\"([^\"]*)\"", element, re.IGNORECASE)
        view = _sizes(re.search(r"<view\b[^>]*>", element))
        if (name and _NAMED_LABEL.search(name[1])) or (view and view == collection):
            found |= {int(ifd) for ifd in re.findall(r"\bIFD=\"(\d{1,5})\"", element, re.IGNORECASE)}
    return found


def _sizes(tag: re.Match[str] | None) -> tuple[str, ...]:
    return tuple(re.findall(r"\bsize[XY]=\"(\d+)\"", tag[0])) if tag else ()


def _stated_frames(page: Page) -> int:
    """Return how many frames ImageJ or tifffile say that they wrote, 0 where neither did."""
    text = _description(page)
    if text.startswith("ImageJ="):
        stated = re.search(r"^images=(\d{1,9})\s*$", text, re.MULTILINE)
        return int(stated[1]) if stated else 0
    if text.startswith('{"shape":'):
        return _shaped(text, page)
    return 0


def _shaped(text: str, page: Page) -> int:
    try:
        shape = json.loads(text)["shape"]
        values = int(np.prod([int(side) for side in shape], dtype=object))
    except (ValueError, TypeError, LookupError):
        return 0
    one = page.whole(tags.WIDTH, 0) * page.whole(tags.LENGTH, 0) * page.whole(tags.SAMPLES, 1)
    return values // one if one and values % one == 0 else 0


def _frames_behind(page: Page) -> int:
    """Count whole frames that no directory names, behind the one that the only directory does.

    What the directory itself takes, where it lies there too, is no image.
    """
    size, offsets, lengths = (
        frame_bytes(page),
        page.numbers(tags.STRIP_OFFSETS),
        page.numbers(tags.STRIP_BYTES),
    )
    if page.whole(tags.COMPRESSION, 1) != 1 or not offsets or not size:
        return 0
    if lengths and offsets[-1] + lengths[-1] - offsets[0] != size:  # its own strips are not in one piece
        return 0
    first = int(offsets[0])
    # 24: an entry and its offset, generously; the directory may lie behind the pixels.
    directory = sum(entry.size + 24 for entry in page.entries.values() if entry.at >= first + size)
    levels = bool(page.entries.keys() & {tags.SUB_IFDS, tags.TILE_OFFSETS})
    stated = _stated_frames(page)
    left = _length(page.file) - first - size
    if stated > 1:
        return max(0, left // size)
    # Behind a small image, padding or a directory could be taken for a frame.
    return 0 if levels or size < 4096 else max(0, (left - directory) // size)


def _length(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)
