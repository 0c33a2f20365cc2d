"""From stored values of a DICOM frame to pixels ready to window."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from clipsvd_app.errors import UserError
from clipsvd_app.imaging import luts, refusals
from clipsvd_app.imaging.dicom_dataset import EXPLICIT_BIG, read_dataset, reading, transfer_syntax_of
from clipsvd_app.imaging.dicom_decoding import allocated_frame, stored_frames
from clipsvd_app.imaging.dicom_elements import frame_group, items, number, numbers, text, whole
from clipsvd_app.imaging.dicom_header import bits_stored_of, describe, pixel_spacing_mm, units_of
from clipsvd_app.imaging.overlays import overlays_of
from clipsvd_app.imaging.padding import is_padding, padding_value
from clipsvd_app.imaging.presets import presets_of
from clipsvd_app.imaging.values import Frame, Window
from clipsvd_app.imaging.windows import IDENTITY_8_BIT, default_window, is_usable

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.imaging.dicom_elements import Dataset
    from clipsvd_app.imaging.overlays import Overlay
    from clipsvd_app.imaging.values import Array, Bytes, VoiLut

_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


def read_dicom_frame(path: Path, frame: int) -> Frame:
    """Decode one frame (from 0) of a DICOM file; refuses what cannot be read or shown."""
    dataset = read_dataset(path)
    refusals.check_frame(path, frame, describe(path, dataset).frames)
    stored, photometric = stored_frames(path, dataset, (frame,))
    with reading(path):
        if photometric.startswith("MONOCHROME") and stored.ndim == 3:
            return _grey_frame(dataset, stored[0], frame)
        return _colour_frame(path, dataset, stored[0], photometric, frame)


def read_dicom_overlays(path: Path, frame: int) -> tuple[Overlay, ...]:
    """Return the graphic overlays of one frame (from 0), those in unused bits of plain pixels included."""
    dataset = read_dataset(path)
    header = describe(path, dataset)
    refusals.check_frame(path, frame, header.frames)
    if not header.overlays:
        return ()
    with reading(path):
        return overlays_of(dataset, frame, allocated_frame(path, dataset, frame))


def _grey_frame(dataset: Dataset, stored: Array, frame: int) -> Frame:
    pixels, padding = modality_values(dataset, stored, frame)
    modality = text(dataset, "Modality")
    windows = _header_windows(dataset, frame)
    table = None if windows else _header_voi_lut(dataset, frame)
    by_pixels = False
    if windows:
        window = windows[0]
    elif table is not None:
        window = Window(table.first + len(table.greys) / 2, float(len(table.greys)), "LINEAR_EXACT")
    else:
        part = text(dataset, "BodyPartExamined")
        window, by_pixels = default_window(pixels, modality, bits_stored_of(dataset), padding, part)
    units = units_of(dataset, frame)
    return Frame(
        pixels=pixels,
        window=window,
        presets=presets_of(modality, window, windows, units),
        inverted=text(dataset, "PhotometricInterpretation") == "MONOCHROME1",
        padding=padding,
        pixel_spacing_mm=pixel_spacing_mm(dataset, frame),
        units=units,
        voi_lut=table,
        by_pixels=by_pixels,
    )


def _colour_frame(path: Path, dataset: Dataset, stored: Array, photometric: str, frame: int) -> Frame:
    return Frame(
        pixels=_rgb(path, dataset, stored, photometric),
        window=IDENTITY_8_BIT,
        presets=(),
        inverted=False,
        padding=None,
        pixel_spacing_mm=pixel_spacing_mm(dataset, frame),
        units="",
    )


def modality_values(dataset: Dataset, stored: Array, frame: int) -> tuple[Array, float | None]:
    """Apply the Modality LUT or rescale (PS3.3 C.11.1); return the values and what padding became.

    The values are float32, or float64 where float32 would not tell neighbouring stored values apart.
    """
    padding = padding_value(dataset, stored)
    marked = np.asarray([] if padding is None else [padding], dtype=stored.dtype)
    tables = items(dataset, "ModalityLUTSequence")
    kind: type[np.floating[Any]] = np.float32
    if tables:
        signed = whole(dataset, "PixelRepresentation", 0) == 1
        table, first = luts.modality_table(tables[0], signed=signed, little_endian=_is_little_endian(dataset))
        values, mapped = luts.lookup(stored, table, first), luts.lookup(marked, table, first)
    else:
        kind = np.float64 if _is_wide(stored) else np.float32
        slope, intercept = (np.float64(number) for number in rescale_of(dataset, frame))
        values, mapped = stored * slope + intercept, marked * slope + intercept
    pixels = np.asarray(values, dtype=kind)
    if padding is None:
        return pixels, None
    sentinel = kind(mapped[0])
    pixels[is_padding(dataset, stored, padding)] = sentinel
    return pixels, float(sentinel)


def _is_wide(stored: Array) -> bool:
    """Say whether there are whole numbers, or doubles, beyond the 24 bits that float32 keeps."""
    if stored.dtype.itemsize < 4 or stored.dtype == np.float32 or not stored.size:
        return False
    return stored.dtype.kind == "f" or max(int(stored.max()), -int(stored.min())) > 1 << 24


def rescale_of(dataset: Dataset, frame: int) -> tuple[float, float]:
    """Return slope and intercept of a frame; a slope that is absent or zero is 1 (PS3.3 C.11.1.1.2)."""
    group = frame_group(dataset, "PixelValueTransformationSequence", frame)
    source = dataset if group is None else group
    slope, intercept = number(source, "RescaleSlope"), number(source, "RescaleIntercept")
    usable = slope is not None and slope != 0 and isfinite(slope)
    known = intercept is not None and isfinite(intercept)
    return (slope if usable and slope is not None else 1.0), (
        intercept if known and intercept is not None else 0.0
    )


def _header_windows(dataset: Dataset, frame: int) -> tuple[Window, ...]:
    """Return the usable windows of the header, the frame's own first."""
    group = frame_group(dataset, "FrameVOILUTSequence", frame)
    found: list[Window] = []
    for source in (group, dataset):
        if source is None:
            continue
        said = text(source, "VOILUTFunction").upper()
        function = said if said in _FUNCTIONS else "LINEAR"
        pairs = zip(numbers(source, "WindowCenter"), numbers(source, "WindowWidth"), strict=False)
        found += [Window(centre, width, function) for centre, width in pairs]
    return tuple(dict.fromkeys(window for window in found if is_usable(window)))


