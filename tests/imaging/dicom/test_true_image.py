"""Where a header contradicts its pixel data, the data decide, and a fault says so."""

from __future__ import annotations

import io
import struct

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSLossless,
    RLELossless,
)

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.dicom.pixel_data.encapsulated import facts_of
from clipsvd_app.imaging.display.greys import to_display
from clipsvd_app.imaging.facts import image_facts
from clipsvd_app.imaging.reading import read_frame, read_header, read_stored
from clipsvd_app.imaging.series.listing import list_series

PATCHES = np.repeat(np.array([[[200, 30, 30], [30, 180, 60], [60, 60, 220]]], np.uint8), 16, axis=1)
PATCHES = np.repeat(PATCHES, 16, axis=0)
RAMP = np.tile(np.arange(0, 1024, 16, dtype=np.uint16), (16, 1))


def jpeg(pixels, **options) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=95, **options)
    return stream.getvalue()


def without_marker(stream: bytes, marker: int) -> bytes:
    """Leave an application segment out of a JPEG stream."""
    at = stream.index(bytes((0xFF, marker)))
    (length,) = struct.unpack_from(">H", stream, at + 2)
    return stream[:at] + stream[at + 2 + length :]


def relabelled(content: bytes, true: str, said: str) -> bytes:
    """State another transfer syntax."""
    first, second = (
        b"\x02\x00\x10\x00UI"
        + struct.pack("<H", len(uid) + len(uid) % 2)
        + uid.encode()
        + b"\0" * (len(uid) % 2)
        for uid in (true, said)
    )
    assert first in content
    return content.replace(first, second)


def with_adobe(stream: bytes, transform: int) -> bytes:
    segment = b"\xff\xee\x00\x0eAdobe\x00\x64" + bytes((0, 0, 0, 0, transform))
    return stream[:2] + segment + stream[2:]


@pytest.fixture
def encoded(write_dicom):
    """Write frames that are compressed already."""

    def write(pixels, streams, syntax=JPEGBaseline8Bit, name="encoded.dcm", **elements):
        options = {key: elements.pop(key) for key in ("fragments_per_frame", "has_bot") if key in elements}
        path = write_dicom(np.asarray(pixels), name=name, **elements)
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.PixelData = encapsulate(streams, **options)
        dataset["PixelData"].is_undefined_length = True
        dataset.save_as(path)
        return path

    return write


def faults(path) -> list[tuple[str, str]]:
    return [(fault.code, fault.about) for fault in read_header(path).faults]


def contradicted(path) -> set[str]:
    return {about for code, about in faults(path) if code == "header_contradicted"}


def patches_of(path) -> np.ndarray:
    return read_frame(path).pixels[8, 8::16].astype(int)


def near_patches(path) -> bool:
    return bool(np.abs(patches_of(path) - PATCHES[8, 8::16]).max() <= 6)


# --- compressed colour ---


@pytest.mark.parametrize("sampling", [0, 2])
@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"PhotometricInterpretation": "YBR_FULL_422", "PlanarConfiguration": 1}, {"PlanarConfiguration"}),
        ({"PhotometricInterpretation": "RGB"}, {"PhotometricInterpretation"}),
        ({"PhotometricInterpretation": "YBR_FULL", "PlanarConfiguration": 0}, set()),
        (
            {"PhotometricInterpretation": "MONOCHROME2", "SamplesPerPixel": 1},
            {"PhotometricInterpretation", "SamplesPerPixel"},
        ),
    ],
)
def test_a_jpeg_stream_decides_over_its_header(encoded, sampling, said, wrong):
    path = encoded(PATCHES, [jpeg(PATCHES, subsampling=sampling)], **said)
    assert contradicted(path) == wrong
    assert near_patches(path)


def test_subsampled_chroma_is_no_rgb_even_without_a_marker(encoded):
    stream = without_marker(jpeg(PATCHES, subsampling=2), 0xE0)
    path = encoded(PATCHES, [stream], PhotometricInterpretation="RGB")
    assert contradicted(path) == {"PhotometricInterpretation"}
    assert near_patches(path)


