"""Small DICOM files of every kind of pixel, each with the greys that the standard's formulas give by hand.

The expected values are computed in float64 from the formulas of PS3.3 C.7.6.3, C.7.9, C.11.1 and C.11.2 as
they are printed there, and share no code with the program.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MONOCHROME1 = {"PhotometricInterpretation": "MONOCHROME1"}
RAMP = np.arange(48, dtype=np.int64).reshape(6, 8)


@dataclass(frozen=True)
class Variant:
    """stored: (frames, rows, columns[, 3]); greys: (rows, columns[, 3]) of `frame` as shown."""

    name: str
    stored: np.ndarray
    greys: np.ndarray
    elements: dict[str, Any] = field(default_factory=dict)
    frame: int = 0
    syntax: str = ExplicitVRLittleEndian
    data: bytes | None = None

    def write(self, folder: Path) -> Path:
        """Write the file; compressed syntaxes are encoded by pydicom's own encoders."""
        path = folder / f"{self.name}.dcm"
        dataset = described(self.stored, self.data, self.syntax in (ExplicitVRBigEndian,))
        for keyword, value in self.elements.items():
            setattr(dataset, keyword, value)
        if self.syntax in (RLELossless, JPEGLSLossless, JPEG2000Lossless):
            dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            dataset.compress(self.syntax, generate_instance_uid=False)
        else:
            dataset.file_meta.TransferSyntaxUID = self.syntax
        dataset.save_as(
            path,
            implicit_vr=self.syntax == ImplicitVRLittleEndian,
            little_endian=self.syntax != ExplicitVRBigEndian,
            enforce_file_format=True,
        )
        return path


def described(stored: np.ndarray, data: bytes | None = None, big_endian: bool = False) -> FileDataset:
    """Return a data set around stored values, uncompressed."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, "1.2.3.4"
    meta.TransferSyntaxUID = ExplicitVRBigEndian if big_endian else ExplicitVRLittleEndian
    dataset = FileDataset(
        "variant",
        {},
        file_meta=meta,
        preamble=b"\0" * 128,
        is_implicit_VR=False,
        is_little_endian=not big_endian,
    )
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = CTImageStorage, "1.2.3.4", "MR"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3.1", "1.2.3.2"
    colour = stored.ndim == 4
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = stored.shape[:3]
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = 8 * stored.dtype.itemsize
    content = stored.astype(stored.dtype.newbyteorder(">" if big_endian else "<")).tobytes()
    content = content if data is None else data
    content += b"\0" * (len(content) % 2)
    if stored.dtype.kind == "f":
        setattr(dataset, "FloatPixelData" if stored.dtype.itemsize == 4 else "DoubleFloatPixelData", content)
        return dataset
    dataset.BitsStored = dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    dataset.PixelData = content
    dataset["PixelData"].VR = "OB" if stored.dtype.itemsize == 1 else "OW"
    return dataset


def linear(values: np.ndarray, centre: float, width: float) -> np.ndarray:
    """C.11.2.1.2.1, the three cases of its pseudocode, output 0 to 255."""

    def one(x: float) -> float:
        if x <= centre - 0.5 - (width - 1) / 2:
            return 0.0
        if x > centre - 0.5 + (width - 1) / 2:
            return 255.0
        return ((x - (centre - 0.5)) / (width - 1) + 0.5) * 255

    return _each(one, values)


def linear_exact(values: np.ndarray, centre: float, width: float) -> np.ndarray:
    """C.11.2.1.3.2."""

    def one(x: float) -> float:
        if x <= centre - width / 2:
            return 0.0
        return 255.0 if x > centre + width / 2 else ((x - centre) / width + 0.5) * 255

    return _each(one, values)


def sigmoid(values: np.ndarray, centre: float, width: float) -> np.ndarray:
    """C.11.2.1.3.1."""
    return _each(lambda x: 255 / (1 + math.exp(-4 * (x - centre) / width)), values)


def _each(one: Callable[[float], float], values: np.ndarray) -> np.ndarray:
    flat = [one(float(x)) for x in values.reshape(-1)]
    return np.asarray(flat).reshape(values.shape)


def item(**elements: Any) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def lut(first: int, entries: list[int], bits: int) -> Sequence:
    made = Dataset()
    made.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries), first, bits])
    made.add_new("LUTData", "US", entries)
    return Sequence([made])


def palette(first: int, red: list[int], green: list[int], blue: list[int]) -> dict[str, Any]:
    made: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour, entries in (("Red", red), ("Green", green), ("Blue", blue)):
        made[f"{colour}PaletteColorLookupTableDescriptor"] = [len(entries), first, 16]
        made[f"{colour}PaletteColorLookupTableData"] = np.asarray(entries, "<u2").tobytes()
    return made


def ybr_to_rgb(y: np.ndarray, cb: np.ndarray, cr: np.ndarray) -> np.ndarray:
    """Invert the matrix of C.7.6.3.1.2 by solving it."""
    forward = np.array([[0.2990, 0.5870, 0.1140], [-0.1687, -0.3313, 0.5000], [0.5000, -0.4187, -0.0813]])
    shifted = np.stack([y, cb - 128.0, cr - 128.0], axis=-1)
    return np.clip(shifted @ np.linalg.inv(forward).T, 0, 255)


def variants() -> list[Variant]:
    """All of them, each in one grey level's reach of what is shown."""
    return [*_greys(), *_wide(), *_colours(), *_enhanced(), *_syntaxes()]


