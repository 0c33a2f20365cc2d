"""All elements of a file's header, to be displayed and never stored."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.imaging.guard import refusals
from clipsvd_app.imaging.guard.decode_worker import DecodeError, bounded, shared_pool
from clipsvd_app.imaging.reading import read_object_header
from clipsvd_app.imaging.signature import read_head, sniff, volume_format

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from clipsvd_app.imaging.values import ImageHeader

# Bounds what the window lists; enhanced objects hold more, mostly equal groups.
MOST_ROWS = 20_000
MOST_ITEMS = 200
LONGEST_VALUE = 20_000
# Of nested sequences: hostile files nest thousands, which would exhaust the stack.
_DEEPEST = 16
_BINARY = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN"})
_LONGEST_PRINTED = 128  # of bytes that nothing says the meaning of
# Offset and length of the text fields, by the size of the header (nifti1.h, nifti2.h).
_NIFTI_TEXTS = {348: ((148, 80, "descrip"), (228, 24, "aux_file"), (328, 16, "intent_name"))}
_NIFTI_TEXTS[540] = ((240, 80, "descrip"), (320, 24, "aux_file"), (508, 16, "intent_name"))


@dataclass(frozen=True, slots=True)
class HeaderRow:
    """One element. tag: as DICOM writes it, "" elsewhere. rows: items of a sequence, elements of an item.

    vr: the value representation (PS3.5 6.2), "" elsewhere. value: text, or how long a binary value is.
    """

    tag: str
    name: str
    vr: str
    value: str
    rows: tuple[HeaderRow, ...] = ()


def list_header(path: Path) -> tuple[HeaderRow, ...]:
    """Read every element of a file's header, in a worker process; refuses what is no image or damaged."""
    kind = sniff(path)
    try:
        if kind == "DICOM":
            rows: tuple[HeaderRow, ...] = shared_pool().run_on_file(path, dicom_rows)
            return rows
        facts = _facts(read_object_header(path))
        return (*facts, *shared_pool().run_on_file(path, volume_rows if kind == "volume" else picture_rows))
    except DecodeError as error:
        raise refusals.damaged(path) from error


def dicom_rows(path: str) -> tuple[HeaderRow, ...]:
    """List a data set with its File Meta Information; called in a worker process only."""
    from clipsvd_app.imaging.dicom.dataset import read_elements, reading

    file = Path(path)
    with bounded(megapixels=0), reading(file):
        dataset, place = read_elements(file)
        room = _Room(MOST_ROWS)
        rows = [*_elements(dataset.file_meta, room), *_elements(dataset, room)]
        if place is not None:
            length = "compressed" if place.length is None else f"{place.length:,} bytes"
            tag = {"FloatPixelData": 0x08, "DoubleFloatPixelData": 0x09}.get(place.keyword, 0x10)
            rows.append(HeaderRow(f"(7FE0,{tag:04X})", place.keyword, "", f"Pixels, {length}"))
        return tuple(rows)


def volume_rows(path: str) -> tuple[HeaderRow, ...]:
    """List the fields of a NIfTI, NRRD or MetaImage file; called in a worker process only."""
    from clipsvd_app.imaging.formats.volume_headers import read_text_header

    file, kind = Path(path), volume_format(read_head(Path(path)))
    with bounded(megapixels=0):
        if kind == "NIfTI":
            return tuple(_nifti_rows(file))
        return tuple(_row(name, value) for name, value in read_text_header(file, kind).fields.items())


def picture_rows(path: str) -> tuple[HeaderRow, ...]:
    """List an image's metadata, Exif included; called in a worker process only."""
    from PIL import ExifTags, Image

    with bounded(megapixels=0):
        try:
            with Image.open(path) as image:
                texts = [_row(str(name), value) for name, value in _written(image.info)]
                exif = image.getexif()
                tags = [_row(ExifTags.TAGS.get(tag, f"Tag {tag}"), value) for tag, value in exif.items()]
                for part in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
                    names = ExifTags.GPSTAGS if part == ExifTags.IFD.GPSInfo else ExifTags.TAGS
                    inner = tuple(
                        _row(names.get(tag, f"Tag {tag}"), value) for tag, value in exif.get_ifd(part).items()
                    )
                    if inner:
                        tags.append(replace(_row(part.name, ""), rows=inner))
        except refusals.DAMAGE:
            return ()  # another reader has described the picture; only its extras cannot be listed
    return (*texts, *tags)[:MOST_ROWS]