def test_a_marker_that_says_rgb_is_believed(encoded):
    rgb = Image.fromarray(PATCHES)
    planes = Image.merge("YCbCr", rgb.split())  # RGB values stored as they are
    stream = io.BytesIO()
    planes.save(stream, "JPEG", quality=95, subsampling=0)
    marked = with_adobe(without_marker(stream.getvalue(), 0xE0), 0)
    path = encoded(PATCHES, [marked], PhotometricInterpretation="YBR_FULL_422")
    assert contradicted(path) == {"PhotometricInterpretation"}
    assert near_patches(path)
    plain = encoded(PATCHES, [without_marker(stream.getvalue(), 0xE0)], PhotometricInterpretation="RGB")
    assert contradicted(plain) == set()
    assert near_patches(plain)


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless, RLELossless])
@pytest.mark.parametrize("planar", [0, 1])
def test_planar_configuration_does_not_bear_on_a_codestream(write_dicom, syntax, planar):
    path = write_dicom(np.tile(PATCHES, (4, 2, 1)))
    dataset = pydicom.dcmread(path)
    dataset.compress(syntax, generate_instance_uid=False)
    dataset.PlanarConfiguration = planar
    dataset.save_as(path)
    assert np.array_equal(read_frame(path).pixels, np.tile(PATCHES, (4, 2, 1)))


def test_a_stream_of_grey_is_grey_whatever_is_said(encoded):
    grey = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (16, 1))
    path = encoded(
        grey, [jpeg(grey)], SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0
    )
    assert contradicted(path) == {"SamplesPerPixel", "PhotometricInterpretation"}
    assert np.abs(to_display(read_frame(path)).astype(int) - grey).max() <= 3


def test_the_size_of_the_stream_is_the_size_of_the_picture(encoded):
    grey = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (16, 1))
    path = encoded(grey, [jpeg(grey)], Rows=12, Columns=60)
    assert (read_header(path).rows, read_header(path).columns) == (16, 64)
    assert read_frame(path).pixels.shape == (16, 64)
    assert contradicted(path) == {"Rows", "Columns"}


@pytest.mark.parametrize("header_is_right", [True, False])
def test_exchanged_rows_and_columns_are_named_and_the_header_is_used(encoded, header_is_right):
    grey = np.full((16, 32), 20, np.uint8)
    grey[:, 16:] = 200
    path = encoded(grey, [jpeg(grey.reshape(32, 16) if header_is_right else grey.T.copy())])
    assert faults(path) == [("size_exchanged", "")]
    assert read_frame(path).pixels.shape == (16, 32)
    (sentence,) = (said for said in image_facts(path).flags if "Rows and columns" in said)
    assert "The header was used" in sentence


# --- precision and sign ---


def test_bits_that_the_stream_holds_are_not_cut_to_bits_stored(write_dicom):
    values = np.tile(np.arange(0, 4096, 64, dtype=np.uint16), (16, 1))
    path = write_dicom(values)
    dataset = pydicom.dcmread(path)
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    dataset.BitsStored, dataset.HighBit = 10, 9
    dataset.save_as(path)
    assert np.array_equal(read_stored(path)[0], values)
    assert ("header_contradicted", "BitsStored") in [(f.code, f.about) for f in read_frame(path).faults]


def test_a_stream_at_the_depth_of_its_container_is_a_habit_and_no_fault(write_dicom):
    path = write_dicom(np.tile(np.arange(0, 1024, 16, dtype=np.uint16), (64, 1)))
    dataset = pydicom.dcmread(path)
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.save_as(path)
    assert read_frame(path).faults == ()


def test_bits_allocated_that_the_length_rules_out_are_not_believed(write_dicom):
    grey = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (16, 1))
    path = write_dicom(grey, BitsAllocated=16, BitsStored=8, HighBit=7)
    assert np.array_equal(to_display(read_frame(path)), grey)
    assert contradicted(path) == {"BitsAllocated"}
    deep = write_dicom(RAMP, name="deep.dcm", BitsAllocated=8, BitsStored=12, HighBit=11)
    assert np.array_equal(read_frame(deep).pixels, RAMP)


def test_a_stream_that_says_signed_is_signed(write_dicom):
    values = np.tile(np.arange(-500, 500, 10, dtype=np.int16), (64, 1))
    path = write_dicom(values)
    dataset = pydicom.dcmread(path)
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    dataset.PixelRepresentation = 0
    dataset.save_as(path)
    assert contradicted(path) == {"PixelRepresentation"}
    assert np.array_equal(read_frame(path).pixels, values)


