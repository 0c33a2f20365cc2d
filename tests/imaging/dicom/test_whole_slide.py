"""A whole slide comes as many files: the thumbnail is an image, tiles are not shown one by one."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.uid import VLWholeSlideMicroscopyImageStorage

from clipsvd_app.imaging.reading import read_frame, read_header, read_object_header
from clipsvd_app.imaging.series.flags import FlagCode
from clipsvd_app.imaging.series.listing import list_series
from clipsvd_app.project import create_project
from clipsvd_app.services.studies.import_plan import apply_import, plan_import

TILE = 8
PARTS = (
    # name, flavour of the image, tiles down and across
    ("base", "VOLUME", (4, 4)),
    ("level", "VOLUME", (2, 2)),
    ("top", "VOLUME", (1, 1)),
    ("small", "THUMBNAIL", (1, 1)),
    ("glass", "OVERVIEW", (1, 1)),
    ("sticker", "LABEL", (1, 1)),
)


@pytest.fixture
def slide(write_dicom, tmp_path):
    """Every file that scanners write of one slide, tiles in rows as TILED_FULL has them."""
    paths = {}
    for number, (name, flavour, (down, across)) in enumerate(PARTS, 1):
        tiles = np.zeros((down * across, TILE, TILE, 3), np.uint8) + np.uint8(20 * number)
        paths[name] = write_dicom(
            tiles,
            name=f"{name}.dcm",
            SOPClassUID=VLWholeSlideMicroscopyImageStorage,
            SOPInstanceUID=f"1.2.3.{number}",
            SeriesInstanceUID="1.2.3",
            StudyInstanceUID="1.2",
            PatientID="A",
            Modality="SM",
            ImageType=["ORIGINAL", "PRIMARY", flavour, "NONE"],
            DimensionOrganizationType="TILED_FULL",
            TotalPixelMatrixRows=down * TILE,
            TotalPixelMatrixColumns=across * TILE,
            BurnedInAnnotation="NO",
        )
    return paths


def test_each_file_of_a_slide_is_known_for_what_it_is(slide):
    assert {name: read_object_header(path).object_name for name, path in slide.items()} == {
        "base": "one level of a whole slide in 16 tiles",
        "level": "one level of a whole slide in 4 tiles",
        "top": "",
        "small": "",
        "glass": "",
        "sticker": "the label of a whole slide",
    }


def test_the_thumbnail_is_shown(slide):
    assert read_frame(slide["small"]).pixels.tolist() == np.full((TILE, TILE, 3), 80).tolist()


def test_what_shows_the_glass_is_flagged_whatever_the_file_says_of_burned_in_text(slide):
    flagged = {name for name, path in slide.items() if read_header(path).burned_in_text_likely}
    assert flagged == {"glass", "sticker"}


def test_a_lone_tile_is_no_picture_of_a_slide(write_dicom):
    path = write_dicom(
        np.zeros((TILE, TILE, 3), np.uint8),
        SOPClassUID=VLWholeSlideMicroscopyImageStorage,
        Modality="SM",
        ImageType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
        TotalPixelMatrixRows=40 * TILE,
        TotalPixelMatrixColumns=30 * TILE,
    )
    assert read_object_header(path).object_name == "one tile of a whole slide"


def test_a_slide_is_one_series_without_its_tiles(slide, tmp_path):
    (series,) = list_series(sorted(slide.values())).series
    assert len(series.slices) == 3
    assert [flag.code for flag in series.flags] == [FlagCode.UNSUPPORTED_OBJECT]
    with create_project(tmp_path / "slides") as project:
        plan = plan_import(project, list(slide.values()))
        project.apply(apply_import(project, plan))
        assert [image.rows for image in project.images()] == [TILE] * 3
        assert sum(image.burned_in_text for image in project.images()) == 1
    assert sorted(refusal.sentence.split(" is ")[0] for refusal in plan.refused) == [
        "base.dcm",
        "level.dcm",
        "sticker.dcm",
    ]
