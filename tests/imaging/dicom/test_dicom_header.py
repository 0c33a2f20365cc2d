from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import SecondaryCaptureImageStorage

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.reading import read_frame, read_header

BLANK = np.zeros((3, 4), np.uint16)


def test_the_header_carries_what_groups_and_sorts_images(write_dicom):
    path = write_dicom(
        BLANK,
        Modality="CT",
        BitsStored=12,
        HighBit=11,
        RescaleIntercept="-1024",
        PixelSpacing=["0.7", "0.8"],
        StudyInstanceUID="1.2.1",
        SeriesInstanceUID="1.2.2",
        PatientID=" 007 ",
        PatientName="Doe^Jane",
        StudyDate="20240229",
        StudyTime="101500",
        BodyPartExamined="CHEST",
        InstanceNumber="12",
        ImagePositionPatient=["1", "2", "30"],
        ImageOrientationPatient=["1", "0", "0", "0", "1", "0"],
    )
    header = read_header(path)
    assert (header.kind, header.modality, header.photometric) == ("DICOM", "CT", "MONOCHROME2")
    assert (header.rows, header.columns, header.frames, header.bits_stored) == (3, 4, 1, 12)
    assert header.pixel_spacing_mm == (0.7, 0.8)
    assert (header.study_uid, header.series_uid, header.instance_uid) == ("1.2.1", "1.2.2", "1.2.3.4")
    assert (header.patient_id, header.patient_name) == ("007", "Doe^Jane")
    assert (header.study_order, header.body_part, header.instance_number) == ("20240229101500", "CHEST", 12)
    assert header.planes[0].along_normal_mm == 30.0
    assert header.transfer_syntax == "1.2.840.10008.1.2.1"
    assert header.units == "HU"


def test_a_bare_header_has_empty_fields_and_no_inventions(write_dicom):
    header = read_header(write_dicom(BLANK))
    assert (header.patient_id, header.patient_name, header.study_order, header.units) == ("", "", "", "")
    assert header.pixel_spacing_mm is None
    assert header.planes == ()


@pytest.mark.parametrize(
    ("elements", "likely"),
    [
        ({"BurnedInAnnotation": "YES"}, True),
        ({"BurnedInAnnotation": "NO", "Modality": "US"}, False),
        ({"Modality": "US"}, True),
        ({"Modality": "CT"}, False),
        ({"SOPClassUID": SecondaryCaptureImageStorage, "Modality": "CT"}, True),
    ],
)
def test_text_in_the_picture_is_expected_where_it_is_usual(write_dicom, elements, likely):
    assert read_header(write_dicom(BLANK, **elements)).burned_in_text_likely is likely


def test_an_ultrasound_region_gives_the_spacing(write_dicom):
    region = Dataset()
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX, region.PhysicalDeltaY = 0.02, -0.03
    header = read_header(write_dicom(BLANK, Modality="US", SequenceOfUltrasoundRegions=Sequence([region])))
    assert header.pixel_spacing_mm == pytest.approx((0.3, 0.2))


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("test-SR.dcm", "structured report"),
        ("rtstruct.dcm", "contours"),
        ("rtplan.dcm", "plan"),
        ("waveform_ecg.dcm", "waveform"),
    ],
)
def test_an_object_without_pixels_is_refused_by_what_it_is(bundled, name, word):
    for read in (read_header, read_frame):
        with pytest.raises(UserError, match=word) as refused:
            read(bundled(name))
        assert refused.value.code == "no_pixels"
        assert refused.value.remedy


def test_an_image_whose_pixels_were_left_out_is_refused(write_dicom):
    with pytest.raises(UserError, match="no pixels"):
        read_header(write_dicom(BLANK, PixelData=None))


def test_a_dicomdir_is_refused_as_an_image_by_its_name(bundled):
    with pytest.raises(UserError, match="DICOMDIR"):
        read_header(bundled("DICOMDIR"))


def test_an_image_over_the_limits_is_refused_before_its_pixels_are_read(write_dicom):
    with pytest.raises(UserError, match="64 megapixels"):
        read_header(write_dicom(BLANK, Rows=65535, Columns=65535))
    with pytest.raises(UserError, match="2 GB"):
        read_header(write_dicom(BLANK, Rows=8000, Columns=8000, NumberOfFrames=100))


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")  # the values are wrong on purpose
@pytest.mark.parametrize(
    "free_text",
    ['<img src="file://server/x">', "Doe^Jane 1960", "chest", "A" * 17, "CHEST\nWALL", "BRUST/KNIE"],
)
def test_free_text_in_the_place_of_a_code_is_left_out(write_dicom, free_text):
    for element in ("Modality", "BodyPartExamined"):
        header = read_header(write_dicom(BLANK, **{element: free_text}))
        assert (header.modality, header.body_part) == ("OT" if element == "Modality" else "MR", "")


def test_slice_location_and_mosaics_are_read(write_dicom):
    header = read_header(
        write_dicom(BLANK, SliceLocation="-12.5", ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])
    )
    assert (header.slice_location_mm, header.is_mosaic) == (-12.5, True)
    bare = read_header(write_dicom(BLANK))
    assert (bare.slice_location_mm, bare.is_mosaic) == (None, False)