def _facts(header: ImageHeader) -> tuple[HeaderRow, ...]:
    said: Mapping[str, object] = {
        "Format": header.transfer_syntax or header.kind,
        "Rows": header.rows,
        "Columns": header.columns,
        "Frames": header.frames,
        "Bits": header.bits_stored,
        "Colours": header.photometric,
        "Spacing of rows and columns in mm": header.pixel_spacing_mm,
    }
    return tuple(_row(name, value) for name, value in said.items() if value is not None)


def _nifti_rows(path: Path) -> Iterator[HeaderRow]:
    from clipsvd_app.imaging.formats.nifti import read_fields

    content, fields = read_fields(path)
    for name, value in fields.items():
        yield _row(name, value)
    for start, length, name in _NIFTI_TEXTS[540 if content[4:7] in (b"n+2", b"ni2") else 348]:
        (raw,) = struct.unpack_from(f"{length}s", content.ljust(540, b"\0"), start)
        yield _row(name, raw.split(b"\0")[0].decode("utf-8", "replace"))


def _written(info: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
    """Yield an image's textual and numeric metadata; profiles and Exif as a whole, by length."""
    for name, value in info.items():
        yield (
            name,
            f"binary, {len(value):,} bytes"
            if isinstance(value, bytes) and len(value) > _LONGEST_PRINTED
            else value,
        )


def _row(name: str, value: object) -> HeaderRow:
    return HeaderRow("", name, "", _text(value))


@dataclass
class _Room:
    """How many rows may still be listed."""

    left: int


def _elements(dataset: Any, room: _Room, depth: int = 0) -> Iterator[HeaderRow]:  # noqa: ANN401 - pydicom's
    for tag in sorted(dataset.keys()):
        if room.left <= 0:
            yield HeaderRow("", "More elements than are listed", "", "")
            return
        room.left -= 1
        yield _element(dataset, tag, room, depth)


def _element(dataset: Any, tag: Any, room: _Room, depth: int) -> HeaderRow:  # noqa: ANN401 - pydicom's
    from clipsvd_app.imaging.dicom.elements import damage

    shown = f"({tag.group:04X},{tag.element:04X})"
    try:
        element = dataset[tag]
        name = element.keyword or str(element.name)
        if element.VR == "SQ":
            return HeaderRow(
                shown, name, "SQ", _count(len(element.value)), tuple(_items(element.value, room, depth + 1))
            )
        return HeaderRow(shown, name, str(element.VR), _value(element))
    except damage():
        raw = dataset.get_item(tag)
        length = getattr(raw, "length", 0)
        return HeaderRow(shown, "", str(getattr(raw, "VR", "") or ""), f"unreadable, {length:,} bytes")


def _items(items: Iterable[Any], room: _Room, depth: int) -> Iterator[HeaderRow]:
    for number, item in enumerate(items, start=1):
        if number > MOST_ITEMS or depth > _DEEPEST or room.left <= 0:
            yield HeaderRow("", "More items than are listed", "", "")
            return
        room.left -= 1
        yield HeaderRow("", f"Item {number}", "", "", tuple(_elements(item, room, depth)))


def _value(element: Any) -> str:  # noqa: ANN401 - pydicom's
    value = element.value
    if isinstance(value, bytes):
        return _of_bytes(value) if element.VR == "UN" else f"binary, {len(value):,} bytes"
    if element.VR in _BINARY and value is not None:
        return f"binary, {len(value):,} values"
    if element.VR == "UI" and value is not None and not hasattr(value, "append"):
        meaning = getattr(value, "name", "")
        return _text(value if meaning in ("", value) else f"{value} ({meaning})")
    return _text(value)


def _of_bytes(value: bytes) -> str:
    """Return bytes of unknown meaning as text where they are short and readable, else their length."""
    plain = value.rstrip(b"\0 ")
    if len(plain) <= _LONGEST_PRINTED and plain.isascii() and plain.decode("ascii").isprintable():
        return plain.decode("ascii")
    return f"binary, {len(value):,} bytes"


def _text(value: object) -> str:
    """Return a value in one line; several are parted as DICOM does."""
    if isinstance(value, bytes):
        return _of_bytes(value)
    several = isinstance(value, tuple) or hasattr(value, "append")
    text = "" if value is None else " \\ ".join(map(str, value)) if several else str(value)  # type: ignore[call-overload]
    line = "".join(sign if sign.isprintable() else " " for sign in text).strip()
    return line if len(line) <= LONGEST_VALUE else f"{line[:LONGEST_VALUE]}…"


def _count(items: int) -> str:
    return counted(items, "item")
