"""The checks behind the flags of a series."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, get_args

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.imaging.series.flags import Flag, FlagCode
from clipsvd_app.imaging.values import FaultCode

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from clipsvd_app.imaging.series.geometry import Gaps
    from clipsvd_app.imaging.values import HeaderFault, ImageHeader

_FAULT_CODES: tuple[FaultCode, ...] = get_args(FaultCode)
_RESCALE = frozenset({"RescaleSlope", "RescaleIntercept", "ModalityLUTSequence"})
CROSS_SECTIONAL = frozenset({"CT", "MR", "PT"})
# Significant ones: writers round spacings differently from the fifth on.
_SPACING_DIGITS = 4
# What put images in order that do not say where they lie, as a sentence ends.
ORDERED_BY = {
    "instance_number": "sorted by instance number",
    "slice_location": "sorted by Slice Location",
    "file": "kept in file order",
}


def objects(headers: Sequence[ImageHeader]) -> Iterator[Flag]:
    """Flag objects of a series that are not images."""
    bare = Counter(header.object_name for header in headers if header.object_name and not header.frames)
    other = Counter(header.object_name for header in headers if header.object_name and header.frames)
    if bare:
        said = f"{_named(bare)} without pixels cannot be displayed."
        yield Flag(FlagCode.NO_PIXELS, _upper(said), bare.total())
    if other:
        said = f"{_named(other)} is not displayed as an image."
        yield Flag(FlagCode.UNSUPPORTED_OBJECT, _upper(said), other.total())
    if headers and bare.total() + other.total() == len(headers):
        yield Flag(FlagCode.NO_IMAGES, "The series contains no images.")


def duplicate_uids(copies: int, conflicts: int) -> Iterator[Flag]:
    """Flag SOP instance UIDs that were met more than once."""
    if copies:
        said = f"{counted(copies, 'copy', 'copies')} of other files left out."
        yield Flag(FlagCode.SAME_UID_SAME_CONTENT, said, copies)
    if conflicts:
        images = counted(conflicts, "image has", "images have")
        said = f"{images} the SOP instance UID of another image with different content; all are kept."
        yield Flag(FlagCode.SAME_UID_OTHER_CONTENT, said, conflicts)


def consistency(headers: Sequence[ImageHeader]) -> Iterator[Flag]:
    """Flag images that differ in size, pixel spacing or kind of pixels from most of their series.

    Series of films or captures are expected to differ; only what should be a stack is judged.
    """
    if not any(header.modality in CROSS_SECTIONAL or any(header.planes) for header in headers):
        return
    odd = _odd((header.rows, header.columns) for header in headers)
    if odd:
        said = f"{counted(odd, 'image has', 'images have')} a different size from the rest."
        yield Flag(FlagCode.MIXED_SIZE, said, odd)
    odd = _odd(_rounded(header.pixel_spacing_mm) for header in headers)
    if odd:
        said = f"{counted(odd, 'image has', 'images have')} a different pixel spacing from the rest."
        yield Flag(FlagCode.MIXED_PIXEL_SPACING, said, odd)
    odd = _odd((header.photometric, header.bits_stored) for header in headers)
    if odd:
        said = (
            f"{counted(odd, 'image has', 'images have')} a different bit depth or colour space from the rest."
        )
        yield Flag(FlagCode.MIXED_PIXELS, said, odd)


def faults(found: Sequence[Sequence[HeaderFault]]) -> Iterator[Flag]:
    """Flag where headers contradict the pixel data or cannot be read. found: the faults of each image."""
    for code in _FAULT_CODES:
        about = [[fault.about for fault in own if fault.code == code] for own in found]
        count = sum(bool(own) for own in about)
        if count:
            names = tuple(dict.fromkeys(name for own in about for name in own))
            yield Flag(FlagCode(code), _fault_sentence(code, count, names), count)


def _fault_sentence(code: FaultCode, count: int, about: Sequence[str]) -> str:
    images = counted(count, "image", "images")
    match code:
        case "header_contradicted":
            said = f"The header contradicts the pixel data in {images} ({_element_names(about)})"
            return f"{said}. The pixel data were used."
        case "size_exchanged":
            return (
                f"Rows and columns differ between the header and the pixel data of {images}. The"
                f" header was used; if the image looks scrambled, export it again."
            )
        case "missing_value":
            said = f"The header of {images} lacks {_element_names(about)}"
            return f"{said}. A value that fits the pixel data was assumed."
        case "frames_miscounted":
            stated, found = about[0].split()
            held = counted(count, "file has", "files have")
            example = "" if len(about) == 1 else "for example "
            return (
                f"{held} a different number of frames from the header ({example}{stated} stated,"
                f" {found} found)."
            )
        case "cut_off":
            ends = counted(count, "file ends", "files end")
            return f"{ends} within the pixel data. Only complete frames were kept."
        case "unreadable_value":
            rest = " Pixels are displayed as stored, without a unit." if _RESCALE.intersection(about) else ""
            return f"The header of {images} has unreadable values ({_element_names(about)}).{rest}"
        case "colours_left_out":
            return f"Supplemental palette colours are not displayed in {images}."
        case "values_exceed_bits":
            having = counted(count, "image has", "images have")
            return f"{having} values beyond Bits Stored, which were clipped."
        case "narrow_window":
            return f"The window of {images} is narrower than LINEAR allows and was read as LINEAR_EXACT."


def _element_names(keywords: Sequence[str]) -> str:
    from pydicom.datadict import dictionary_description

    return ", ".join(dictionary_description(keyword) for keyword in keywords)


def geometry(
    headers: Sequence[ImageHeader], stacks: Sequence[Gaps], unplaced: int, ordered_by: str
) -> Iterator[Flag]:
    """Flag what is irregular about where the slices lie.

    stacks: one for each orientation. ordered_by: what put those in order that say no place, of ORDERED_BY.
    """
    expected = any(header.modality in CROSS_SECTIONAL for header in headers)
    if unplaced and (stacks or expected):
        order = f"; {ORDERED_BY[ordered_by]}" if unplaced > 1 else ""  # one alone has no order
        said = f"{counted(unplaced, 'image has', 'images have')} no position{order}."
        yield Flag(FlagCode.MISSING_GEOMETRY, said, unplaced)
    if len(stacks) > 1:
        said = f"The slices have {len(stacks)} orientations, displayed one after the other."
        yield Flag(FlagCode.MIXED_ORIENTATION, said, len(stacks))
    spaces = {header.frame_of_reference_uid for header in headers if any(header.planes)}
    if len(spaces) > 1:
        said = f"The slices have {len(spaces)} frames of reference; their positions cannot be compared."
        yield Flag(FlagCode.MIXED_FRAMES_OF_REFERENCE, said, len(spaces))
    mosaics = sum(header.is_mosaic for header in headers)
    if mosaics:
        said = (
            f"{counted(mosaics, 'image is a mosaic', 'images are mosaics')} of several slices side by side."
        )
        yield Flag(FlagCode.MOSAIC, said, mosaics)
    yield from _spacing(stacks)


def _spacing(stacks: Sequence[Gaps]) -> Iterator[Flag]:
    missing = sum(stack.missing for stack in stacks)
    if missing:
        said = f"{counted(missing, 'slice is', 'slices are')} missing, judging by the gaps."
        yield Flag(FlagCode.MISSING_SLICES, said, missing)
    irregular = sum(stack.irregular for stack in stacks)
    if irregular:
        said = f"The distance between slices is irregular in {counted(irregular, 'place')}."
        yield Flag(FlagCode.IRREGULAR_SPACING, said, irregular)
    doubled = sum(stack.doubled for stack in stacks)
    if doubled:
        said = f"{counted(doubled, 'slice has', 'slices have')} the position of another."
        yield Flag(FlagCode.DUPLICATE_SLICES, said, doubled)
    repeats = max((stack.repeats for stack in stacks), default=0)
    if repeats:
        said = f"Every position has {repeats} images, as in a time series."
        yield Flag(FlagCode.REPEATED_POSITIONS, said, repeats)
    shifted = sum(stack.shifted for stack in stacks)
    if shifted:
        said = (
            f"Neighbouring slices are shifted in-plane in {counted(shifted, 'place')}, as with a"
            f" tilted gantry."
        )
        yield Flag(FlagCode.SHIFTED_SLICES, said, shifted)


def _odd(values: Iterable[Hashable]) -> int:
    """Count the values that are not the commonest one."""
    counts = Counter(values)
    return counts.total() - max(counts.values(), default=0)


def _rounded(spacing: tuple[float, float] | None) -> tuple[float, float] | None:
    """Round to significant digits: a micro-CT has pixels of a few thousandths of a millimetre."""
    return spacing and (
        float(f"{spacing[0]:.{_SPACING_DIGITS}g}"),
        float(f"{spacing[1]:.{_SPACING_DIGITS}g}"),
    )


def _named(names: Counter[str]) -> str:
    return ", ".join(f"{name} ({count})" if count > 1 else name for name, count in names.items())


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
