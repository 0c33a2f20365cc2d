"""From stored values of a DICOM frame to pixels ready to window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from clipsvd_app.domain.view import Window, WindowFunction
from clipsvd_app.errors import UserError
from clipsvd_app.imaging.dicom.dataset import read_dataset, reading
from clipsvd_app.imaging.dicom.elements import (
    code,
    frame_group,
    items,
    number,
    numbers,
    text,
    texts,
    whole,
)
from clipsvd_app.imaging.dicom.geometry import place_of, scale_of
from clipsvd_app.imaging.dicom.header import faults_of, frames_of, refuse_oversized
from clipsvd_app.imaging.dicom.pixel_data.frames import (
    allocated_frame,
    exceeds_bits_stored,
    photometric_of,
    raw_frames,
    settled,
)
from clipsvd_app.imaging.dicom.pixel_data.native import bits_stored_of
from clipsvd_app.imaging.dicom.pixel_data.overlays import count_high_overlays, count_overlays, overlays_of
from clipsvd_app.imaging.dicom.stored_values import (
    BROKEN_TABLE,
    has_broken_table,
    is_padding,
    is_shown_as_stored,
    lookup,
    modality_table,
    padding_value,
    palette_to_rgb,
    rescale_of,
    units_of,
    voi_lut,
)
from clipsvd_app.imaging.display.windows import IDENTITY_8_BIT, default_window, is_usable, presets_of
from clipsvd_app.imaging.guard import refusals
from clipsvd_app.imaging.guard.quiet import quiet
from clipsvd_app.imaging.values import Frame, HeaderFault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clipsvd_app.imaging.dicom.elements import Dataset
    from clipsvd_app.imaging.dicom.pixel_data.overlays import Overlay
    from clipsvd_app.imaging.dicom.true_image import TrueDataset
    from clipsvd_app.imaging.values import Array, Bytes, VoiLut

_FUNCTIONS: tuple[WindowFunction, ...] = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
# Of a table's explanation, so that it fits a preset menu.
_LONGEST_NAME = 24


def read_dicom_frame(path: Path, frame: int) -> Frame:
    """Decode one frame (from 0) of a DICOM file; refuses what cannot be read or shown."""
    dataset = read_dataset(path)
    refuse_oversized(path, dataset)
    refusals.check_frame(path, frame, frames_of(dataset))
    return decode_frame(path, dataset, frame)


def decode_frame(path: Path, dataset: TrueDataset, frame: int) -> Frame:
    """Decode a frame of a data set that was read from `path` and is within the limits."""
    with quiet:
        raw = raw_frames(path, dataset, (frame,))[0]
    with reading(path):
        photometric = photometric_of(dataset)
        if photometric.startswith("MONOCHROME") and raw.ndim == 2:
            return _grey_frame(dataset, raw, frame)
        return _colour_frame(path, dataset, settled(raw, dataset), photometric, frame)


def read_dicom_overlays(path: Path, frame: int) -> tuple[Overlay, ...]:
    """Return the graphic overlays of one frame (from 0), those in unused bits of plain pixels included."""
    dataset = read_dataset(path)
    refuse_oversized(path, dataset)
    refusals.check_frame(path, frame, frames_of(dataset))
    with reading(path):
        if not count_overlays(dataset):
            return ()
        return overlays_of(dataset, frame, allocated_frame(path, dataset, frame))


def _grey_frame(dataset: TrueDataset, raw: Array, frame: int) -> Frame:
    pixels, padding = modality_values(dataset, settled(raw, dataset), frame)
    modality, units = code(dataset, "Modality"), units_of(dataset, frame)
    spacing, limits = scale_of(dataset, frame)
    windows, tables = _header_windows(dataset, frame, pixels), _header_tables(dataset, frame)
    by_pixels = False
    if windows:
        window = windows[0]
    elif tables:
        window = tables[0][1]
    else:
        part = text(dataset, "BodyPartExamined")
        bits = bits_stored_of(dataset) if _shows_stored_values(dataset, frame) else None
        window, by_pixels = default_window(pixels, units, bits, padding, part)
    return Frame(
        pixels=pixels,
        window=window,
        presets=presets_of(modality, window, windows, units, [(name, handle) for name, handle, _ in tables]),
        inverted=text(dataset, "PhotometricInterpretation") == "MONOCHROME1",
        padding=padding,
        pixel_spacing_mm=spacing,
        units=units,
        tables=tuple((handle, table) for _, handle, table in tables),
        by_pixels=by_pixels,
        faults=tuple(dict.fromkeys(_frame_faults(dataset, raw, frame))),
        limits=limits,
        place=place_of(dataset, frame),
    )


def _frame_faults(dataset: TrueDataset, raw: Array, frame: int) -> Iterator[HeaderFault]:
    """Yield what is wrong with the header as this frame shows it; retired overlays may lie in unused bits."""
    yield from faults_of(dataset, (frame,))
    if len(_header_tables(dataset, frame)) < len(_table_items(dataset, frame)):
        yield HeaderFault("unreadable_value", "VOILUTSequence")
    if _exceeds_stated_bits(dataset, raw):
        yield HeaderFault("header_contradicted", "BitsStored")
    if exceeds_bits_stored(raw, dataset) and not count_high_overlays(dataset):
        yield HeaderFault("values_exceed_bits")


def _exceeds_stated_bits(dataset: TrueDataset, raw: Array) -> bool:
    """Say whether a stream of more bits than stated makes use of them."""
    stated = whole(dataset.source, "BitsStored", 0)
    if dataset.stream is None or not 0 < stated < bits_stored_of(dataset):
        return False
    low, high = (
        (-(1 << stated - 1), (1 << stated - 1) - 1) if raw.dtype.kind == "i" else (0, (1 << stated) - 1)
    )
    return bool(raw.min() < low or raw.max() > high)


def _colour_frame(path: Path, dataset: TrueDataset, stored: Array, photometric: str, frame: int) -> Frame:
    spacing, limits = scale_of(dataset, frame)
    return Frame(
        pixels=_rgb(path, dataset, stored, photometric),
        window=IDENTITY_8_BIT,
        presets=(),
        inverted=False,
        padding=None,
        pixel_spacing_mm=spacing,
        units="",
        faults=faults_of(dataset, (frame,)),
        limits=limits,
        place=place_of(dataset, frame),
    )


def modality_values(dataset: TrueDataset, stored: Array, frame: int) -> tuple[Array, float | None]:
    """Apply the Modality LUT or rescale (PS3.3 C.11.1); return the values and what padding became.

    The values are float32, or float64 where float32 would not tell neighbouring stored values apart.
    """
    padding = padding_value(dataset, stored)
    marked = np.asarray([] if padding is None else [padding], dtype=stored.dtype)
    tables = _modality_tables(dataset)
    kind: type[np.floating[Any]] = np.float32
    if tables:
        signed = whole(dataset, "PixelRepresentation", 0) == 1
        table, first = modality_table(tables[0], signed=signed, big_endian=dataset.is_big_endian)
        values, mapped = lookup(stored, table, first), lookup(marked, table, first)
    else:
        kind = np.float64 if _is_wide(stored) else np.float32
        slope, intercept = (np.float64(number) for number in display_rescale(dataset, frame))
        values, mapped = stored * slope + intercept, marked * slope + intercept
    pixels = np.asarray(values, dtype=kind)
    if padding is None:
        return pixels, None
    sentinel = kind(mapped[0])
    pixels[is_padding(dataset, stored, padding)] = sentinel
    return pixels, float(sentinel)


def _modality_tables(dataset: TrueDataset) -> list[Dataset]:
    is_stored = is_shown_as_stored(dataset) or has_broken_table(dataset)
    return [] if is_stored else items(dataset, "ModalityLUTSequence")


def _shows_stored_values(dataset: TrueDataset, frame: int) -> bool:
    return not _modality_tables(dataset) and display_rescale(dataset, frame) == (1.0, 0.0)


def _is_wide(stored: Array) -> bool:
    """Say whether there are whole numbers, or doubles, beyond the 24 bits that float32 keeps."""
    # Integers of up to 16 bits, and float32 itself, fit.
    if stored.dtype.itemsize < 4 or stored.dtype == np.float32 or not stored.size:
        return False
    # float32 has 24 significant bits.
    return stored.dtype.kind == "f" or max(int(stored.max()), -int(stored.min())) > 1 << 24


def display_rescale(dataset: Dataset, frame: int) -> tuple[float, float]:
    """Return slope and intercept for display: stored values where the rescale is not for display."""
    rescale = None if is_shown_as_stored(dataset) else rescale_of(dataset, frame)
    return (1.0, 0.0) if rescale is None else rescale


def gives_window(path: Path, dataset: TrueDataset, frame: int) -> bool:
    """Say whether the header gives the window that a frame is shown in, False where it cannot be read."""
    try:
        with reading(path):
            # Which windows are usable does not depend on the pixels; only their exact formula does.
            windows = _header_windows(dataset, frame, np.zeros(0))
            return bool(windows or _header_tables(dataset, frame)) or units_of(dataset, frame) == "HU"
    except UserError:
        return False


def _header_windows(dataset: Dataset, frame: int, pixels: Array) -> tuple[Window, ...]:
    """Return the usable windows of the header, the frame's own first.

    Windows are of rescaled values: where the rescale cannot be read, none is usable.
    """
    if rescale_of(dataset, frame) is None and not is_shown_as_stored(dataset):
        return ()
    group = frame_group(dataset, "FrameVOILUTSequence", frame)
    found: list[Window] = []
    for source in (group, dataset):
        if source is None:
            continue
        said = code(source, "VOILUTFunction")
        function: WindowFunction = next((known for known in _FUNCTIONS if known == said), "LINEAR")
        pairs = zip(numbers(source, "WindowCenter"), numbers(source, "WindowWidth"), strict=False)
        found += [_meant(Window(centre, width, function), pixels) for centre, width in pairs]
    return tuple(dict.fromkeys(window for window in found if is_usable(window)))


def _meant(window: Window, pixels: Array) -> Window:
    """Take LINEAR of a width below 1, or of 1 over fractions, for the LINEAR_EXACT that its author meant.

    By the letter of PS3.3 C.11.2.1.2.1 the one is not allowed and the other shows two greys.
    """
    narrow = 0 < window.width < 1 or (window.width == 1 and bool((pixels != np.rint(pixels)).any()))
    return (
        Window(window.centre, window.width, "LINEAR_EXACT")
        if narrow and window.function == "LINEAR"
        else window
    )


def _header_tables(dataset: TrueDataset, frame: int) -> list[tuple[str, Window, VoiLut]]:
    """Return the readable VOI LUTs of a frame by name, each with the window that stands for it."""
    rescaled = items(dataset, "ModalityLUTSequence") or number(dataset, "RescaleIntercept") is not None
    signed = whole(dataset, "PixelRepresentation", 0) == 1 or bool(
        rescaled and display_rescale(dataset, frame)[1] < 0
    )
    found: list[tuple[str, Window, VoiLut]] = []
    for item in _table_items(dataset, frame):
        try:
            table = voi_lut(item, signed=signed, big_endian=dataset.is_big_endian)
        except BROKEN_TABLE:
            continue
        entries = len(table.greys)
        # A window is the key of its table: tables of one range differ in width, by too little to be seen.
        width = entries + len(found) * 1e-6
        said = next((word for word in texts(item, "LUTExplanation")[:1] if word), "")
        name = f"Table {len(found) + 1}" + (
            f" ({said[:_LONGEST_NAME]})" if said.isprintable() and said else ""
        )
        found.append((name, Window(table.first + entries / 2, width, "LINEAR_EXACT"), table))
    return found


def _table_items(dataset: TrueDataset, frame: int) -> list[Dataset]:
    group = frame_group(dataset, "FrameVOILUTSequence", frame)
    own = [] if group is None else items(group, "VOILUTSequence")
    return own or items(dataset, "VOILUTSequence")


def _rgb(path: Path, dataset: TrueDataset, stored: Array, photometric: str) -> Bytes:
    """Return (rows, columns, 3) uint8 RGB of palette, RGB and YBR pixels."""
    if photometric == "PALETTE COLOR" and stored.ndim == 2:
        try:
            return palette_to_rgb(stored, dataset, big_endian=dataset.is_big_endian)
        except BROKEN_TABLE as error:
            raise UserError(
                f"{path.name} has palette colours, but its palette is missing or damaged.",
                remedy="Export it again from its source as RGB or greyscale.",
                code="no_palette",
            ) from error
    if stored.ndim == 3 and photometric in ("RGB", "YBR_FULL", "YBR_FULL_422"):
        # Deeper colour is shown by its upper 8 bits.
        spare = bits_stored_of(dataset) - 8
        samples: Bytes = (stored >> spare if spare > 0 else stored).astype(np.uint8)
        if photometric.startswith("YBR_FULL"):
            return ybr_full_to_rgb(samples)
        return samples
    raise UserError(
        f"{path.name} is in the colour space {photometric or '(not stated)'}, which is not supported.",
        remedy="Export it as RGB or greyscale.",
        code="unsupported_colours",
    )


def ybr_full_to_rgb(ybr: Bytes) -> Bytes:
    """Convert YBR_FULL to RGB (PS3.3 C.7.6.3.1.2, the inverse of its matrix). (..., 3) uint8 both ways."""
    y, cb, cr = (ybr[..., n].astype(np.float32) for n in range(3))
    cb -= 128.0
    cr -= 128.0
    rgb = np.stack((y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb), axis=-1)
    return np.asarray(np.clip(np.rint(rgb), 0, 255), dtype=np.uint8)