def _header_voi_lut(dataset: Dataset, frame: int) -> VoiLut | None:
    group = frame_group(dataset, "FrameVOILUTSequence", frame)
    own = [] if group is None else items(group, "VOILUTSequence")
    tables = own or items(dataset, "VOILUTSequence")
    if not tables:
        return None
    rescaled = items(dataset, "ModalityLUTSequence") or number(dataset, "RescaleIntercept") is not None
    signed = whole(dataset, "PixelRepresentation", 0) == 1 or bool(
        rescaled and rescale_of(dataset, frame)[1] < 0
    )
    return luts.voi_lut(tables[0], signed=signed, little_endian=_is_little_endian(dataset))


def _rgb(path: Path, dataset: Dataset, stored: Array, photometric: str) -> Bytes:
    """Return (rows, columns, 3) uint8 RGB of palette, RGB and YBR pixels."""
    if photometric == "PALETTE COLOR" and stored.ndim == 2:
        return luts.palette_to_rgb(stored, dataset, little_endian=_is_little_endian(dataset))
    if stored.ndim == 3 and photometric in ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"):
        spare = bits_stored_of(dataset) - 8
        samples: Bytes = (stored >> spare if spare > 0 else stored).astype(np.uint8)
        if photometric.startswith("YBR_FULL"):
            return ybr_full_to_rgb(samples)
        return samples
    raise UserError(
        f"{path.name} is in the colour space {photometric or 'of no name'}, which cannot be shown here.",
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


def _is_little_endian(dataset: Dataset) -> bool:
    return transfer_syntax_of(dataset) != EXPLICIT_BIG
