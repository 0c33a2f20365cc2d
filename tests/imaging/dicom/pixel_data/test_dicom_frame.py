"""From stored values to pixels ready to window."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian

from clipsvd_app.domain.view import Window
from clipsvd_app.errors import UserError
from clipsvd_app.imaging.display.greys import to_display
from clipsvd_app.imaging.reading import read_frame

RAMP = np.arange(16, dtype=np.uint16).reshape(4, 4)


def item(**elements) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def lut_item(
    first: int, entries: list[int], bits: int, *, packed: bool = False, first_vr: str = "US"
) -> Dataset:
    made = Dataset()
    made.add_new("LUTDescriptor", first_vr, [len(entries), first, bits])
    if packed:
        made.add_new("LUTData", "OW", np.asarray(entries, "<u2").tobytes())
    else:
        made.add_new("LUTData", "US", entries)
    return made


def test_rescale_gives_hounsfield_units(write_dicom):
    path = write_dicom(
        RAMP, Modality="CT", RescaleSlope="2", RescaleIntercept="-1024", WindowCenter="40", WindowWidth="400"
    )
    frame = read_frame(path)
    assert frame.units == "HU"
    assert frame.pixels.dtype == np.float32
    assert np.array_equal(frame.pixels, RAMP * 2.0 - 1024)
    assert frame.window == Window(40.0, 400.0)


@pytest.mark.parametrize("packed", [False, True])
def test_a_modality_lut_replaces_the_rescale(write_dicom, packed):
    table = lut_item(4, [100, 200, 300, 400], 16, packed=packed)
    frame = read_frame(write_dicom(RAMP, ModalityLUTSequence=Sequence([table])))
    assert frame.pixels[0].tolist() == [100, 100, 100, 100]
    assert frame.pixels[1].tolist() == [100, 200, 300, 400]
    assert frame.pixels[3].tolist() == [400] * 4


def test_a_lut_of_signed_pixels_starts_below_zero(write_dicom):
    table = lut_item(-2, [7, 8, 9, 10], 16, first_vr="SS")
    frame = read_frame(
        write_dicom(np.array([[-3, -2, 0, 1]], np.int16), ModalityLUTSequence=Sequence([table]))
    )
    assert frame.pixels.tolist() == [[7, 7, 9, 10]]


def test_a_voi_lut_is_shown_where_there_is_no_window(write_dicom):
    table = lut_item(0, [0] * 8 + [255] * 8, 8)
    path = write_dicom(RAMP, VOILUTSequence=Sequence([table]))
    frame = read_frame(path)
    assert np.array_equal(frame.pixels, RAMP)
    assert to_display(frame).tolist() == [[0] * 4] * 2 + [[255] * 4] * 2
    assert to_display(frame, Window(8, 16)).tolist() != to_display(frame).tolist()


def test_a_window_goes_before_a_voi_lut(write_dicom):
    table = lut_item(0, [255] * 16, 8)
    frame = read_frame(
        write_dicom(RAMP, VOILUTSequence=Sequence([table]), WindowCenter="8", WindowWidth="16")
    )
    assert to_display(frame)[0, 0] == 0
    assert (to_display(frame, dict(frame.presets)["Table 1"]) == 255).all()


def test_the_first_of_several_windows_is_the_default_and_the_others_are_presets(write_dicom):
    path = write_dicom(RAMP, WindowCenter=["5", "9"], WindowWidth=["10", "3"], VOILUTFunction="SIGMOID")
    frame = read_frame(path)
    assert frame.window == Window(5.0, 10.0, "SIGMOID")
    assert ("As stored 2", Window(9.0, 3.0, "SIGMOID")) in frame.presets


@pytest.mark.parametrize("width", ["0", "-4"])
def test_a_window_that_the_standard_forbids_is_passed_over(write_dicom, width):
    path = write_dicom(RAMP, Modality="CT", RescaleIntercept="0", WindowCenter="5", WindowWidth=width)
    frame = read_frame(path)
    assert frame.window == Window(40.0, 400.0)


def test_monochrome1_is_shown_inverted(write_dicom):
    frame = read_frame(write_dicom(RAMP.astype(np.uint8) * 17, PhotometricInterpretation="MONOCHROME1"))
    assert frame.inverted
    assert to_display(frame)[0, 0] == 255
    assert to_display(frame)[3, 3] == 0


def test_padding_is_black_even_where_the_picture_is_inverted(write_dicom):
    path = write_dicom(
        RAMP,
        PhotometricInterpretation="MONOCHROME1",
        PixelPaddingValue=0,
        RescaleSlope="1",
        RescaleIntercept="-10",
    )
    frame = read_frame(path)
    assert frame.padding == -10.0
    shown = to_display(frame)
    assert shown[0, 0] == 0
    assert shown[0, 1] == 255


def test_a_padding_range_is_black_from_end_to_end(write_dicom):
    path = write_dicom(
        RAMP, PixelPaddingValue=12, PixelPaddingRangeLimit=15, WindowCenter="2", WindowWidth="4"
    )
    assert to_display(read_frame(path))[3].tolist() == [0, 0, 0, 0]
    assert to_display(read_frame(path))[2].tolist() == [255] * 4


def test_a_padding_value_of_the_wrong_sign_is_understood(write_dicom):
    pixels = np.array([[-2000, 0, 100]], np.int16)
    path = write_dicom(pixels, Modality="CT")
    content = path.read_bytes()
    marker = b"\x28\x00\x03\x01SS\x02\x00"
    unsigned_padding = b"\x28\x00\x20\x01US\x02\x00" + (63536).to_bytes(2, "little")
    at = content.find(b"\x28\x00\x03\x01US") + 10
    assert marker not in content
    path.write_bytes(content[:at] + unsigned_padding + content[at:])
    assert read_frame(path).padding == -2000.0


def test_a_palette_is_shown_in_its_colours(write_dicom):
    descriptor = [4, 0, 16]
    tables = {"Red": [0, 65535, 0, 0], "Green": [0, 0, 65535, 0], "Blue": [0, 0, 0, 65535]}
    elements = {}
    for colour, entries in tables.items():
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = descriptor
        elements[f"{colour}PaletteColorLookupTableData"] = np.asarray(entries, "<u2").tobytes()
    path = write_dicom(
        np.array([[0, 1, 2, 9]], np.uint8), PhotometricInterpretation="PALETTE COLOR", **elements
    )
    assert read_frame(path).pixels.tolist() == [[[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]]]


def test_a_segmented_palette_draws_its_lines(write_dicom):
    elements = {}
    for colour in ("Red", "Green", "Blue"):
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [5, 0, 16]
        segments = [0, 1, 0, 1, 4, 65280]  # one entry 0, then a line of four entries up to 0xFF00
        elements[f"Segmented{colour}PaletteColorLookupTableData"] = np.asarray(segments, "<u2").tobytes()
    path = write_dicom(
        np.array([[0, 1, 2, 3, 4]], np.uint8), PhotometricInterpretation="PALETTE COLOR", **elements
    )
    assert read_frame(path).pixels[0, :, 0].tolist() == [0, 63, 127, 191, 255]


def test_wide_colours_are_shown_in_eight_bits(write_dicom):
    rgb = np.array([[[0, 32768, 65535]]], np.uint16)
    assert read_frame(write_dicom(rgb)).pixels.tolist() == [[[0, 128, 255]]]


def test_big_endian_tables_are_read_in_their_byte_order(write_dicom):
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [4, 0, 16])
    table.add_new("LUTData", "OW", np.asarray([1, 2, 3, 4], ">u2").tobytes())
    pixels = np.array([[0, 1, 2, 3]], ">u2")
    path = write_dicom(pixels, syntax=ExplicitVRBigEndian, ModalityLUTSequence=Sequence([table]))
    assert read_frame(path).pixels.tolist() == [[1, 2, 3, 4]]


def test_an_enhanced_object_has_its_own_values_for_each_frame(write_dicom):
    def groups(slope: str, centre: str) -> Dataset:
        return item(
            PixelValueTransformationSequence=Sequence(
                [item(RescaleSlope=slope, RescaleIntercept="0", RescaleType="US")]
            ),
            FrameVOILUTSequence=Sequence([item(WindowCenter=centre, WindowWidth="50")]),
        )

    shared = item(PixelMeasuresSequence=Sequence([item(PixelSpacing=["0.5", "0.25"])]))
    path = write_dicom(
        np.stack([RAMP, RAMP]),
        SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=Sequence([groups("1", "10"), groups("3", "30")]),
    )
    first, second = read_frame(path, 0), read_frame(path, 1)
    assert (first.window.centre, second.window.centre) == (10.0, 30.0)
    assert np.array_equal(second.pixels, RAMP * 3.0)
    assert second.units == "US"
    assert second.pixel_spacing_mm == (0.5, 0.25)


def test_a_colour_space_that_cannot_be_shown_is_refused_by_name(write_dicom):
    path = write_dicom(np.zeros((2, 2, 3), np.uint8), PhotometricInterpretation="HSV")
    with pytest.raises(UserError, match="HSV"):
        read_frame(path)


def test_a_broken_number_in_the_header_does_not_hide_the_picture(write_dicom):
    path = write_dicom(RAMP, WindowCenter="40", WindowWidth="400")
    path.write_bytes(path.read_bytes().replace(b"DS\x04\x00400 ", b"DS\x04\x00wide"))
    assert read_frame(path).pixels.shape == (4, 4)
