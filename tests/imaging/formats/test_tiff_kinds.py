"""What a TIFF may be: any depth and layout, white at zero, pages without frames and frames without pages."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps
from support.tiffs import page, tiff

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.display.greys import to_display
from clipsvd_app.imaging.facts import image_facts
from clipsvd_app.imaging.reading import read_frame, read_header, read_stored

RAMP = np.arange(16 * 32).reshape(16, 32)
UNASSOCIATED = (3, [2])


@pytest.fixture
def write(tmp_path):
    def to_file(*pages, behind=b"", name="a.tif"):
        (tmp_path / name).write_bytes(tiff(*pages, behind=behind))
        return tmp_path / name

    return to_file


def notes(path):
    return {note.code: note.count for note in read_header(path).notes}


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "i1", "i2", "i4", "i8", "f2", "f4", "f8"])
def test_every_type_of_number_keeps_its_values(write, dtype):
    values = (RAMP % 120 - (0 if dtype[0] == "u" else 60)).astype(dtype)
    path = write(page(values))
    assert np.array_equal(read_stored(path)[0], values)
    assert read_stored(path).dtype.kind == dtype[0]
    assert np.array_equal(read_frame(path).pixels, values.astype(np.float32))


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "f4"])
@pytest.mark.parametrize("compression", [1, 8])
def test_zero_is_white_where_the_file_says_so_at_every_depth(write, dtype, compression):
    values = (RAMP // 4).astype(dtype)
    data = zlib.compress(values.tobytes()) if compression == 8 else None
    path = write(page(values, 0, data, t259=(3, [compression])))
    shown = to_display(read_frame(path))
    assert read_header(path).photometric == "MONOCHROME1"
    assert np.array_equal(read_stored(path)[0], values)
    assert shown[0, 0] == 255
    assert shown[-1, -1] < shown[0, 0]


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("form", ["group4", "packbits", "raw"])
def test_bitmaps_are_black_and_white_in_every_compression(tmp_path, photometric, form):
    ones = np.tile(np.arange(40) % 3 == 0, (12, 1))
    path = tmp_path / "bits.tif"
    Image.fromarray(ones).save(path, compression=form, tiffinfo={262: photometric})
    stored = read_stored(path)[0].astype(bool)
    assert np.array_equal(to_display(read_frame(path)) == 255, stored if photometric else ~stored)
    with Image.open(path) as image:
        assert np.array_equal(to_display(read_frame(path)) == 255, np.asarray(image))


@pytest.mark.parametrize("bits", [2, 4, 12])
def test_samples_that_share_bytes_are_unpacked(write, bits):
    values = RAMP % (1 << bits)
    ones = (values[:, :, np.newaxis] >> np.arange(bits - 1, -1, -1)) & 1
    data = np.packbits(ones.reshape(16, -1).astype(np.uint8), axis=1).tobytes()
    path = write(page(values.astype(np.uint16), 1, data, t258=(3, [bits])))
    assert np.array_equal(read_stored(path)[0], values)
    assert read_header(path).bits_stored == bits


def test_planes_and_tiles_make_the_same_picture(write):
    colours = np.random.default_rng(0).integers(0, 255, (16, 32, 3), np.uint8)
    tile = {"t322": (4, [16]), "t323": (4, [16])}
    parts = [colours[:, x : x + 16].tobytes() for x in (0, 16)]
    assert np.array_equal(read_frame(write(placed(colours, parts, **tile))).pixels, colours)
    parts = [colours[:, x : x + 16, plane].tobytes() for plane in range(3) for x in (0, 16)]
    assert np.array_equal(read_frame(write(placed(colours, parts, **tile, t284=(3, [2])))).pixels, colours)


def placed(colours, parts, **tags):
    """Return an RGB page of tiles, each written where it lies."""
    data, sizes = b"".join(parts), (4, [len(part) for part in parts])
    at = tiff(page(colours, 2, data, **tags, t324=sizes, t325=sizes)).index(data)
    offsets = (4, [at + len(parts[0]) * n for n in range(len(parts))])
    return page(colours, 2, data, **tags, t324=offsets, t325=sizes)


def test_predicted_differences_are_summed(write):
    values = (RAMP * 700).astype(np.uint16)
    rows = np.diff(values, axis=1, prepend=np.zeros((16, 1), np.uint16)).astype(np.uint16)
    path = write(page(values, 1, zlib.compress(rows.tobytes()), t259=(3, [8]), t317=(3, [2])))
    assert np.array_equal(read_stored(path)[0], values)


def test_deep_colour_is_shown_by_its_upper_bits_and_said(write):
    colours = np.stack([RAMP * 100, RAMP * 50, RAMP], -1).astype(np.uint16)
    path = write(page(colours, 2))
    assert np.array_equal(read_frame(path).pixels, (colours >> 8).astype(np.uint8))
    assert notes(path) == {"colour_depth": 1}


def test_transparency_lies_over_black_whatever_white_is(write):
    grey = np.array([[200, 255], [200, 0]], np.uint8).reshape(1, 2, 2)
    assert to_display(read_frame(write(page(grey, 1, t338=UNASSOCIATED)))).tolist() == [[200, 0]]
    assert to_display(read_frame(write(page(grey, 0, t338=UNASSOCIATED)))).tolist() == [[55, 0]]
    rgba = np.array([[[9, 90, 200, 255], [9, 90, 200, 0]]], np.uint8)
    assert read_frame(write(page(rgba, 2, t338=UNASSOCIATED))).pixels.tolist() == [[[9, 90, 200], [0, 0, 0]]]
    assert notes(write(page(rgba, 2))) == {"channels_left_out": 1}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pages_are_put_upright(write, orientation):
    path = write(page(RAMP.astype(np.uint8), 1, t274=(3, [orientation])))
    image = Image.fromarray(RAMP.astype(np.uint8))
    image.getexif()[274] = orientation
    shown = read_frame(path).pixels
    assert np.array_equal(shown, np.asarray(ImageOps.exif_transpose(image)))
    assert (read_header(path).rows, read_header(path).columns) == shown.shape


def test_unequal_resolutions_make_pixels_that_are_no_squares(write):
    path = write(page(RAMP.astype(np.uint8), 1, t282=(12, [300.0]), t283=(12, [150.0])))
    assert read_frame(path).limits.aspect == 2
    path = write(page(RAMP.astype(np.uint8), 1, t282=(12, [300.0]), t283=(12, [150.0]), t274=(3, [6])))
    assert read_frame(path).limits.aspect == 0.5


def test_a_pyramid_is_one_image_and_the_rest_is_counted(write):
    levels = [np.full((side, 2 * side), side, np.uint8) for side in (32, 16, 8)]
    path = write(*(page(level) for level in levels))
    header = read_header(path)
    assert (header.rows, header.columns, header.frames) == (32, 64, 1)
    assert notes(path) == {"pages_left_out": 2}
    facts = image_facts(path)
    assert "2 further pages" in facts.flags[0]
    with pytest.raises(UserError, match="1 frame"):
        read_frame(path, 1)


LABELS = {
    "aperio": {"t270": (2, b"Aperio Image Library v1\r\nlabel 32x16\0")},
    "aperio macro": {"t270": (2, b"Aperio Image Library v1\nmacro 32x16\0")},
    "no words": {"t254": (4, [9])},
    "philips": {"t270": (2, b"Macro -offset=(0,0)\0")},
    "ventana": {"t270": (2, b"Label_Image\0")},
    "akoya": {"t270": (2, b"<X><ImageType>Overview</ImageType></X>\0")},
    "hamamatsu": {"t65421": (12, [-1.0])},
    "page name": {"t285": (2, b"label\0")},
}


@pytest.mark.parametrize("scanner", LABELS)
def test_a_slides_label_is_never_a_frame_even_of_the_same_size(write, scanner):
    tissue, label = (
        page(np.full((16, 32), 9, np.uint8)),
        page(np.full((16, 32), 200, np.uint8), **LABELS[scanner]),
    )
    for pages in ((tissue, label), (label, tissue)):
        path = write(*pages)
        assert read_stored(path).shape[0] == 1
        assert (read_stored(path) == 9).all()
        assert notes(path) == {"slide_label_left_out": 1}
    with pytest.raises(UserError) as refused:
        read_header(write(label))
    assert refused.value.code == "slide_label"


def test_labels_named_in_xml_are_left_out(write):
    ome = (
        b'<OME><Image Name="slide [macro]"><Pixels><TiffData IFD="1"/></Pixels></Image>'
        b'<Image Name="slide"><Pixels><TiffData IFD="0"/></Pixels></Image></OME>\0'
    )
    leica = (
        b'<scn><collection sizeX="9" sizeY="5"><image><pixels><dimension ifd="1"/></pixels>'
        b'<view sizeX="9" sizeY="5"/></image></collection></scn>\0'
    )
    for text in (ome, leica):
        path = write(
            page(np.full((16, 32), 9, np.uint8), t270=(2, text)), page(np.full((16, 32), 200, np.uint8))
        )
        assert notes(path) == {"slide_label_left_out": 1}
        assert (read_stored(path) == 9).all()


def test_words_of_a_user_are_no_label(write):
    for words in (b"label: malignant\0", b"Macro photograph of a naevus\0"):
        assert read_header(write(page(RAMP.astype(np.uint8), t270=(2, words)))).frames == 1


@pytest.mark.parametrize(
    "text", [b"ImageJ=1.53t\nimages=4\nslices=4\n\0", b'{"shape": [4, 16, 32]}\0'], ids=["ImageJ", "tifffile"]
)
def test_slices_behind_one_directory_are_frames(write, text):
    stack = np.stack([(RAMP + 1000 * n).astype(np.uint16) for n in range(4)])
    path = write(page(stack[0], t270=(2, text)), behind=stack[1:].tobytes())
    assert read_header(path).frames == 4
    assert np.array_equal(read_stored(path), stack)
    assert np.array_equal(read_frame(path, 2).pixels, stack[2])
    path = write(page(stack[0], t270=(2, text)), behind=stack[1:3].tobytes())
    assert (read_header(path).frames, notes(path)) == (3, {"frames_missing": 1})


def test_pictures_that_nothing_names_are_counted(write):
    large = np.zeros((64, 64), np.uint16)
    assert notes(write(page(large), behind=bytes(3 * large.nbytes))) == {"unnamed_data": 3}
    assert notes(write(page(large), behind=bytes(500))) == {}


def test_a_thumbnail_of_the_same_size_is_no_frame(write):
    one = np.zeros((16, 32), np.uint8)
    assert notes(write(page(one), page(one, t254=(4, [1])), page(one))) == {"pages_left_out": 1}


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"t259": (3, [33005])}, "JPEG 2000 inside TIFF"),
        ({"t259": (3, [34887])}, "LERC"),
        ({"t259": (3, [6])}, "old-style JPEG"),
        ({"t259": (3, [9999])}, "compression 9999"),
        ({"t262": (3, [32803])}, "raw camera data"),
        ({"t339": (3, [6])}, "complex"),
    ],
)
def test_what_no_library_decodes_is_named_and_not_called_damaged(write, tags, reason):
    with pytest.raises(UserError, match=reason) as refused:
        read_header(write(page(RAMP.astype(np.uint16), **tags)))
    assert refused.value.code == "unsupported"
    assert refused.value.remedy


def test_channels_that_are_no_colours_are_named(write):
    with pytest.raises(UserError, match="5 channels"):
        read_header(write(page(np.zeros((16, 32, 5), np.uint16))))


def test_a_directory_that_turns_in_circles_ends(tmp_path, write):
    path = write(page(RAMP.astype(np.uint8)), page(RAMP.astype(np.uint8)))
    content = bytearray(path.read_bytes())
    second = int.from_bytes(content[8 + 2 + 120 : 8 + 2 + 124], "little")
    content[second + 2 + 120 : second + 2 + 124] = (8).to_bytes(4, "little")
    path.write_bytes(content)
    assert read_header(path).frames == 2
