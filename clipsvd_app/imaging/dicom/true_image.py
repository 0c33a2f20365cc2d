"""A DICOM image as its pixel data show it: where they contradict the header, the pixel data decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from clipsvd_app.imaging.dicom.elements import code, number, text, whole
from clipsvd_app.imaging.dicom.pixel_data.encapsulated import (
    PixelPlace,
    StreamFacts,
    Stretch,
    facts_of,
    find_frames,
    starts_a_stream,
)
from clipsvd_app.imaging.dicom.pixel_data.native import native_layout
from clipsvd_app.imaging.values import FaultCode, HeaderFault

if TYPE_CHECKING:
    from pathlib import Path

IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
JPEG_EXTENDED: Final = "1.2.840.10008.1.2.4.51"
RLE: Final = "1.2.840.10008.1.2.5"
NATIVE: Final = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED})
_COMPRESSED: Final = "1.2.840.10008.1.2.4."

# The syntaxes under which each codec may travel; the first is taken where the header names none of them.
_SYNTAXES: Final[Mapping[str, tuple[str, ...]]] = {
    "jpeg": tuple(_COMPRESSED + end for end in ("50", "51")),
    "jpeg-lossless": tuple(_COMPRESSED + end for end in ("57", "70")),
    "jpeg-ls": tuple(_COMPRESSED + end for end in ("81", "80")),
    "jpeg-2000": tuple(_COMPRESSED + end for end in ("91", "90", "92", "93")),
    "ht-jpeg-2000": tuple(_COMPRESSED + end for end in ("203", "201", "202")),
    "rle": (RLE,),
}
_PHOTOMETRICS: Final = {
    name.replace("_", ""): name
    for name in (
        *("MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422"),
        *("YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT"),
    )
} | {"PALETTECOLOR": "PALETTE COLOR", "MONOCHROME": "MONOCHROME2"}
# Enough for the header of nearly every stream; up to 16 MB of application segments (ICC, Exif) may precede
# it.
_HEAD_BYTES: Final = 64 * 1024
_LONGEST_HEAD_BYTES: Final = 16 * 1024**2
_ITEM: Final = b"\xfe\xff\x00\xe0"


@dataclass(frozen=True, slots=True)
class TrueDataset:
    """The elements of a data set, those of the image pixel module corrected by the pixel data.

    source: the data set as it was parsed, once. transfer_syntax: as it was found, not as it was stated.
    frames: of compressed pixels, the stretches of the file that hold each. faults: where the header is wrong.
    """

    source: Any
    transfer_syntax: str
    is_big_endian: bool = False
    place: PixelPlace | None = None
    frames: tuple[tuple[Stretch, ...], ...] = ()
    stream: StreamFacts | None = None
    proven: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[HeaderFault, ...] = ()

    def get(self, key: Any) -> Any:  # noqa: ANN401 - a keyword or a tag, and whatever the file holds
        """Return an element as the pixel data show it, else as the header states it, None if absent."""
        return self.proven[key] if key in self.proven else self.source.get(key)

    def prove(self, keyword: str, value: Any, *, silently: bool = False) -> TrueDataset:  # noqa: ANN401
        """Return a data set in which an element has its true value, with a fault unless it had that."""
        said = text(self, keyword) if isinstance(value, str) else number(self, keyword)
        if said == value:
            return self
        fault = HeaderFault("missing_value" if said in ("", None) else "header_contradicted", keyword)
        faults = self.faults if silently else (*self.faults, fault)
        return replace(self, proven={**self.proven, keyword: value}, faults=tuple(dict.fromkeys(faults)))


def settled_by_pixels(path: Path, dataset: TrueDataset) -> TrueDataset:
    """Correct the header by the pixel data; reads at most the start of a stream or the first frame."""
    dataset = _named(dataset)
    place = dataset.place
    if place is None:
        return dataset
    with place.open(path) as file:
        file_length = file.seek(0, 2)
        dataset = _as_they_lie(file, dataset, file_length)
        if dataset.frames or (dataset.place is not None and dataset.place.length is None):
            return _by_stream(file, dataset, file_length)
        return _by_length(file, dataset, file_length)


def _named(dataset: TrueDataset) -> TrueDataset:
    """Normalise the name of the photometric interpretation, and fill in what is missing but unambiguous."""
    said = code(dataset, "PhotometricInterpretation")
    samples = whole(dataset, "SamplesPerPixel", 0)
    plain = "".join(said.replace("_", " ").split())
    named = _PHOTOMETRICS.get(plain, said) if said else ("RGB" if samples == 3 else "MONOCHROME2")
    if not said and dataset.get("RedPaletteColorLookupTableDescriptor") and samples != 3:
        named = "MONOCHROME2" if text(dataset, "PixelPresentation") else "PALETTE COLOR"
    dataset = dataset.prove("PhotometricInterpretation", named, silently=bool(said))
    if not samples:
        colour = named == "RGB" or named.startswith("YBR")
        dataset = dataset.prove("SamplesPerPixel", 3 if colour else 1, silently=True)
    return dataset


def _as_they_lie(file: BinaryIO, dataset: TrueDataset, file_length: int) -> TrueDataset:
    """Find the frames of compressed pixels, whatever transfer syntax is stated."""
    place = dataset.place
    assert place is not None
    file.seek(place.start)
    head = file.read(16)
    said = max(1, whole(dataset, "NumberOfFrames", 1))
    is_native = dataset.transfer_syntax in NATIVE
    if place.length is None or head.startswith(_ITEM):
        rle = dataset.transfer_syntax == RLE
        found = find_frames(file, place.start, file_length, said, rle=rle)
        first = joined(file, found.frames[0], len(head)) if found.frames else b""
        if place.length is not None and is_native and not starts_a_stream(first, rle=False):
            return dataset  # pixels that look like an item
        dataset = replace(dataset, place=replace(place, length=None), frames=found.frames)
        return _faulted(dataset, "cut_off") if found.cut_off else dataset
    is_stream = starts_a_stream(head, rle=dataset.transfer_syntax == RLE)
    if is_stream and not (is_native and place.length >= _native_bytes(dataset)):
        return replace(dataset, place=replace(place, length=None), frames=(((place.start, place.length),),))
    if (
        not is_native
        and dataset.transfer_syntax.startswith((_COMPRESSED, RLE))
        and place.length >= _native_bytes(dataset) > 0
    ):
        return _faulted(
            replace(dataset, transfer_syntax=EXPLICIT_LITTLE), "header_contradicted", "TransferSyntaxUID"
        )
    return dataset


def _faulted(dataset: TrueDataset, code: FaultCode, about: str = "") -> TrueDataset:
    return replace(dataset, faults=tuple(dict.fromkeys((*dataset.faults, HeaderFault(code, about)))))


def _native_bytes(dataset: TrueDataset) -> int:
    """Return how long one frame would be without compression."""
    pixels = whole(dataset, "Rows", 0) * whole(dataset, "Columns", 0)
    return pixels * max(1, whole(dataset, "SamplesPerPixel", 1)) * whole(dataset, "BitsAllocated", 8) // 8


def _by_stream(file: BinaryIO, dataset: TrueDataset, file_length: int) -> TrueDataset:
    """Let a compressed stream decide over the header (PS3.5 8.2)."""
    facts = _first_facts(file, dataset)
    if facts is None:
        return dataset
    if dataset.transfer_syntax not in _SYNTAXES[facts.codec]:
        dataset = replace(dataset, transfer_syntax=_SYNTAXES[facts.codec][0])
        dataset = _faulted(dataset, "header_contradicted", "TransferSyntaxUID")
    if facts.codec == "jpeg" and facts.precision > 8 and dataset.transfer_syntax != JPEG_EXTENDED:
        dataset = _faulted(
            replace(dataset, transfer_syntax=JPEG_EXTENDED), "header_contradicted", "TransferSyntaxUID"
        )
    if facts.codec == "rle":
        facts = _with_bytes(facts, dataset)
    dataset = _counted(replace(dataset, stream=facts), len(dataset.frames))
    return _with_depth(_with_colour(_with_size(dataset, facts), facts), facts)


def _first_facts(file: BinaryIO, dataset: TrueDataset) -> StreamFacts | None:
    stretches = dataset.frames[0] if dataset.frames else ()
    for limit in (_HEAD_BYTES, _LONGEST_HEAD_BYTES):
        head = joined(file, stretches, limit)
        facts = facts_of(head, rle=dataset.transfer_syntax == RLE)
        if facts is not None or len(head) < limit:
            return facts
    return None


def joined(file: BinaryIO, stretches: tuple[Stretch, ...], limit: int | None = None) -> bytes:
    """Return the bytes of a frame's fragments, or as many of them as are wanted."""
    parts: list[bytes] = []
    left = limit
    for start, length in stretches:
        file.seek(start)
        parts.append(file.read(length if left is None else min(length, left)))
        left = None if left is None else left - len(parts[-1])
        if left == 0:
            break
    return b"".join(parts)


