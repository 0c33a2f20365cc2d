from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.display.greys import to_display
from clipsvd_app.imaging.reading import read_frame, read_header, read_stored

GREYS = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20


def save(path, array, mode=None, **options):
    image = Image.fromarray(array)
    (image if mode is None else image.convert(mode)).save(path, **options)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif"])
def test_eight_bit_greys_are_exact(tmp_path, name):
    path = save(tmp_path / name, GREYS)
    assert np.array_equal(read_stored(path), GREYS[np.newaxis])
    assert np.array_equal(to_display(read_frame(path)), GREYS)


@pytest.mark.parametrize("name", ["deep.png", "deep.tif"])
def test_sixteen_bits_keep_their_depth(tmp_path, name):
    deep = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    path = save(tmp_path / name, deep)
    assert read_header(path).bits_stored == 16
    assert read_stored(path).dtype == np.dtype("<u2")
    assert np.array_equal(read_stored(path)[0], deep)
    assert np.array_equal(read_frame(path).pixels, deep)


def test_float_tiff_keeps_its_values(tmp_path):
    values = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    assert np.array_equal(read_frame(save(tmp_path / "f.tif", values)).pixels, values)


def test_a_jpeg_is_turned_upright_for_showing_and_stored_as_it_lies(tmp_path):
    image = Image.fromarray(np.tile(GREYS, (8, 8)))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    header, frame = read_header(tmp_path / "turned.jpg"), read_frame(tmp_path / "turned.jpg")
    assert (header.rows, header.columns) == (32, 24) == frame.pixels.shape
    stored = read_stored(tmp_path / "turned.jpg")
    assert stored.shape == (1, 24, 32)
    assert np.array_equal(np.rot90(stored[0], -1), frame.pixels)


def test_a_palette_is_stored_as_indices_and_shown_in_colour(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8), mode=None).convert("P")
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.save(tmp_path / "p.png")
    assert read_header(tmp_path / "p.png").photometric == "PALETTE COLOR"
    assert read_stored(tmp_path / "p.png").tolist() == [[[0, 1]]]
    assert read_frame(tmp_path / "p.png").pixels.tolist() == [[[255, 0, 0], [0, 0, 255]]]


def test_transparency_is_flattened_onto_black(tmp_path):
    rgba = np.array([[[200, 100, 50, 255], [200, 100, 50, 0]]], np.uint8)
    path = save(tmp_path / "a.png", rgba)
    assert read_stored(path).shape == (1, 1, 2, 4)
    assert read_frame(path).pixels.tolist() == [[[200, 100, 50], [0, 0, 0]]]
    grey = np.array([[[200, 255], [200, 0]]], np.uint8)
    assert read_frame(save(tmp_path / "la.png", grey)).pixels.tolist() == [[200.0, 0.0]]


def test_black_and_white_pictures_show_black_and_white(tmp_path):
    path = save(tmp_path / "1.png", np.array([[0, 255]], np.uint8), mode="1")
    assert read_stored(path).tolist() == [[[0, 1]]]
    assert to_display(read_frame(path)).tolist() == [[0, 255]]


def test_pages_of_a_tiff_are_frames(tmp_path):
    pages = [Image.fromarray(GREYS + n) for n in range(3)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    header = read_header(tmp_path / "pages.tif")
    assert header.frames == 3
    assert header.transfer_syntax == "TIFF tiff_lzw"
    assert np.array_equal(read_frame(tmp_path / "pages.tif", 2).pixels, GREYS + 2)
    assert read_stored(tmp_path / "pages.tif").shape == (3, 3, 4)


@pytest.mark.parametrize("name", ["cut.png", "cut.jpg", "cut.tif", "cut.bmp"])
def test_a_truncated_picture_is_refused_with_a_remedy(tmp_path, name):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    path = save(tmp_path / name, noise)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(UserError) as refused:
        read_frame(path)
    assert refused.value.code == "damaged"
    assert refused.value.message.startswith(name)
    assert refused.value.remedy


def test_a_picture_bomb_is_refused_before_it_is_decoded(tmp_path):
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side in (10_000, 60_000):
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
        path = tmp_path / f"bomb{side}.png"
        path.write_bytes(
            b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
        )
        with pytest.raises(UserError, match="exceeds 64 megapixels"):
            read_header(path)


def test_a_frame_that_a_picture_does_not_have_is_refused(tmp_path):
    with pytest.raises(UserError, match="1 frame"):
        read_frame(save(tmp_path / "a.png", GREYS), 1)