def _one(values: np.ndarray, kind: Any) -> np.ndarray:
    return values.astype(kind)[np.newaxis]


def _window(centre: float, width: float, function: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"WindowCenter": str(centre), "WindowWidth": str(width)}
    return made | ({"VOILUTFunction": function} if function else {})


def _greys() -> list[Variant]:
    u16, i16 = _one(RAMP * 80, np.uint16), _one(RAMP * 80 - 2000, np.int16)
    dirty = u16 | 0xF000
    negative = np.where(RAMP > 20, RAMP - 48, RAMP)
    table = [int(v) for v in (np.arange(48) ** 2) // 10]
    padded = np.where(RAMP < 5, 63, RAMP)
    twelve = {"BitsStored": 12, "HighBit": 11}
    return [
        Variant("mono2_8", _one(RAMP * 5, np.uint8), RAMP * 5.0),
        Variant(
            "mono1_8",
            _one(RAMP * 5, np.uint8),
            255 - RAMP * 5.0,
            {"PhotometricInterpretation": "MONOCHROME1"},
        ),
        Variant("linear_12", u16, linear(RAMP * 80, 1500, 2000), twelve | _window(1500, 2000, "LINEAR")),
        Variant(
            "linear_exact_12",
            u16,
            linear_exact(RAMP * 80, 1500, 9),
            twelve | _window(1500, 9, "LINEAR_EXACT"),
        ),
        Variant("sigmoid_12", u16, sigmoid(RAMP * 80, 1500, 900), twelve | _window(1500, 900, "SIGMOID")),
        Variant("width_one", u16, linear(RAMP * 80, 1600.5, 1), twelve | _window(1600.5, 1)),
        Variant(
            "several_windows",
            u16,
            linear(RAMP * 80, 1000, 500),
            twelve | {"WindowCenter": ["1000", "3000"], "WindowWidth": ["500", "10"]},
        ),
        Variant(
            "signed_hounsfield",
            i16,
            linear(RAMP * 80 - 2000 + 976, 40, 400),
            _window(40, 400) | {"Modality": "CT", "RescaleSlope": "1", "RescaleIntercept": "976"},
        ),
        Variant("dirty_high_bits", dirty, linear(RAMP * 80, 1500, 2000), twelve | _window(1500, 2000)),
        Variant(
            "signed_12_in_16",
            (_one(negative, np.int16).view(np.uint16) & 0x0FFF).view(np.int16),
            linear(negative, 0, 60),
            twelve | _window(0, 60),
        ),
        Variant(
            "high_bit_15",
            u16 << 4,
            linear(RAMP * 80, 1500, 2000),
            {"BitsStored": 12, "HighBit": 15} | _window(1500, 2000),
        ),
        Variant(
            "fractional_rescale",
            u16,
            linear(RAMP * 80 * 0.37 - 100.25, 300, 700),
            _window(300, 700) | {"RescaleSlope": "0.37", "RescaleIntercept": "-100.25"},
        ),
        Variant(
            "modality_lut",
            _one(RAMP, np.uint8),
            linear(np.asarray(table)[np.clip(RAMP - 4, 0, 47)], 100, 150),
            _window(100, 150) | {"ModalityLUTSequence": lut(4, table, 16)},
        ),
        Variant(
            "voi_lut_8",
            _one(RAMP, np.uint8),
            np.asarray(table)[np.clip(RAMP - 3, 0, 47)],
            {"VOILUTSequence": lut(3, table, 8)},
        ),
        Variant(
            "voi_lut_12",
            _one(RAMP, np.uint16),
            np.asarray(table)[RAMP] * 18 / 4095 * 255,
            {"VOILUTSequence": lut(0, [v * 18 for v in table], 12)},
        ),
        Variant(
            "voi_lut_below_zero",
            _one(RAMP, np.uint8),
            np.asarray(table)[RAMP],
            {"RescaleSlope": "1", "RescaleIntercept": "-20", "VOILUTSequence": lut(-20, table, 8)},
        ),
        Variant(
            "padding",
            _one(padded, np.uint8),
            np.where(RAMP < 5, 0, linear(RAMP, 20, 30)),
            _window(20, 30) | {"PixelPaddingValue": 63},
        ),
        Variant(
            "padding_range_mono1",
            _one(RAMP, np.uint8),
            np.where(RAMP >= 40, 0, 255 - linear(RAMP, 20, 30)),
            _window(20, 30)
            | {
                "PixelPaddingValue": 40,
                "PixelPaddingRangeLimit": 47,
                "PhotometricInterpretation": "MONOCHROME1",
            },
        ),
        Variant(
            "one_bit",
            _one(RAMP % 3 == 0, np.uint8),
            (RAMP % 3 == 0) * 255.0,
            {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0},
            data=np.packbits((RAMP % 3 == 0).reshape(-1), bitorder="little").tobytes(),
        ),
    ]


def _wide() -> list[Variant]:
    far = RAMP + 3_000_000_000
    return [
        Variant(
            "unsigned_32", _one(far, np.uint32), linear(far, 3_000_000_020, 30), _window(3_000_000_020, 30)
        ),
        Variant(
            "signed_32", _one(RAMP * -99_999, np.int32), linear(RAMP * -99_999, -2e6, 3e6), _window(-2e6, 3e6)
        ),
        Variant(
            "float_32",
            _one(RAMP / 7, np.float32),
            linear_exact(RAMP / 7, 3, 5),
            _window(3, 5, "LINEAR_EXACT"),
        ),
        Variant(
            "float_64",
            _one(RAMP / 7 + 1e9, np.float64),
            linear_exact(RAMP / 7 + 1e9, 1e9 + 3, 5),
            _window(1000000003, 5, "LINEAR_EXACT"),
        ),
        Variant(
            "float_padding",
            _one(np.where(RAMP < 9, -9999.5, RAMP), np.float32),
            np.where(RAMP < 9, 0, linear(RAMP, 20, 30)),
            _window(20, 30) | {"FloatPixelPaddingValue": -9999.5},
        ),
    ]


def _colours() -> list[Variant]:
    rgb = np.stack([RAMP * 5, 255 - RAMP * 3, RAMP * 2 + 7], axis=-1)
    y, cb, cr = RAMP * 4 + 20, 128 + RAMP, 150 - RAMP
    halved = [cb[:, ::2].repeat(2, axis=1), cr[:, ::2].repeat(2, axis=1)]
    packed = np.stack([y[:, ::2], y[:, 1::2], cb[:, ::2], cr[:, ::2]], axis=-1).astype(np.uint8)
    steps = [int(v) for v in np.linspace(0, 65535, 48)]
    high = np.asarray(steps) >> 8
    table = np.stack([high, high[::-1], np.zeros(48, int)], axis=-1)
    indexed = palette(0, steps, steps[::-1], [0] * 48)
    segments = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in ("Red", "Green", "Blue"):
        segments[f"{colour}PaletteColorLookupTableDescriptor"] = [48, 0, 16]
        segments[f"Segmented{colour}PaletteColorLookupTableData"] = np.asarray(
            [0, 1, 0, 1, 47, 47 * 1280], "<u2"
        ).tobytes()
    return [
        Variant("rgb", _one(rgb, np.uint8), rgb),
        Variant(
            "rgb_planes",
            _one(rgb, np.uint8),
            rgb,
            {"PlanarConfiguration": 1},
            data=np.ascontiguousarray(rgb.astype(np.uint8).transpose(2, 0, 1)).tobytes(),
        ),
        Variant("rgb_16", _one(rgb * 257, np.uint16), rgb),
        Variant(
            "ybr_full",
            _one(np.stack([y, cb, cr], axis=-1), np.uint8),
            ybr_to_rgb(y, cb, cr),
            {"PhotometricInterpretation": "YBR_FULL"},
        ),
        Variant(
            "ybr_full_422",
            _one(np.stack([y, *halved], axis=-1), np.uint8),
            ybr_to_rgb(y, *halved),
            {"PhotometricInterpretation": "YBR_FULL_422"},
            data=packed.tobytes(),
        ),
        Variant("palette_8", _one(RAMP, np.uint8), table[RAMP], indexed),
        Variant(
            "palette_16",
            _one(RAMP + 1000, np.uint16),
            table[RAMP],
            palette(1000, steps, steps[::-1], [0] * 48),
        ),
        Variant("segmented_palette", _one(RAMP, np.uint8), np.stack([RAMP * 5] * 3, axis=-1), segments),
    ]


def _enhanced() -> list[Variant]:
    def group(slope: str, centre: str, function: str = "LINEAR") -> Dataset:
        values = item(RescaleSlope=slope, RescaleIntercept="-10", RescaleType="US")
        window = item(WindowCenter=centre, WindowWidth="60", VOILUTFunction=function)
        return item(
            PixelValueTransformationSequence=Sequence([values]), FrameVOILUTSequence=Sequence([window])
        )

    frames = np.stack([RAMP, RAMP * 2]).astype(np.uint16)
    per_frame = Sequence([group("1", "20"), group("0.5", "30", "SIGMOID")])
    shared = Sequence([group("2", "40")])
    return [
        Variant(
            "enhanced_first",
            frames,
            linear(RAMP - 10, 20, 60),
            {"PerFrameFunctionalGroupsSequence": per_frame, "SharedFunctionalGroupsSequence": shared},
        ),
        Variant(
            "enhanced_second",
            frames,
            sigmoid(RAMP * 2 * 0.5 - 10, 30, 60),
            {"PerFrameFunctionalGroupsSequence": per_frame, "SharedFunctionalGroupsSequence": shared},
            frame=1,
        ),
        Variant(
            "enhanced_shared",
            frames,
            linear(RAMP * 2 * 2 - 10, 40, 60),
            {
                "PerFrameFunctionalGroupsSequence": Sequence([item(), item()]),
                "SharedFunctionalGroupsSequence": shared,
            },
            frame=1,
        ),
    ]


def _syntaxes() -> list[Variant]:
    large = np.tile(RAMP, (12, 10)) * 80 - 2000  # JPEG 2000 wants more pixels than the others
    signed = _one(large, np.int16)
    greys = linear(large, 0, 3000)
    found = {
        "implicit": ImplicitVRLittleEndian,
        "big_endian": ExplicitVRBigEndian,
        "deflated": DeflatedExplicitVRLittleEndian,
        "rle": RLELossless,
        "jpeg_ls": JPEGLSLossless,
        "jpeg_2000": JPEG2000Lossless,
    }
    return [Variant(name, signed, greys, _window(0, 3000), syntax=syntax) for name, syntax in found.items()]