def _with_bytes(facts: StreamFacts, dataset: TrueDataset) -> StreamFacts:
    """Return the samples and their bytes, each of which is an RLE segment (PS3.5 G.2)."""
    segments, said = facts.components, max(1, whole(dataset, "SamplesPerPixel", 1))
    width = max(1, whole(dataset, "BitsAllocated", 8) // 8)
    if segments == said * width:
        return replace(facts, components=said)
    samples = segments // width if segments in (width, 3 * width) else said
    return replace(facts, components=samples, precision=8 * (segments // samples))


def _counted(dataset: TrueDataset, found: int) -> TrueDataset:
    said = max(1, whole(dataset, "NumberOfFrames", 1))
    if found in (0, said):
        return dataset
    dataset = dataset.prove("NumberOfFrames", found, silently=True)
    return _faulted(dataset, "frames_miscounted", f"{said:,} {found:,}")


def _with_size(dataset: TrueDataset, facts: StreamFacts) -> TrueDataset:
    """Take the stream's size; where only rows and columns are exchanged, keep the header's and say so."""
    size = facts.rows, facts.columns
    said = whole(dataset, "Rows", 0), whole(dataset, "Columns", 0)
    if not all(size) or size == said:
        return dataset
    if size == said[::-1]:
        return _faulted(dataset, "size_exchanged")  # writers of such streams mostly have the header right
    return dataset.prove("Rows", size[0]).prove("Columns", size[1])


def _with_colour(dataset: TrueDataset, facts: StreamFacts) -> TrueDataset:
    dataset = dataset.prove("SamplesPerPixel", facts.components)
    said = text(dataset, "PhotometricInterpretation")
    if facts.components == 1:
        grey = said.startswith("MONOCHROME") or said == "PALETTE COLOR"
        return dataset if grey else dataset.prove("PhotometricInterpretation", "MONOCHROME2")
    if facts.codec not in ("rle", "jpeg-ls") and whole(dataset, "PlanarConfiguration", 0) == 1:
        dataset = dataset.prove("PlanarConfiguration", 0)
    is_known = said == "RGB" or said.startswith("YBR")
    if facts.colour == "YBR":
        fits = said.startswith("YBR_FULL")
        return dataset if fits else dataset.prove("PhotometricInterpretation", "YBR_FULL")
    if facts.colour == "RGB":
        fits = said in ("RGB", "YBR_ICT", "YBR_RCT") if facts.codec.endswith("2000") else said == "RGB"
        return dataset if fits else dataset.prove("PhotometricInterpretation", "RGB")
    if said.startswith("MONOCHROME") or said == "PALETTE COLOR" or (is_known and "PARTIAL" in said):
        return dataset.prove("PhotometricInterpretation", "YBR_FULL" if facts.codec == "jpeg" else "RGB")
    return dataset


def _with_depth(dataset: TrueDataset, facts: StreamFacts) -> TrueDataset:
    """Take the stream's precision where the header leaves no room for it, and the sign that it states."""
    if facts.signed and whole(dataset, "PixelRepresentation", 0) == 0:
        dataset = dataset.prove("PixelRepresentation", 1)
    if facts.codec == "jpeg" and facts.precision == 8 and whole(dataset, "PixelRepresentation", 0):
        dataset = dataset.prove("PixelRepresentation", 0)  # there is no other (PS3.5 8.2.1)
    if not facts.precision:
        return dataset
    allocated, stored = whole(dataset, "BitsAllocated", 0), whole(dataset, "BitsStored", 0)
    container = next(bits for bits in (8, 16, 32, 64) if facts.precision <= bits)
    is_exact = facts.codec in ("jpeg", "jpeg-lossless", "rle")
    if allocated < container or (is_exact and allocated != container):
        dataset = dataset.prove("BitsAllocated", container, silently=not allocated)
    if stored < facts.precision or stored > container:
        # Encoders often use the full depth of the container, which does not show the depth of the values.
        habit = facts.precision in (container, allocated)
        dataset = dataset.prove("BitsStored", facts.precision, silently=habit or not stored)
        dataset = dataset.prove("HighBit", facts.precision - 1, silently=True)
    return dataset


def _by_length(file: BinaryIO, dataset: TrueDataset, file_length: int) -> TrueDataset:
    """Let the length of plain pixel data decide what they are, and how many frames."""
    place = dataset.place
    assert place is not None
    assert place.length is not None
    if dataset.transfer_syntax not in NATIVE:
        return dataset
    length = min(place.length, max(0, file_length - place.start))
    if length < place.length:
        dataset = _faulted(dataset, "cut_off")
    dataset = replace(dataset, place=replace(place, length=length))
    pixels = whole(dataset, "Rows", 0) * whole(dataset, "Columns", 0)
    if not pixels or not length:
        return dataset
    if place.keyword == "PixelData":
        dataset = _formed_by_length(dataset, pixels, length)
    layout = native_layout(dataset)
    if layout is None:
        return dataset
    bits = layout.bit_stride or _frame_bits(dataset, pixels)
    return _signed_by_extremes(file, _counted(dataset, _frames_within(file, dataset, bits, length)))


def _frame_bits(dataset: TrueDataset, pixels: int) -> int:
    layout = native_layout(dataset)
    assert layout is not None
    samples = layout.shape[2] if len(layout.shape) == 3 else 1
    return pixels * (2 if layout.halved else samples) * layout.dtype.itemsize * 8


def _formed_by_length(dataset: TrueDataset, pixels: int, length: int) -> TrueDataset:
    """Correct depth, samples and subsampling where only one reading explains the length to the byte."""
    photometric = text(dataset, "PhotometricInterpretation")
    samples = whole(dataset, "SamplesPerPixel", 1)
    said = max(1, whole(dataset, "NumberOfFrames", 1))

    def is_full(bytes_per_pixel: float) -> bool:
        return 0 <= length - said * pixels * bytes_per_pixel < 2

    bits = whole(dataset, "BitsAllocated", 0)
    if not bits:
        fitting = [8 * width for width in (1, 2, 4) if is_full(samples * width)]
        return dataset.prove("BitsAllocated", fitting[0]) if fitting else dataset
    width = bits / 8
    is_colour = photometric == "RGB" or photometric.startswith("YBR")
    stored = whole(dataset, "BitsStored", bits)
    if is_full(samples * width / 2) and bits in (16, 32) and stored <= bits / 2:
        return dataset.prove("BitsAllocated", bits // 2)
    if is_full(samples * width * 2) and bits in (8, 16) and bits < stored <= 2 * bits:
        return dataset.prove("BitsAllocated", 2 * bits)
    if samples == 3 and photometric.endswith("_422") and "PARTIAL" not in photometric:
        is_subsampled = not is_full(3 * width) and (is_full(2 * width) or length % (pixels * 3) > 1)
        return dataset if is_subsampled else dataset.prove("PhotometricInterpretation", "YBR_FULL")
    if samples == 3 and photometric == "YBR_FULL" and is_full(2 * width):
        return dataset.prove("PhotometricInterpretation", "YBR_FULL_422")
    if samples == 3 and not is_full(3 * width) and is_full(width):
        dataset = dataset.prove("SamplesPerPixel", 1)
        return dataset.prove("PhotometricInterpretation", "MONOCHROME2") if is_colour else dataset
    if samples == 1 and is_full(3 * width) and is_colour:
        return dataset.prove("SamplesPerPixel", 3)
    if samples == 3 and not is_colour and photometric in _PHOTOMETRICS.values():
        return dataset.prove("PhotometricInterpretation", "RGB")
    if samples == 1 and is_colour and is_full(width):
        return dataset.prove("PhotometricInterpretation", "MONOCHROME2")
    return dataset


def _frames_within(file: BinaryIO, dataset: TrueDataset, frame_bits: int, length: int) -> int:
    """Count whole frames; those beyond the header's count must fill the rest and must not be blank."""
    said, found = max(1, whole(dataset, "NumberOfFrames", 1)), 8 * length // frame_bits
    if found <= said:
        return found
    place, used = dataset.place, -(-said * frame_bits // 8)
    assert place is not None
    if length - -(-found * frame_bits // 8) > 1:
        return said
    file.seek(place.start + used)
    while chunk := file.read(min(1 << 20, place.start + length - file.tell())):
        if chunk.strip(b"\0"):
            return found
    return said


def _signed_by_extremes(file: BinaryIO, dataset: TrueDataset) -> TrueDataset:
    """Take the sign from Smallest and Largest Image Pixel Value if the first frame confirms them."""
    low, high = number(dataset, "SmallestImagePixelValue"), number(dataset, "LargestImagePixelValue")
    layout = native_layout(dataset)
    if low is None or high is None or layout is None or layout.dtype.kind not in "iu" or low > high:
        return dataset
    stored, is_signed = whole(dataset, "BitsStored", 8 * layout.dtype.itemsize), layout.dtype.kind == "i"
    if not (low < 0 if not is_signed else low >= 0 and high > (1 << stored - 1) - 1):
        return dataset
    try:
        raw = layout.read(file)
    except EOFError:
        return dataset
    spare = 8 * layout.dtype.itemsize - stored
    said, other = (
        (raw.astype(f"{kind}{raw.dtype.itemsize}") << spare) >> spare
        for kind in ("iu" if is_signed else "ui")
    )
    fits, said_fits = (low <= values.min() and values.max() <= high for values in (other, said))
    return dataset.prove("PixelRepresentation", int(not is_signed)) if fits and not said_fits else dataset
