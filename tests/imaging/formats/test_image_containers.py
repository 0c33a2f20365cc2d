"""Rules of display for every container: orientation, depth, transparency, aspect, what is left out."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.display.greys import to_display
from clipsvd_app.imaging.facts import image_facts
from clipsvd_app.imaging.reading import read_frame, read_header, read_stored
from clipsvd_app.imaging.signature import sniff

COLOURS = np.zeros((20, 30, 3), np.uint8)
COLOURS[:10, :15] = (250, 20, 20)
COLOURS[10:, :15] = (20, 250, 20)
COLOURS[:10, 15:] = (20, 20, 250)
GREYS = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (16, 1))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(samples: np.ndarray, colour: int, *behind: bytes) -> bytes:
    """Write a PNG of 16 or 8 bits. samples: (rows, columns, samples)."""
    rows, columns = samples.shape[:2]
    head = struct.pack(">IIBBBBB", columns, rows, 8 * samples.dtype.itemsize, colour, 0, 0, 0)
    lines = b"".join(b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes() for row in samples)
    pixels = chunk(b"IDAT", zlib.compress(lines))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + pixels + b"".join(behind) + chunk(b"IEND", b"")


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[274] = orientation
    return exif


def notes(path):
    return {note.code: note.count for note in read_header(path).notes}


@pytest.mark.parametrize("form", ["JPEG", "MPO", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", [3, 5, 6, 8])
def test_a_picture_is_put_upright_whatever_its_container(tmp_path, form, orientation):
    image, exif = Image.fromarray(COLOURS), exif_of(orientation)
    options = (
        {"lossless": True}
        if form == "WEBP"
        else {"quality": 95, "subsampling": 0}
        if form in "JPEGMPO"
        else {}
    )
    if form == "MPO":
        options |= {"save_all": True, "append_images": [image.resize((15, 10))]}
    path = tmp_path / "phone"
    image.save(path, form, exif=exif, **options)
    image.getexif()[274] = orientation
    upright = np.asarray(ImageOps.exif_transpose(image)).astype(int)
    shown = read_frame(path).pixels
    assert shown.shape == upright.shape == (read_header(path).rows, read_header(path).columns, 3)
    assert np.abs(shown - upright).max() <= 20
    assert notes(path) == ({"previews_left_out": 1} if form == "MPO" else {})


def test_a_png_says_how_it_was_held_behind_its_pixels_too(tmp_path):
    path = tmp_path / "late.png"
    path.write_bytes(png(COLOURS, 2, chunk(b"eXIf", exif_of(6).tobytes().removeprefix(b"Exif\0\0"))))
    assert read_frame(path).pixels.shape == (30, 20, 3)
    assert np.array_equal(read_frame(path).pixels, np.rot90(COLOURS, -1))


def test_grey_keeps_its_depth_beside_transparency(tmp_path):
    grey = np.arange(64, dtype=np.uint16).reshape(4, 16) * 1000
    alpha = np.full_like(grey, 65535)
    alpha[0] = 0
    path = tmp_path / "la.png"
    path.write_bytes(png(np.stack([grey, alpha], -1), 4))
    assert read_header(path).bits_stored == 16
    assert read_header(path).photometric == "MONOCHROME2"
    assert np.array_equal(read_stored(path)[0], np.stack([grey, alpha], -1))
    assert np.array_equal(read_frame(path).pixels[1:], grey[1:])
    assert not read_frame(path).pixels[0].any()


@pytest.mark.parametrize("colour", [2, 6])
def test_colour_of_sixteen_bits_is_shown_in_eight_and_said(tmp_path, colour):
    samples = np.full((4, 8, 3 if colour == 2 else 4), 65535, np.uint16)
    samples[..., 0] = 0x1234
    path = tmp_path / "deep.png"
    path.write_bytes(png(samples, colour))
    assert read_frame(path).pixels[0, 0].tolist() == [0x12, 255, 255]
    assert notes(path) == {"colour_depth": 1}


@pytest.mark.parametrize("name", ["a.pgm", "a.gif", "a.jp2", "a.j2k", "a.webp"])
def test_grey_pictures_of_public_data_sets_are_read(tmp_path, name):
    path = tmp_path / name
    Image.fromarray(GREYS).save(path, **({"lossless": True} if name == "a.webp" else {}))
    shown = to_display(read_frame(path))
    assert np.array_equal(shown if shown.ndim == 2 else shown[:, :, 1], GREYS)


@pytest.mark.parametrize("name", ["a.ppm", "a.jp2", "a.webp"])
def test_colour_pictures_of_public_data_sets_are_read(tmp_path, name):
    path = tmp_path / name
    Image.fromarray(COLOURS).save(path, **({"lossless": True} if name == "a.webp" else {}))
    assert np.array_equal(read_frame(path).pixels, COLOURS)


@pytest.mark.parametrize(
    ("content", "stored", "shown"),
    [
        (b"P1\n# bits\n3 1\n010", [[0, 1, 0]], [[255, 0, 255]]),
        (b"P4 3 1\n\x40", [[0, 1, 0]], [[255, 0, 255]]),
        (b"P2\n3 1 # of 100\n100\n0 50 100\n", [[0, 50, 100]], [[0, 128, 255]]),
        (b"P5 3 1 255\n\x00\x50\xff", [[0, 80, 255]], [[0, 80, 255]]),
        (b"P5 3 1 4095\n\x00\x00\x08\x00\x0f\xff", [[0, 2048, 4095]], None),
        (b"P3 1 1 255 9 8 7", [[[9, 8, 7]]], [[[9, 8, 7]]]),
        (b"P6 1 1 1023\n\x03\xff\x00\x00\x01\xff", [[[1023, 0, 511]]], [[[255, 0, 127]]]),
    ],
)
def test_netpbm_pictures_keep_their_values_and_show_their_white(tmp_path, content, stored, shown):
    path = tmp_path / "a.pnm"
    path.write_bytes(content)
    assert read_stored(path)[0].tolist() == stored
    if shown is not None:
        assert to_display(read_frame(path)).tolist() == shown
    assert to_display(read_frame(path)).max() == 255 or len(content) < 20


def test_chained_netpbm_pictures_are_counted(tmp_path):
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 2 1 255\n\x01\x02" * 3)
    assert notes(path) == {"pages_left_out": 2}


def test_deep_jpeg_2000_keeps_its_values(tmp_path):
    deep = np.arange(32 * 32, dtype=np.uint16).reshape(32, 32) * 60
    Image.fromarray(deep).save(tmp_path / "deep.jp2")
    assert np.array_equal(read_frame(tmp_path / "deep.jp2").pixels, deep)
    assert read_header(tmp_path / "deep.jp2").bits_stored == 16


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_pictures_of_an_animation_are_frames(tmp_path, name):
    pictures = [Image.fromarray(np.full((8, 9, 3), value, np.uint8)) for value in (0, 90, 250)]
    options = {"lossless": True} if name == "a.webp" else {}
    pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:], duration=40, **options)
    path = tmp_path / name
    assert read_header(path).frames == 3
    assert [int(read_frame(path, n).pixels[4, 4, 0]) for n in (2, 0, 2, 1)] == [250, 0, 250, 90]
    assert [read_stored(path)[:, 4, 4, 0].tolist() for _ in range(3)] == [[0, 90, 250]] * 3


def test_pictures_that_an_animation_only_claims_are_counted(tmp_path):
    path = tmp_path / "a.png"
    pictures = [Image.fromarray(np.full((8, 9, 3), value, np.uint8)) for value in (0, 90)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=40)
    content = path.read_bytes()
    at = content.index(b"acTL")
    claimed = chunk(b"acTL", struct.pack(">I", 50) + content[at + 8 : at + 12])
    path.write_bytes(content[: at - 4] + claimed + content[at + 16 :])
    assert read_header(path).frames == 2
    assert notes(path) == {"frames_missing": 48}


@pytest.mark.parametrize(("name", "aspect"), [("a.png", 2.0), ("a.jpg", 2.0), ("a.bmp", 2.0), ("a.tif", 2.0)])
def test_pixels_are_as_high_as_two_resolutions_make_them(tmp_path, name, aspect):
    Image.fromarray(GREYS).save(tmp_path / name, dpi=(200, 100))
    assert read_frame(tmp_path / name).limits.aspect == pytest.approx(aspect, rel=0.01)
    Image.fromarray(GREYS).save(tmp_path / name, dpi=(96, 96))
    assert read_frame(tmp_path / name).limits.aspect == 1


def test_a_jpeg_of_inks_is_shown_and_said(tmp_path):
    Image.fromarray(COLOURS).convert("CMYK").save(tmp_path / "inks.jpg")
    assert read_frame(tmp_path / "inks.jpg").pixels.shape == (20, 30, 3)
    assert notes(tmp_path / "inks.jpg") == {"colour_profile": 1}


def test_lab_colours_are_shown(tmp_path):
    lab = np.zeros((4, 4, 3), np.uint8)
    lab[..., 0] = 255
    Image.fromarray(lab, mode="LAB").save(tmp_path / "lab.tif")
    assert read_frame(tmp_path / "lab.tif").pixels.min() >= 250
    assert notes(tmp_path / "lab.tif") == {"colour_profile": 1}


@pytest.mark.parametrize(
    ("marker", "bits", "reason"),
    [
        (0xC3, 8, "lossless JPEG"),
        (0xF7, 8, "JPEG-LS"),
        (0xC1, 12, "JPEG of 12 bits"),
        (0xC7, 8, "hierarchical"),
    ],
)
def test_a_jpeg_that_is_not_decoded_is_named(tmp_path, marker, bits, reason):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff\xd8\xff" + bytes([marker]) + struct.pack(">HBHHB", 11, bits, 8, 8, 1) + bytes(99))
    with pytest.raises(UserError, match=reason) as refused:
        read_header(path)
    assert refused.value.code == "unsupported"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(40), "HEIC"),
        (b"8BPS\0\x01" + bytes(40), "Photoshop"),
        (b"P7\nWIDTH 1\n", "PAM"),
        (b"RIFF\0\0\0\0AVI " + bytes(40), "video"),
        (b"\x89HDF\r\n\x1a\n" + bytes(40), "HDF5"),
        (b"\x5c\x01\0\0" + bytes(400), "Analyze"),
    ],
)
def test_other_files_are_refused_by_what_they_are(tmp_path, content, what):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(UserError, match=what):
        sniff(tmp_path / "x")


def test_facts_say_what_is_left_out(tmp_path):
    image = Image.fromarray(COLOURS)
    image.save(tmp_path / "p.jpg", "MPO", save_all=True, append_images=[image])
    assert "1 further image" in image_facts(tmp_path / "p.jpg").flags[0]
