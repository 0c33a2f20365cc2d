"""Facts about the letters at the edges of a picture and where a frame says that it lies."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from support.dicom_variants import described, item
from support.films import ct_slices

from clipsvd_app.imaging.display.sides import edges_along, edges_of_terms, letters_towards
from clipsvd_app.imaging.reading import read_frame, read_header
from clipsvd_app.imaging.series.volume import read_stack

OBLIQUE = (np.cos(0.5), -np.sin(0.5), 0.0)


def written(path, **elements):
    dataset = described(np.zeros((1, 4, 6), np.uint8))
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path, enforce_file_format=True)
    return read_frame(path).place


def test_an_axis_of_the_patient_has_one_letter_and_an_oblique_one_more():
    assert letters_towards((1, 0, 0)) == "L"
    assert letters_towards((-1, 0, 0)) == "R"
    assert letters_towards(OBLIQUE) == "LA"
    assert letters_towards((0.3, 0.4, 0.87)) == "HPL"
    assert letters_towards((0.999, 0.02, 0.04)) == "L"  # written with few digits


@pytest.mark.parametrize(
    ("row", "column", "edges"),
    [
        ((1, 0, 0), (0, 1, 0), ("R", "A", "L", "P")),
        ((1, 0, 0), (0, 0, -1), ("R", "H", "L", "F")),
        ((0, 1, 0), (0, 0, -1), ("A", "H", "P", "F")),
        (OBLIQUE, (0, 0, -1), ("RP", "H", "LA", "F")),
    ],
)
def test_the_sides_of_a_plane_face_each_other(row, column, edges):
    assert edges_along(row, column) == edges


@pytest.mark.parametrize(
    ("terms", "edges"),
    [
        (("L", "F"), ("R", "H", "L", "F")),
        (("A", "FR"), ("P", "HL", "A", "FR")),
        (("l", "pf"), ("R", "AH", "L", "PF")),
        (("L",), None),
        (("", "F"), None),
        (("LR", "F"), None),
        (("L", "LF"), None),
        (("X", "F"), None),
        (("LEFT", "FOOT"), None),
    ],
)
def test_terms_of_a_person_name_all_four_sides_or_none(terms, edges):
    assert edges_of_terms(terms) == edges


def test_an_animal_has_terms_of_its_own():
    assert edges_of_terms(("LE", "CD"), quadruped=True) == ("RT", "CR", "LE", "CD")
    assert edges_of_terms(("CRV", "RT"), quadruped=True) == ("CDD", "LE", "CRV", "RT")
    assert edges_of_terms(("D", "DI"), quadruped=True) == ("", "PR", "D", "DI")  # palmar or plantar
    assert edges_of_terms(("H", "F"), quadruped=True) is None


def test_direction_cosines_go_before_terms_and_serve_without_a_position(tmp_path):
    both = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PatientOrientation": ["P", "F"]}
    assert written(tmp_path / "a.dcm", **both).edges == ("R", "A", "L", "P")
    assert written(tmp_path / "b.dcm", PatientOrientation=["P", "F"]).edges == ("A", "H", "P", "F")
    broken = {"ImageOrientationPatient": [1, 0, 0, 1, 0, 0], "PatientOrientation": ["P", "F"]}
    assert written(tmp_path / "c.dcm", **broken).edges == ("A", "H", "P", "F")
    assert written(tmp_path / "d.dcm").edges is None


def test_the_axes_of_an_animal_are_named_by_its_terms_alone(tmp_path):
    animal = {"AnatomicalOrientationType": "QUADRUPED", "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    assert written(tmp_path / "a.dcm", **animal).edges is None
    assert written(tmp_path / "b.dcm", PatientOrientation=["LE", "V"], **animal).edges == (
        "RT",
        "D",
        "LE",
        "V",
    )
    assert read_header(tmp_path / "a.dcm").quadruped


def test_the_planes_of_an_animal_are_not_hung_as_those_of_a_person(tmp_path):
    slices = [(path, 0) for path in ct_slices(tmp_path / "p", range(4))]
    assert read_stack(slices, lambda *_: None).orientation is not None
    slices = [
        (path, 0) for path in ct_slices(tmp_path / "q", range(4), AnatomicalOrientationType="QUADRUPED")
    ]
    assert read_stack(slices, lambda *_: None).orientation is None


def test_a_frame_says_where_it_lies_and_how_thick_it_is(tmp_path):
    said = {
        "ImageOrientationPatient": [1, 0, 0, 0, 0, -1],
        "ImagePositionPatient": [0, 30, 100],
        "SliceThickness": "5",
        "SpacingBetweenSlices": "-4.5",
    }
    place = written(tmp_path / "a.dcm", **said)
    assert (place.along_mm, place.thickness_mm, place.spacing_mm) == (30, 5, 4.5)
    mosaic = written(tmp_path / "b.dcm", ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"], **said)
    assert mosaic.along_mm is None
    assert mosaic.edges == place.edges
    only = written(tmp_path / "c.dcm", SliceLocation="12.5", SliceThickness="0")
    assert (only.along_mm, only.thickness_mm) == (12.5, None)


def test_each_frame_of_an_enhanced_object_lies_for_itself(tmp_path):
    dataset = described(np.zeros((2, 4, 6), np.uint8))
    turned = item(ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    shared = Dataset()
    shared.PlaneOrientationSequence = [turned]
    shared.PixelMeasuresSequence = [item(SliceThickness="2", PixelSpacing=["1", "1"])]
    dataset.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for x in (-10, 20):
        own = Dataset()
        own.PlanePositionSequence = [item(ImagePositionPatient=[x, 0, 0])]
        frames.append(own)
    dataset.PerFrameFunctionalGroupsSequence = frames
    dataset.save_as(tmp_path / "e.dcm", enforce_file_format=True)
    places = [read_frame(tmp_path / "e.dcm", frame).place for frame in (0, 1)]
    assert [place.along_mm for place in places] == [10, -20]
    assert {place.edges for place in places} == {("A", "H", "P", "F")}
    assert {place.thickness_mm for place in places} == {2}