@pytest.mark.parametrize(
    ("values", "said", "extremes"),
    [
        (np.array([[-1000, 5], [20, 900]], np.int16), 0, (-1000, 900)),
        (np.array([[0, 40_000], [5, 6]], np.uint16), 1, (0, 40_000)),
    ],
)
def test_extremes_that_the_pixels_bear_out_prove_the_sign(write_dicom, values, said, extremes):
    path = write_dicom(values, PixelRepresentation=said)
    dataset = pydicom.dcmread(path)
    vr = "SS" if extremes[0] < 0 else "US"
    dataset.add_new("SmallestImagePixelValue", vr, extremes[0])
    dataset.add_new("LargestImagePixelValue", vr, extremes[1])
    dataset.save_as(path)
    assert contradicted(path) == {"PixelRepresentation"}
    assert np.array_equal(read_frame(path).pixels, values)


def test_extremes_that_the_pixels_do_not_bear_out_prove_nothing(write_dicom):
    values = np.array([[0, 60_000], [5, 6]], np.uint16)
    path = write_dicom(values)
    dataset = pydicom.dcmread(path)
    dataset.add_new("SmallestImagePixelValue", "SS", -5)
    dataset.add_new("LargestImagePixelValue", "SS", 100)
    dataset.save_as(path)
    assert contradicted(path) == set()
    assert read_frame(path).pixels.max() == 60_000


def test_a_jpeg_of_8_bits_has_no_sign(encoded):
    grey = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (16, 1))
    path = encoded(grey, [jpeg(grey)], PixelRepresentation=1)
    assert contradicted(path) == {"PixelRepresentation"}
    assert np.abs(to_display(read_frame(path)).astype(int) - grey).max() <= 3


def test_four_samples_are_refused_by_what_they_are(encoded):
    stream = io.BytesIO()
    Image.fromarray(PATCHES).convert("CMYK").save(stream, "JPEG")
    with pytest.raises(UserError) as refused:
        read_frame(encoded(PATCHES, [stream.getvalue()]))
    assert refused.value.code == "unsupported_pixels"


def test_values_beyond_bits_stored_are_said_to_be_cut(write_dicom):
    values = np.array([[-1000, 3000], [0, 100]], np.int16)
    path = write_dicom(values, BitsStored=12, HighBit=11)
    assert [fault.code for fault in read_frame(path).faults] == ["values_exceed_bits"]
    assert "beyond Bits Stored" in " ".join(image_facts(path).flags)
    (series,) = list_series([path]).series
    assert "beyond Bits Stored" in " ".join(flag.sentence for flag in series.flags)
    for legal in ([[-1000, 2000]], [[0x0FFF, 0x0800]], [[5, 6]]):
        within = write_dicom(np.array(legal, np.int16), name="within.dcm", BitsStored=12, HighBit=11)
        assert read_frame(within).faults == ()


# --- transfer syntaxes ---


