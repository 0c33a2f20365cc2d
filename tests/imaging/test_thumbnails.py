from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.facts import image_facts
from clipsvd_app.imaging.files.hashes import file_sha256, hash_distance, perceptual_hash
from clipsvd_app.imaging.thumbnails import thumbnail

_Y, _X = np.mgrid[-1:1:200j, -1:1:300j]
SCENE = (128 + 60 * np.sin(3 * _X + _Y) + 60 * np.cos(4 * _Y * _X + 1)).astype(np.uint8)


def test_a_thumbnail_keeps_the_proportions_and_fits_its_side(tmp_path):
    Image.fromarray(SCENE).save(tmp_path / "a.png")
    small = thumbnail(tmp_path / "a.png", 0, 60, cache_folder=tmp_path / "cache")
    assert small.shape == (40, 60, 3)
    assert small.dtype == np.uint8


def test_a_kept_thumbnail_is_the_one_that_was_made(tmp_path):
    Image.fromarray(SCENE).save(tmp_path / "a.png")
    made = thumbnail(tmp_path / "a.png", 0, cache_folder=tmp_path / "cache")
    kept = list((tmp_path / "cache").rglob("*.png"))
    assert len(kept) == 1
    assert np.array_equal(thumbnail(tmp_path / "a.png", 0, cache_folder=tmp_path / "cache"), made)
    kept[0].write_bytes(b"not a picture")
    assert np.array_equal(thumbnail(tmp_path / "a.png", 0, cache_folder=tmp_path / "cache"), made)


def test_the_cache_holds_pixels_and_nothing_that_names_the_patient(write_dicom, tmp_path):
    path = write_dicom(
        SCENE.astype(np.uint16), name="doe_jane.dcm", PatientName="Doe^Jane", PatientID="12345678"
    )
    thumbnail(path, 0, cache_folder=tmp_path / "cache")
    for kept in (tmp_path / "cache").rglob("*"):
        assert "doe" not in kept.name
        if kept.is_file():
            assert b"Doe" not in kept.read_bytes()
            with Image.open(kept) as image:
                assert not image.info


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path):
    Image.fromarray(SCENE).save(tmp_path / "a.png")
    (tmp_path / "cache").write_text("a file in the folder's place")
    assert thumbnail(tmp_path / "a.png", 0, cache_folder=tmp_path / "cache").shape[2] == 3


def test_a_thumbnail_of_no_image_is_refused(tmp_path):
    with pytest.raises(UserError):
        thumbnail(tmp_path / "gone.png", 0, cache_folder=tmp_path)


def test_near_duplicates_have_near_hashes_and_other_pictures_far_ones():
    brighter = np.clip(SCENE.astype(int) + 3, 0, 255).astype(np.uint8)
    smaller = np.asarray(Image.fromarray(SCENE).resize((151, 101)))
    other = np.random.default_rng(1).integers(0, 255, SCENE.shape, np.uint8)
    assert 0 <= perceptual_hash(SCENE) < 2**64
    assert hash_distance(perceptual_hash(SCENE), perceptual_hash(brighter)) <= 6
    assert hash_distance(perceptual_hash(SCENE), perceptual_hash(smaller)) <= 6
    assert hash_distance(perceptual_hash(SCENE), perceptual_hash(other)) >= 12


def test_grey_and_its_rgb_copy_have_the_same_hash():
    assert perceptual_hash(SCENE) == perceptual_hash(np.repeat(SCENE[..., np.newaxis], 3, axis=2))


def test_a_file_hash_is_that_of_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert file_sha256(tmp_path / "a").startswith("ba7816bf8f01cfea")
    with pytest.raises(UserError):
        file_sha256(tmp_path)


def test_the_facts_of_a_file_are_of_its_stored_array(write_dicom):
    import hashlib

    pixels = np.arange(24, dtype=np.int16).reshape(2, 3, 4) - 3
    path = write_dicom(
        pixels, Modality="CT", RescaleSlope="2", RescaleIntercept="5", WindowCenter="1", WindowWidth="9"
    )
    facts = image_facts(path, 1)
    assert facts.sha256 == hashlib.sha256(pixels.tobytes()).hexdigest()
    assert (facts.rows, facts.columns, facts.frames, facts.dtype) == (3, 4, 2, "int16")
    assert (facts.min, facts.max) == (-3, 20)
    assert (facts.window.centre, facts.window.width, facts.window.function) == (1.0, 9.0, "LINEAR")


def test_a_picture_put_in_the_place_of_another_gets_a_thumbnail_of_its_own(tmp_path):
    cache, file = tmp_path / "cache", tmp_path / "a.png"
    Image.fromarray(SCENE).save(file)
    first = thumbnail(file, 0, cache_folder=cache)
    Image.fromarray(255 - SCENE).save(file)
    assert not np.array_equal(thumbnail(file, 0, cache_folder=cache), first)


def test_a_newer_reader_takes_no_thumbnail_of_an_older_one(tmp_path, monkeypatch):
    cache, file = tmp_path / "cache", tmp_path / "a.png"
    Image.fromarray(SCENE).save(file)
    thumbnail(file, 0, cache_folder=cache)
    monkeypatch.setattr("clipsvd_app.imaging.thumbnails.PIXELS_VERSION", 999)
    thumbnail(file, 0, cache_folder=cache)
    assert len(list(cache.rglob("*.png"))) == 2
