"""Facts about the listing of a file's whole header."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from support.dicom_variants import described, item
from support.mutants import mutant

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.header_listing import MOST_ITEMS, HeaderRow, list_header


def by_name(rows) -> dict[str, HeaderRow]:
    return {row.name: row for row in rows}


def written(path, dataset):
    dataset.save_as(path, enforce_file_format=True)
    return list_header(path)


@pytest.fixture
def dataset():
    return described(np.zeros((1, 4, 6), np.uint8))


def test_each_element_has_tag_name_representation_and_value(tmp_path, dataset):
    dataset.PatientName = "Doe^Jane"
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.WindowWidth = 400
    rows = by_name(written(tmp_path / "a.dcm", dataset))
    assert rows["PatientName"] == HeaderRow("(0010,0010)", "PatientName", "PN", "Doe^Jane")
    assert rows["ImageType"].value == "ORIGINAL \\ PRIMARY"
    assert rows["WindowWidth"].vr == "DS"
    assert rows["TransferSyntaxUID"].tag == "(0002,0010)"
    assert "CT Image Storage" in rows["SOPClassUID"].value
    assert rows["PixelData"].value == "Pixels, 24 bytes"


def test_sequences_are_nested_and_long_ones_cut_with_a_word(tmp_path, dataset):
    dataset.VOILUTSequence = [item(LUTExplanation="soft"), item(LUTExplanation="bone")]
    dataset.OtherPatientIDsSequence = [item(PatientID=str(number)) for number in range(MOST_ITEMS + 5)]
    rows = by_name(written(tmp_path / "a.dcm", dataset))
    assert [part.name for part in rows["VOILUTSequence"].rows] == ["Item 1", "Item 2"]
    assert rows["VOILUTSequence"].rows[1].rows[0].value == "bone"
    assert rows["OtherPatientIDsSequence"].value == f"{MOST_ITEMS + 5} items"
    assert rows["OtherPatientIDsSequence"].rows[-1].name == "More items than are listed"


def test_private_and_binary_elements_are_named_and_measured(tmp_path, dataset):
    block = dataset.private_block(0x0029, "ACME 1.1", create=True)
    block.add_new(0x01, "LO", "secret sauce")
    block.add_new(0x02, "OB", bytes(1234))
    block.add_new(0x03, "UN", b"readable ")
    rows = {row.tag: row for row in written(tmp_path / "a.dcm", dataset)}
    assert rows["(0029,0010)"].value == "ACME 1.1"
    assert rows["(0029,1001)"].value == "secret sauce"
    assert rows["(0029,1002)"].value == "binary, 1,234 bytes"
    assert rows["(0029,1003)"].value == "readable"


def test_what_cannot_be_read_has_its_length_and_the_rest_is_listed(tmp_path, dataset):
    dataset.InstanceNumber = 7
    path = tmp_path / "a.dcm"
    dataset.save_as(path, enforce_file_format=True)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"\x20\0\x13\0IS\x02\x007 ", b"\x20\0\x13\0IS\x02\0x!"))
    rows = {row.tag: row for row in list_header(path)}
    assert "x!" in rows["(0020,0013)"].value or "unreadable" in rows["(0020,0013)"].value
    assert rows["(0028,0010)"].value == "4"


def test_a_data_set_in_another_byte_order_than_it_says_is_listed(tmp_path):
    dataset = described(np.zeros((1, 4, 6), np.uint8), big_endian=True)
    path = tmp_path / "a.dcm"
    dataset.save_as(path, enforce_file_format=True, little_endian=False, implicit_vr=False)
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.2\0", b"1.2.840.10008.1.2.1\0"))
    assert by_name(list_header(path))["Rows"].value == "4"


def test_control_characters_and_endless_values_are_tamed(tmp_path, dataset):
    dataset.add_new(0x00204000, "UT", "line\r\nline\x07" + "x" * 50_000)
    value = by_name(written(tmp_path / "a.dcm", dataset))["ImageComments"].value
    assert value.isprintable()
    assert len(value) < 21_000


def test_a_picture_lists_its_size_and_its_exif(tmp_path):
    exif = Image.Exif()
    exif[271], exif[306] = "ACME", "2024:01:02 03:04:05"
    Image.new("RGB", (6, 4)).save(tmp_path / "a.jpg", exif=exif, dpi=(72, 72))
    rows = by_name(list_header(tmp_path / "a.jpg"))
    assert (rows["Rows"].value, rows["Columns"].value, rows["Bits"].value) == ("4", "6", "8")
    assert rows["Make"].value == "ACME"
    assert rows["DateTime"].value.startswith("2024")


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        list_header(tmp_path / "gone.dcm")
    (tmp_path / "text.txt").write_text("hello")
    with pytest.raises(UserError):
        list_header(tmp_path / "text.txt")


def test_nothing_is_listed_twice_of_an_empty_sequence(tmp_path, dataset):
    dataset.RequestAttributesSequence = []
    inner = Dataset()
    inner.RequestAttributesSequence = [Dataset()]
    dataset.ReferencedImageSequence = [inner]
    rows = by_name(written(tmp_path / "a.dcm", dataset))
    assert rows["RequestAttributesSequence"].rows == ()
    assert rows["ReferencedImageSequence"].rows[0].rows[0].rows[0].rows == ()


def test_damaged_files_are_listed_as_far_as_they_can_be_read_or_refused_in_a_sentence(tmp_path):
    listed, refused = 0, []
    for number in range(60):
        path = tmp_path / f"mutant{number}"
        path.write_bytes(mutant(11, number))
        try:
            listed += bool(list_header(path))
        except UserError as error:
            refused.append(str(error))
    assert listed > 30
    assert all(sentence.endswith(".") for sentence in refused)
