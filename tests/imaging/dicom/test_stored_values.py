"""What values mean is taken from what the object says, and what cannot be read is never taken for absent."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
    XRayAngiographicImageStorage,
    XRayRadiofluoroscopicImageStorage,
)

from clipsvd_app.domain.view import Window
from clipsvd_app.imaging.dicom.elements import is_unreadable, numbers
from clipsvd_app.imaging.display.greys import to_display
from clipsvd_app.imaging.facts import image_facts
from clipsvd_app.imaging.reading import read_frame, read_header

RAMP8 = np.tile(np.arange(256, dtype=np.uint8), (4, 1))
HU = np.tile(np.arange(-200, 300, 10), (4, 1))


def raw(dataset: Dataset, keyword: str, written: str, vr: str = "DS", *, implicit: bool = False) -> None:
    data = written.encode() + b" " * (len(written.encode()) % 2)
    tag = Tag(keyword)
    dataset._dict[tag] = RawDataElement(tag, None if implicit else vr, len(data), data, 0, implicit, True)


@pytest.fixture
def write_raw(write_dicom):
    """Write elements byte by byte: (keyword, text[, representation])."""

    def write(pixels, *elements, syntax=ExplicitVRLittleEndian, **plain):
        path = write_dicom(pixels, syntax=syntax, **plain)
        dataset = pydicom.dcmread(path)
        for keyword, written, *vr in elements:
            raw(dataset, keyword, written, *vr, implicit=syntax == ImplicitVRLittleEndian)
        dataset.save_as(path)
        return path

    return write


def item(**elements) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


# --- numbers as they are written ---


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("0,5\\0,25", (0.5, 0.25)),
        (" -1024,0 ", (-1024.0,)),
        ("1.024,5", (1024.5,)),
        ("1,024.5", (1024.5,)),
        ("5.0E-01", (0.5,)),
        ("- 12", (-12.0,)),
        ("+40", (40.0,)),
        ("400 HU", (400.0,)),
        ("0.5mm\\0.5mm", (0.5, 0.5)),
        ("40\\", (40.0,)),
        ('"40"', (40.0,)),
        ("40\x00", (40.0,)),
        ("\N{MINUS SIGN}40", (-40.0,)),
        (".5", (0.5,)),
        ("", ()),
        ("  ", ()),
        ("wide", None),
        ("4OO", None),
        ("40-80", None),
        ("0,5,0,5", None),
        ("40\\wide", None),
        ("1e999999", None),
    ],
)
def test_plain_numbers_are_read_and_others_are_not_guessed(written, expected):
    for value in (written, written.encode()):
        found = {"WindowCenter": value}
        assert numbers(found, "WindowCenter") == (expected or ())
        assert is_unreadable(found, "WindowCenter") is (expected is None)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("vr", ["DS", "LO", "SH", "UT"])
def test_numbers_in_any_representation_and_with_commas_make_hounsfield_units(write_raw, syntax, vr):
    path = write_raw(
        (HU + 1024).astype(np.uint16),
        ("RescaleIntercept", "-1024,0", vr),
        ("RescaleSlope", "1,0", vr),
        ("WindowCenter", "40,0\\300", vr),
        ("WindowWidth", "400,0\\1500", vr),
        ("PixelSpacing", "0,5\\0,5", vr),
        syntax=syntax,
        Modality="CT",
    )
    frame = read_frame(path)
    assert np.array_equal(frame.pixels, HU)
    assert (frame.units, frame.window) == ("HU", Window(40.0, 400.0))
    assert ("As stored 2", Window(300.0, 1500.0)) in frame.presets
    assert frame.pixel_spacing_mm == (0.5, 0.5)
    assert frame.faults == ()
    assert np.array_equal(read_frame(path).pixels, HU)


@pytest.mark.parametrize("broken", ["RescaleIntercept", "RescaleSlope"])
@pytest.mark.parametrize("written", ["minus 1024", "NaN"])
def test_a_rescale_that_cannot_be_read_is_never_zero(write_raw, broken, written):
    stored = (HU + 1024).astype(np.uint16)
    good = {"RescaleIntercept": "-1024", "RescaleSlope": "1", "WindowCenter": "40", "WindowWidth": "400"}
    path = write_raw(stored, (broken, written), Modality="CT", **good)
    frame = read_frame(path)
    assert frame.units == ""
    assert np.array_equal(frame.pixels, stored)
    assert frame.window.centre > 700  # of the pixels, not of the header or of tissues
    assert [(fault.code, fault.about) for fault in frame.faults] == [("unreadable_value", broken)]
    assert "without a unit" in " ".join(image_facts(path).flags)


def test_a_slope_of_zero_is_no_rescale(write_dicom):
    path = write_dicom(HU.astype(np.int16), Modality="CT", RescaleSlope="0", RescaleIntercept="-1024")
    assert read_frame(path).units == ""
    assert [fault.about for fault in read_header(path).faults] == ["RescaleSlope"]


@pytest.mark.parametrize("keyword", ["PixelSpacing", "WindowWidth", "ImagePositionPatient"])
def test_what_is_there_and_unreadable_is_flagged(write_raw, keyword):
    path = write_raw(HU.astype(np.int16), (keyword, "some\\thing"))
    assert [(fault.code, fault.about) for fault in read_header(path).faults] == [
        ("unreadable_value", keyword)
    ]


def test_functional_groups_are_read_as_plainly(write_dicom):
    values, measures, window = Dataset(), Dataset(), Dataset()
    raw(values, "RescaleIntercept", "-10,5")
    raw(values, "RescaleSlope", "0,5")
    raw(measures, "PixelSpacing", "0,7\\0,9")
    raw(window, "WindowCenter", "20,5")
    raw(window, "WindowWidth", "odd")
    group = item(
        PixelValueTransformationSequence=Sequence([values]),
        PixelMeasuresSequence=Sequence([measures]),
        FrameVOILUTSequence=Sequence([window]),
    )
    path = write_dicom(
        RAMP8, SOPClassUID=EnhancedMRImageStorage, SharedFunctionalGroupsSequence=Sequence([group])
    )
    frame = read_frame(path)
    assert frame.pixels[0, 255] == 255 * 0.5 - 10.5
    assert frame.pixel_spacing_mm == (0.7, 0.9)
    assert [fault.about for fault in frame.faults] == ["WindowWidth"]


def test_one_frame_whose_rescale_is_broken_is_found_and_loses_its_unit(write_dicom):
    groups = []
    for written in ("1", "1", "bad"):
        values = item(RescaleSlope="2", RescaleType="US")
        raw(values, "RescaleIntercept", written)
        groups.append(item(PixelValueTransformationSequence=Sequence([values])))
    path = write_dicom(np.stack([RAMP8] * 3), PerFrameFunctionalGroupsSequence=Sequence(groups))
    assert [fault.about for fault in read_header(path).faults] == ["RescaleIntercept"]
    sound, broken = read_frame(path, 0), read_frame(path, 2)
    assert (sound.units, sound.faults, sound.pixels.max()) == ("US", (), 511)
    assert (broken.units, len(broken.faults), broken.pixels.max()) == ("", 1, 255)


# --- units ---


@pytest.mark.parametrize(
    ("elements", "unit"),
    [
        ({"RescaleIntercept": "-1024"}, "HU"),
        ({"RescaleIntercept": "-1024", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]}, "HU"),
        ({"RescaleIntercept": "-1024", "ImageType": ["DERIVED", "SECONDARY", "MPR"]}, "HU"),
        ({"RescaleIntercept": "-1024", "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, ""),
        ({"RescaleIntercept": "0", "ImageType": ["DERIVED", "SECONDARY", "PERFUSION_MAP", "CBF"]}, ""),
        ({"RescaleIntercept": "0", "ImageType": ["DERIVED", "PRIMARY", "AXIAL", "IODINE"]}, ""),
        ({"RescaleIntercept": "0", "RescaleType": "Z_EFF"}, "Z_EFF"),
        ({"RescaleIntercept": "0", "RescaleType": "ML/100G"}, ""),
        ({"RescaleIntercept": "0", "MultienergyCTAcquisition": "YES"}, ""),
        ({"RescaleIntercept": "0", "MultienergyCTAcquisition": "YES", "RescaleType": "HU"}, "HU"),
        ({"SOPClassUID": SecondaryCaptureImageStorage}, ""),
        ({"SOPClassUID": SecondaryCaptureImageStorage, "RescaleIntercept": "0"}, ""),
        ({"SOPClassUID": MultiFrameGrayscaleByteSecondaryCaptureImageStorage}, ""),
        ({"SOPClassUID": SecondaryCaptureImageStorage, "RescaleType": "HU"}, ""),
        ({"SOPClassUID": MRImageStorage, "RescaleIntercept": "0"}, ""),
        ({"Modality": "MR", "RescaleIntercept": "0"}, ""),
        ({}, ""),
    ],
)
def test_hounsfield_units_are_where_the_object_says_so(write_dicom, elements, unit):
    path = write_dicom(RAMP8, **{"Modality": "CT", **elements})
    frame = read_frame(path)
    assert frame.units == read_header(path).units == unit
    in_tissue = frame.window == Window(40.0, 400.0)
    assert in_tissue is (unit == "HU")
    assert ("Soft tissue" in dict(frame.presets)) is (unit == "HU")


def test_a_screen_of_a_ct_shows_all_its_greys(write_dicom):
    path = write_dicom(RAMP8, SOPClassUID=SecondaryCaptureImageStorage, Modality="CT")
    assert np.array_equal(to_display(read_frame(path)), RAMP8)


# --- angiography ---


@pytest.mark.parametrize("sop", [XRayAngiographicImageStorage, XRayRadiofluoroscopicImageStorage])
@pytest.mark.parametrize("by", ["table", "rescale"])
def test_logarithmic_angiography_is_shown_as_stored(write_dicom, sop, by):
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [256, 0, 16])
    table.add_new("LUTData", "US", [int(n * n / 16) for n in range(256)])
    table.ModalityLUTType = "US"
    back = (
        {"ModalityLUTSequence": Sequence([table])}
        if by == "table"
        else {"RescaleSlope": "3", "RescaleIntercept": "9"}
    )
    common = {"SOPClassUID": sop, "Modality": "XA", "WindowCenter": "128", "WindowWidth": "256", **back}
    log = write_dicom(RAMP8, name="log.dcm", PixelIntensityRelationship="LOG", **common)
    assert np.array_equal(to_display(read_frame(log)), RAMP8)
    linear = write_dicom(RAMP8, name="lin.dcm", PixelIntensityRelationship="LIN", **common)
    assert not np.array_equal(to_display(read_frame(linear)), RAMP8)


# --- windows and tables ---


@pytest.mark.parametrize(("width", "start", "length"), [("0.8", 0.1, 0.8), ("1", 0.0, 1.0)])
def test_a_narrow_window_over_fractions_is_the_ramp_that_was_meant(write_dicom, width, start, length):
    stored = np.tile(np.arange(0, 1001, 10, dtype=np.uint16), (4, 1))
    path = write_dicom(
        stored, RescaleSlope="0.001", RescaleIntercept="0", WindowCenter="0.5", WindowWidth=width
    )
    expected = np.rint(np.clip((stored[0] * 0.001 - start) / length, 0, 1) * 255)
    assert np.abs(to_display(read_frame(path))[0] - expected).max() <= 1
    assert ("narrow_window" in {fault.code for fault in read_header(path).faults}) is (width == "0.8")


def test_each_table_of_a_file_can_be_reached_beside_its_windows(write_dicom):
    tables = []
    for power in (2, 3):
        table = Dataset()
        entries = np.rint((np.arange(256) / 255) ** power * 255).astype(int).tolist()
        table.add_new("LUTDescriptor", "US", [256, 0, 8])
        table.add_new("LUTData", "US", entries)
        table.LUTExplanation = f"POWER {power}"
        tables.append((table, entries))
    path = write_dicom(
        RAMP8,
        WindowCenter=["128", "64"],
        WindowWidth=["256", "128"],
        VOILUTSequence=Sequence([table for table, _ in tables]),
    )
    frame = read_frame(path)
    presets = dict(frame.presets)
    assert frame.window == Window(128.0, 256.0)
    assert np.array_equal(to_display(frame), RAMP8)
    for number, (_, entries) in enumerate(tables, 1):
        handle = presets[f"Table {number} (POWER {number + 1})"]
        assert to_display(frame, handle)[0].tolist() == entries
    assert to_display(frame, Window(128.0, 200.0))[0].tolist() != tables[0][1]


# --- scale ---

BLANK = np.zeros((200, 300), np.uint8)


@pytest.mark.parametrize(
    ("elements", "spacing", "plane"),
    [
        ({"ImagerPixelSpacing": ["0.1", "0.1"]}, 0.1, "at the detector"),
        ({"ImagerPixelSpacing": ["0.1", "0.1"], "EstimatedRadiographicMagnificationFactor": "2"}, 0.05, ""),
        (
            {
                "ImagerPixelSpacing": ["0.1", "0.1"],
                "DistanceSourceToDetector": "1000",
                "DistanceSourceToPatient": "500",
            },
            0.05,
            "",
        ),
        ({"ImagerPixelSpacing": ["0.1", "0.1"], "PixelSpacing": ["0.1", "0.1"]}, 0.1, "at the detector"),
        ({"ImagerPixelSpacing": ["0.1", "0.1"], "PixelSpacing": ["0.08", "0.08"]}, 0.08, ""),
        (
            {
                "ImagerPixelSpacing": ["0.1", "0.1"],
                "PixelSpacing": ["0.1", "0.1"],
                "PixelSpacingCalibrationType": "FIDUCIAL",
            },
            0.1,
            "",
        ),
        ({"NominalScannedPixelSpacing": ["0.2", "0.2"]}, 0.2, "on the film"),
        ({"PixelSpacing": ["0.3", "0.3"]}, 0.3, ""),
        ({"PixelSpacing": "0.3"}, 0.3, ""),
    ],
)
def test_millimetres_are_named_by_where_they_are_true(write_dicom, elements, spacing, plane):
    path = write_dicom(BLANK, Modality="DX", **elements)
    frame, facts = read_frame(path), image_facts(path)
    assert frame.pixel_spacing_mm == pytest.approx((spacing, spacing))
    assert frame.limits.plane == facts.spacing_plane == plane


def region(top, bottom, units, delta, left=50, right=249) -> Dataset:
    return item(
        RegionSpatialFormat=1,
        RegionDataType=1,
        RegionLocationMinX0=left,
        RegionLocationMinY0=top,
        RegionLocationMaxX1=right,
        RegionLocationMaxY1=bottom,
        PhysicalUnitsXDirection=units[0],
        PhysicalUnitsYDirection=units[1],
        PhysicalDeltaX=delta[0],
        PhysicalDeltaY=delta[1],
    )


def test_each_region_of_an_ultrasound_has_a_scale_of_its_own(write_dicom):
    b_mode = region(0, 99, (3, 3), (0.05, 0.05))
    spectrum = region(100, 199, (4, 7), (0.01, -1.5))
    zoomed = region(10, 40, (3, 3), (0.02, 0.02), left=60, right=90)
    path = write_dicom(BLANK, Modality="US", SequenceOfUltrasoundRegions=Sequence([b_mode, spectrum, zoomed]))
    frame = read_frame(path)
    spacing = frame.pixel_spacing_mm
    assert spacing is None

    def at(*points):
        return frame.limits.spacing_at(points, spacing)

    assert at((120, 20), (200, 80)) == pytest.approx((0.5, 0.5))
    assert at((120, 120), (200, 180)) is None
    assert at((120, 20), (120, 180)) is None
    assert at((10, 20), (120, 20)) is None
    assert at((65, 15), (80, 30)) is None  # two scales lie there


def test_a_colour_box_over_the_same_scale_does_not_hide_it(write_dicom):
    regions = Sequence(
        [region(0, 99, (3, 3), (0.05, 0.05)), region(20, 60, (3, 3), (0.05, 0.05), left=80, right=120)]
    )
    limits = read_frame(write_dicom(BLANK, Modality="US", SequenceOfUltrasoundRegions=regions)).limits
    assert limits.spacing_at([(90, 30), (100, 40)], None) == pytest.approx((0.5, 0.5))
    assert limits.spacing_at([(60, 30), (100, 40)], None) == pytest.approx((0.5, 0.5))


def test_pixels_that_are_not_square_keep_their_shape_without_a_spacing(write_dicom):
    assert read_frame(write_dicom(BLANK, PixelAspectRatio=["2", "1"])).limits.aspect == 2.0


# --- byte order ---


@pytest.mark.parametrize("truly_big", [True, False])
def test_the_byte_order_is_the_one_of_the_data_set(write_dicom, truly_big):
    true, said = ExplicitVRBigEndian, ExplicitVRLittleEndian
    if not truly_big:
        true, said = said, true
    values = np.arange(12, dtype=np.uint16).reshape(3, 4) * 1000
    path = write_dicom(values.astype(">u2" if truly_big else "<u2"), syntax=true, PixelSpacing=["0.5", "0.7"])
    content = path.read_bytes()
    path.write_bytes(content.replace(true.encode(), said.encode()))
    assert np.array_equal(read_frame(path).pixels, values)
    header = read_header(path)
    assert (header.pixel_spacing_mm, header.transfer_syntax) == ((0.5, 0.7), true)
    assert [fault.about for fault in header.faults] == ["TransferSyntaxUID"]


# --- tables that cannot be read ---


@pytest.mark.parametrize("kept", [0, 100])
def test_a_broken_table_does_not_take_the_picture_away(write_dicom, kept):
    table = Dataset()
    if kept:
        table.add_new("LUTDescriptor", "US", [256, 0, 12])
        table.add_new("LUTData", "OW", bytes(kept))
    voi = write_dicom(
        RAMP8,
        name="voi.dcm",
        VOILUTSequence=Sequence([table]),
        WindowCenter="128",
        WindowWidth="256",
    )
    assert np.array_equal(to_display(read_frame(voi)), RAMP8)
    assert [fault.about for fault in read_frame(voi).faults] == ["VOILUTSequence"]
    modality = write_dicom(
        RAMP8,
        name="modality.dcm",
        ModalityLUTSequence=Sequence([table]),
        Modality="CT",
        WindowCenter="40",
        WindowWidth="9",
    )
    frame = read_frame(modality)
    assert np.array_equal(to_display(frame), RAMP8)
    assert (frame.units, [fault.about for fault in frame.faults]) == ("", ["ModalityLUTSequence"])