@pytest.mark.parametrize("truly_implicit", [True, False])
def test_pixels_are_read_as_the_data_set_was_parsed(write_dicom, truly_implicit):
    true, said = (
        (ImplicitVRLittleEndian, ExplicitVRLittleEndian)
        if truly_implicit
        else (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
    )
    path = write_dicom(RAMP, syntax=true)
    path.write_bytes(relabelled(path.read_bytes(), true, said))
    assert np.array_equal(read_frame(path).pixels, RAMP)
    assert read_header(path).transfer_syntax == true
    assert contradicted(path) == {"TransferSyntaxUID"}
    assert np.array_equal(read_frame(path).pixels, RAMP)


def test_a_stream_is_decoded_as_what_it_is(encoded, write_dicom):
    path = encoded(PATCHES, [jpeg(PATCHES)], syntax=JPEG2000, PhotometricInterpretation="YBR_FULL_422")
    assert contradicted(path) == {"TransferSyntaxUID"}
    assert near_patches(path)
    native = encoded(
        PATCHES, [jpeg(PATCHES)], syntax=ExplicitVRLittleEndian, PhotometricInterpretation="YBR_FULL_422"
    )
    assert near_patches(native)


def test_a_bare_stream_of_explicit_length_is_read(write_dicom):
    stream = jpeg(PATCHES)
    data = stream + b"\0" * (len(stream) % 2)
    path = write_dicom(PATCHES, PhotometricInterpretation="YBR_FULL_422", PixelData=data)
    assert near_patches(path)
    path.write_bytes(relabelled(path.read_bytes(), ExplicitVRLittleEndian, JPEGBaseline8Bit))
    assert near_patches(path)
    assert contradicted(path) == set()


# --- length ---


def test_the_length_tells_whether_chroma_is_subsampled(write_dicom):
    y, cb, cr = np.full((4, 8), 90), np.full((4, 8), 100), np.full((4, 8), 210)
    ybr = np.stack([y, cb, cr], axis=-1).astype(np.uint8)
    full = write_dicom(ybr, name="full.dcm", PhotometricInterpretation="YBR_FULL_422")
    pairs = np.stack([y[:, ::2], y[:, 1::2], cb[:, ::2], cr[:, ::2]], axis=-1).astype(np.uint8)
    halved = write_dicom(
        ybr, name="half.dcm", PhotometricInterpretation="YBR_FULL", PixelData=pairs.tobytes()
    )
    for path in (full, halved):
        assert contradicted(path) == {"PhotometricInterpretation"}
        assert np.abs(read_frame(path).pixels.astype(int) - [205, 41, 40]).max() <= 1


@pytest.mark.parametrize("said", [1, 3, 5, 0])
def test_frames_are_counted_where_they_are(write_dicom, encoded, said):
    frames = np.stack([np.full((16, 16), 40 * (n + 1), np.uint8) for n in range(4)])
    native = write_dicom(frames, name="native.dcm", NumberOfFrames=said)
    streams = [jpeg(frame) for frame in frames]
    whole = encoded(frames, streams, name="whole.dcm", NumberOfFrames=said)
    split = encoded(
        frames, streams, name="split.dcm", fragments_per_frame=2, has_bot=False, NumberOfFrames=said
    )
    for path in (native, whole, split):
        header = read_header(path)
        assert header.frames == 4
        assert [read_frame(path, n).pixels.mean() for n in range(4)] == pytest.approx(
            [40, 80, 120, 160], abs=1
        )
        assert faults(path) == [("frames_miscounted", f"{max(1, said)} 4")]
        (series,) = list_series([path]).series
        assert "4 found" in " ".join(flag.sentence for flag in series.flags)


def test_padding_after_the_last_frame_is_no_frame(write_dicom):
    frame = np.full((8, 8), 7, np.uint8)
    blank = write_dicom(frame, name="blank.dcm", PixelData=frame.tobytes() + bytes(64))
    odd = write_dicom(frame, name="odd.dcm", PixelData=frame.tobytes() + b"\1" * 70)
    for path in (blank, odd):
        assert read_header(path).frames == 1
        assert faults(path) == []


def test_of_a_file_cut_off_the_whole_frames_are_kept_and_counted(write_dicom, encoded):
    frames = np.stack([np.full((16, 16), 40 * (n + 1), np.uint8) for n in range(4)])
    native = write_dicom(frames, name="native.dcm")
    compressed = encoded(frames, [jpeg(frame) for frame in frames])
    for path, kept in ((native, 3), (compressed, 3)):
        path.write_bytes(path.read_bytes()[:-40])
        header = read_header(path)
        assert header.frames == kept
        assert {code for code, _ in faults(path)} == {"cut_off", "frames_miscounted"}
        assert read_frame(path, kept - 1).pixels.mean() == pytest.approx(120, abs=1)


@pytest.mark.parametrize("padded", [False, True])
def test_single_bit_frames_follow_with_or_without_gaps(write_dicom, padded):
    bits = np.random.default_rng(2).integers(0, 2, (3, 5, 7), dtype=np.uint8)
    rows = [np.packbits(frame.reshape(-1), bitorder="little").tobytes() for frame in bits]
    data = b"".join(rows) if padded else np.packbits(bits.reshape(-1), bitorder="little").tobytes()
    path = write_dicom(
        bits, BitsAllocated=1, BitsStored=1, HighBit=0, PixelData=data + b"\0" * (len(data) % 2)
    )
    assert read_header(path).frames == 3
    for number in range(3):
        assert np.array_equal(read_frame(path, number).pixels, bits[number])
    assert np.array_equal(read_stored(path), bits)


# --- what is missing ---


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("", [("missing_value", "PhotometricInterpretation")]),
        ("monochrome2", []),
        ("MONOCHROME", []),
        ("Monochrome 2", []),
    ],
)
def test_one_sample_without_a_name_is_grey(write_dicom, said, wrong):
    window = {"WindowCenter": "512", "WindowWidth": "1024"}
    path = write_dicom(RAMP, PhotometricInterpretation="ABCDEFGHIJKL", **window)
    placeholder = b"CS\x0c\x00ABCDEFGHIJKL"
    path.write_bytes(path.read_bytes().replace(placeholder, b"CS\x0c\x00" + (said or "").ljust(12).encode()))
    assert faults(path) == wrong
    assert to_display(read_frame(path))[0].tolist() == np.rint(np.arange(0, 1024, 16) * 255 / 1023).tolist()


def test_a_palette_that_is_missing_is_no_damage(write_dicom):
    path = write_dicom(RAMP.astype(np.uint8), PhotometricInterpretation="PALETTE COLOR")
    with pytest.raises(UserError) as refused:
        read_frame(path)
    assert refused.value.code == "no_palette"


def test_colours_of_a_supplement_are_said_to_be_left_out(write_dicom):
    tables = {}
    for colour in ("Red", "Green", "Blue"):
        tables[f"{colour}PaletteColorLookupTableDescriptor"] = [4, 256, 16]
        tables[f"{colour}PaletteColorLookupTableData"] = bytes(8)
    path = write_dicom(RAMP, PixelPresentation="COLOR", **tables)
    assert ("colours_left_out", "") in faults(path)
    assert "Supplemental palette" in " ".join(image_facts(path).flags)


# --- byte order ---


def test_packed_values_of_8_bits_lie_in_swapped_words(write_dicom):
    grey = np.arange(16, dtype=np.uint8).reshape(2, 8)
    swapped = np.frombuffer(grey.tobytes(), "<u2").astype(">u2").tobytes()
    path = write_dicom(grey, syntax=ExplicitVRBigEndian, PixelData=swapped)
    dataset = pydicom.dcmread(path)
    dataset["PixelData"].VR = "OW"
    pydicom.dcmwrite(path, dataset, implicit_vr=False, little_endian=False, force_encoding=True)
    content = path.read_bytes()
    at = content.rindex(b"\x7f\xe0\x00\x10")
    if content[at + 12 :] != swapped:  # pydicom may have swapped them once more
        path.write_bytes(content[: at + 12] + swapped)
    assert np.array_equal(read_stored(path)[0], grey)


def test_packed_palettes_lie_in_swapped_words(write_dicom):
    entries = np.arange(0, 256, 16, dtype=np.uint8)
    packed = np.frombuffer(entries.tobytes(), "<u2").astype(">u2").tobytes()
    tables = {}
    for colour in ("Red", "Green", "Blue"):
        tables[f"{colour}PaletteColorLookupTableDescriptor"] = [16, 0, 8]
        tables[f"{colour}PaletteColorLookupTableData"] = packed
    indices = np.arange(16, dtype=np.uint8).reshape(1, 16)
    path = write_dicom(
        indices, syntax=ExplicitVRBigEndian, PhotometricInterpretation="PALETTE COLOR", **tables
    )
    assert read_frame(path).pixels[0, :, 0].tolist() == entries.tolist()


def test_deflated_pixels_go_the_same_way(write_dicom):
    path = write_dicom(RAMP, syntax=DeflatedExplicitVRLittleEndian, NumberOfFrames=3)
    assert faults(path) == [("frames_miscounted", "3 1")]
    assert np.array_equal(read_frame(path).pixels, RAMP)


# --- streams ---


@pytest.mark.parametrize("cut", range(0, 700, 7))
def test_a_stream_cut_anywhere_is_no_trap(cut):
    facts = facts_of(jpeg(PATCHES)[:cut])
    assert facts is None or (facts.rows, facts.columns) == (16, 48)


def test_a_12_bit_stream_beside_fewer_bits_keeps_its_range(bundled, tmp_path):
    dataset = pydicom.dcmread(bundled("JPGExtended.dcm"))
    assert dataset.file_meta.TransferSyntaxUID == JPEGExtended12Bit
    before = read_stored(bundled("JPGExtended.dcm"))
    dataset.BitsStored, dataset.HighBit = 8, 7
    path = tmp_path / "eight.dcm"
    dataset.save_as(path)
    assert contradicted(path) == {"BitsStored"}
    assert before.max() > 255
    assert np.array_equal(read_stored(path), before)
