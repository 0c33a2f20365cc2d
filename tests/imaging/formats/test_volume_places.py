"""Where volumes lie, how large their voxels are, and what is said where the file does not say it well."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from clipsvd_app.errors import UserError
from clipsvd_app.imaging.display.greys import to_display
from clipsvd_app.imaging.facts import image_facts
from clipsvd_app.imaging.header_listing import list_header
from clipsvd_app.imaging.reading import read_frame, read_header, read_stored
from clipsvd_app.imaging.series.volume import read_stack

VOXELS = (np.arange(6 * 5 * 4).reshape(4, 5, 6) * 10).astype(np.int16)
STRAIGHT = [[0.5, 0, 0, -10], [0, 0.5, 0, -20], [0, 0, 3, 30]]
TILTED = [[0.7, 0, 0, -10], [0, 0.7, 0.8, -20], [0, 0, 2.5, 5]]
FIELDS = {
    "sform": 0,
    "qform": 0,
    "affine": [[0] * 4] * 3,
    "quaternion": (0, 0, 0, 0, 0, 0),
    "pixdim": (1, 0.5, 0.5, 3),
    "slope": 1.0,
    "intercept": 0.0,
    "kind": 4,
    "dim": (3, 6, 5, 4, 1, 1, 1, 1),
    "units": 2,
    "intent": 0,
    "magic": b"n+1\0",
    "start": 352,
}


def nifti(data=VOXELS, order="<", **changes) -> bytes:
    """Write a NIfTI-1 file byte by byte."""
    said = FIELDS | changes
    head = bytearray(352)
    struct.pack_into(order + "i", head, 0, 348)
    struct.pack_into(order + "8h", head, 40, *said["dim"])
    struct.pack_into(order + "hhh", head, 68, said["intent"], said["kind"], 8 * data.dtype.itemsize)
    struct.pack_into(order + "8f", head, 76, *said["pixdim"], *[0] * (8 - len(said["pixdim"])))
    struct.pack_into(order + "3f", head, 108, said["start"], said["slope"], said["intercept"])
    head[123] = said["units"]
    struct.pack_into(order + "hh", head, 252, said["qform"], said["sform"])
    struct.pack_into(order + "6f", head, 256, *said["quaternion"])
    struct.pack_into(order + "12f", head, 280, *np.ravel(said["affine"]))
    head[344:348] = said["magic"]
    return bytes(head) + data.astype(data.dtype.newbyteorder(order)).tobytes()


def nrrd(*lines: str, data: bytes = VOXELS.tobytes(), kind: str = "short", sizes: str = "6 5 4") -> bytes:
    fields = [f"type: {kind}", f"dimension: {len(sizes.split())}", *lines, "endian: little", "encoding: raw"]
    at = next((n for n, line in enumerate(fields) if line.startswith("space directions")), len(fields))
    fields.insert(at, f"sizes: {sizes}")
    return "\n".join(["NRRD0004", *fields, "", ""]).encode() + data


def mha(data: bytes = VOXELS.tobytes(), **changes) -> bytes:
    fields = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "TransformMatrix": "1 0 0 0 1 0 0 0 1",
        "Offset": "-10 -20 30",
        "ElementSpacing": "0.5 0.5 3",
        "DimSize": "6 5 4",
        "ElementType": "MET_SHORT",
        "ElementDataFile": "LOCAL",
    } | changes
    fields["ElementDataFile"] = fields.pop("ElementDataFile")  # ends the header
    return "".join(f"{name} = {said}\n" for name, said in fields.items() if said).encode() + data


LPS = (
    "space: left-posterior-superior",
    "space directions: (0.5,0,0) (0,0.5,0) (0,0,3)",
    "space origin: (-10,-20,30)",
)
RAS = ("space: RAS", "space directions: (-0.5,0,0) (0,-0.5,0) (0,0,3)", "space origin: (10,20,30)")


@pytest.fixture
def write(tmp_path):
    def to_file(content: bytes, name: str = "v.nii"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return to_file


def codes(path):
    return [note.code for note in read_header(path).notes]


@pytest.mark.parametrize(
    "content",
    [
        nrrd(*LPS),
        nrrd(*RAS),
        mha(),
        nifti(sform=1, affine=[[-0.5, 0, 0, 10], [0, -0.5, 0, 20], [0, 0, 3, 30]]),
        nifti(qform=1, quaternion=(0, 0, 1, 10, 20, 30)),
    ],
    ids=["LPS", "RAS", "mha", "sform", "qform"],
)
def test_a_grid_in_the_patient_lies_there_whatever_its_file(write, content):
    header = read_header(write(content))
    assert [plane.position_mm for plane in header.planes] == [
        pytest.approx((-10, -20, z)) for z in (30, 33, 36, 39)
    ]
    assert (*header.planes[0].row, *header.planes[0].column) == pytest.approx((1, 0, 0, 0, 1, 0), abs=1e-6)
    assert header.pixel_spacing_mm == pytest.approx((0.5, 0.5))
    assert header.notes == ()
    stack = read_stack([(write(content), frame) for frame in range(4)], lambda *_: None)
    assert stack.positions_mm == pytest.approx([0, 3, 6, 9])
    assert stack.orientation == pytest.approx((1, 0, 0, 0, 1, 0), abs=1e-6)


@pytest.mark.parametrize(
    "content",
    [
        nrrd("spacings: 0.5 0.5 3"),
        nrrd("space: scanner-xyz", *LPS[1:]),
        nrrd("space dimension: 3", *LPS[1:]),
        mha(TransformMatrix=""),
        nifti(),
    ],
)
def test_a_grid_that_is_nobodys_has_lengths_and_no_places(write, content):
    header = read_header(write(content))
    assert (header.planes, header.pixel_spacing_mm) == ((), pytest.approx((0.5, 0.5)))


@pytest.mark.parametrize(
    "content",
    [
        nrrd(),
        mha(ElementSpacing="", TransformMatrix=""),
        nifti(pixdim=(1, 0, 0, 0)),
        nifti(pixdim=(1, np.nan, 1, 1)),
    ],
)
def test_voxels_of_unknown_size_are_measured_in_pixels(write, content):
    path = write(content)
    assert read_header(path).pixel_spacing_mm is None
    assert codes(path) == ["no_voxel_size"]
    assert np.array_equal(read_stored(path), VOXELS)


@pytest.mark.parametrize("squeezed", [False, True])
def test_a_sheared_grid_shows_its_slices_and_says_so(write, squeezed):
    content = nifti(sform=1, affine=TILTED, pixdim=(1, 0.7, 0.7, 2.62))
    path = write(gzip.compress(content) if squeezed else content)
    assert np.array_equal(read_stored(path), VOXELS)
    assert read_header(path).planes == ()
    assert codes(path) == ["sheared_grid"]
    assert "sheared" in image_facts(path).flags[0]
    with pytest.raises(UserError, match="sheared"):
        read_stack([(path, frame) for frame in range(4)], lambda *_: None)


def test_a_sheared_matrix_of_other_files_is_treated_alike(write):
    for content in (
        mha(TransformMatrix="1 0 0 0 1 0 0 0.3 1"),
        nrrd(LPS[0], "space directions: (1,0,0) (0,1,0) (0,1,3)"),
    ):
        assert codes(write(content)) == ["sheared_grid"]
        assert read_header(write(content)).planes == ()


def test_a_sound_qform_places_what_a_sheared_sform_cannot(write):
    path = write(nifti(sform=1, affine=TILTED, qform=1, quaternion=(0, 0, 1, 10, 20, 30)))
    assert read_header(path).planes[0].position_mm == pytest.approx((-10, -20, 30))
    assert codes(path) == ["places_disagree"]


def test_two_affines_that_disagree_are_said_and_sform_is_taken(write):
    path = write(nifti(sform=1, affine=STRAIGHT, qform=1))
    assert read_header(path).planes[0].position_mm == pytest.approx((10, 20, 30))
    assert codes(path) == ["places_disagree"]
    assert codes(write(mha(AnatomicalOrientation="LPI"))) == ["places_disagree"]
    assert codes(write(mha(AnatomicalOrientation="RAI"))) == []


def test_an_affine_of_zeros_costs_the_places_alone(write):
    path = write(nifti(sform=1))
    assert np.array_equal(read_stored(path), VOXELS)
    assert read_header(path).planes == ()


@pytest.mark.parametrize(("units", "scale"), [(1, 1000), (2, 1), (3, 0.001)])
def test_lengths_of_nifti_are_in_its_units(write, units, scale):
    assert read_header(write(nifti(units=units))).pixel_spacing_mm == pytest.approx(
        (0.5 * scale, 0.5 * scale)
    )


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [(2, "u1"), (256, "i1"), (512, "u2"), (8, "i4"), (16, "f4"), (64, "f8")])
def test_voxels_of_both_byte_orders_are_exact(write, order, kind):
    voxels = (VOXELS // 10).astype(kind[1])
    assert np.array_equal(read_stored(write(nifti(voxels, order, kind=kind[0]))), voxels)


@pytest.mark.parametrize(("slope", "factor"), [(0.0, 1), (float("nan"), 1), (2.5, 2.5)])
def test_a_slope_of_zero_or_no_number_is_none(write, slope, factor):
    path = write(nifti(slope=slope, intercept=-3.0))
    intercept = 0 if factor == 1 else -3
    assert np.array_equal(read_frame(path, 2).pixels, VOXELS[2] * np.float32(factor) + intercept)
    assert np.array_equal(read_stored(path), VOXELS)


def test_values_that_are_no_numbers_stay_so(write):
    voxels = np.full((4, 5, 6), np.nan, np.float32)
    voxels[1] = 7
    frames = read_stored(write(nifti(voxels, kind=16)))
    assert np.isnan(frames[0]).all()
    assert (frames[1] == 7).all()


def test_times_and_places_are_frames_and_no_block(write):
    path = write(nifti(dim=(4, 6, 5, 2, 2, 1, 1, 1)))
    assert np.array_equal(read_stored(path), VOXELS)
    with pytest.raises(UserError, match="several volumes"):
        read_stack([(path, frame) for frame in range(4)], lambda *_: None)


def test_colours_of_nifti_are_shown(write):
    rgba = np.zeros((4, 5, 6, 4), np.uint8)
    rgba[..., 0], rgba[..., 3] = 200, 255
    rgba[0, 0, 0, 3] = 0
    path = write(nifti(rgba, kind=2304))
    assert read_frame(path, 1).pixels[0, 0].tolist() == [200, 0, 0]
    assert read_frame(path, 0).pixels[0, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (nifti(np.zeros((4, 5, 6), np.complex64), kind=32), "complex"),
        (nifti(kind=1), "one bit"),
        (nifti(dim=(5, 6, 5, 2, 1, 2, 1, 1), intent=1007), "2 values per voxel"),
        (mha(ElementSpacing="0 1 1"), "voxel size of zero"),
        (mha(TransformMatrix="0 0 0 0 0 0 0 0 0"), "without direction"),
        (nrrd("spacings: 0 1 1"), "voxel size of zero"),
        (nrrd().replace(b"encoding: raw", b"encoding: bzip2"), "bzip2"),
    ],
)
def test_a_sound_file_that_is_not_read_is_refused_by_its_reason(write, content, reason):
    with pytest.raises(UserError, match=reason) as refused:
        read_header(write(content))
    assert "damaged" not in refused.value.message
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("name", "content", "data"),
    [
        ("v.mhd", mha(b"", ElementDataFile="v.raw"), "v.raw"),
        ("v.nhdr", nrrd("data file: v.raw", data=b""), "v.raw"),
        ("v.hdr", nifti(magic=b"ni1\0", start=0)[:352], "v.img"),
    ],
)
def test_a_header_without_its_data_file_names_it(write, name, content, data):
    path = write(content, name)
    with pytest.raises(UserError, match=f"needs {data}, which is not in the same folder"):
        read_header(path)
    write(VOXELS.tobytes(), data)
    assert np.array_equal(read_stored(path), VOXELS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("v.mhd", mha(b"", Comment="x" * 2000, ElementDataFile="../v.raw")),
        ("v.mhd", mha(b"../v.raw\n", ElementDataFile="LIST")),
        ("v.nhdr", nrrd("# " + "x" * 2000, "data file: /etc/passwd", data=b"")),
        ("v.nhdr", nrrd("data file: LIST", data=b"").replace(b"LIST\n", b"LIST\n../v.raw\n")),
    ],
)
def test_data_elsewhere_is_refused_however_the_header_names_it(write, name, content):
    with pytest.raises(UserError, match="another folder"):
        read_header(write(content, name))


def test_slices_that_the_header_does_not_state_are_counted(write):
    path = write(nifti() + bytes(2 * 60))
    assert [(note.code, note.count) for note in read_header(path).notes] == [("unnamed_data", 2)]


def test_a_gzipped_volume_needs_no_length_at_its_end(write):
    squeezed = gzip.compress(nifti()[:300]) + gzip.compress(nifti()[300:])
    assert np.array_equal(read_stored(write(squeezed)), VOXELS)


def test_a_volume_of_eight_bits_rescaled_to_shares_is_not_black(tmp_path):
    shares = np.linspace(0, 255, 6 * 5 * 4).reshape(4, 5, 6).astype(np.uint8)
    path = tmp_path / "shares.nii"
    path.write_bytes(nifti(shares, kind=2, slope=1 / 255))
    shown = to_display(read_frame(path, 3))
    assert (shown.min(), shown.max()) == (0, 255)
    path.write_bytes(nifti(shares, kind=2))
    assert int(to_display(read_frame(path, 0)).max()) == shares[0].max()


def test_a_volume_names_its_sides_as_far_as_its_header_says_how_it_lies(tmp_path):
    said = tmp_path / "said.nii"
    said.write_bytes(nifti(sform=1, affine=STRAIGHT))
    place = read_frame(said, 2).place
    assert place.edges == ("L", "P", "R", "A")  # the axes of NIfTI run to the right and to the front
    assert (place.along_mm, place.spacing_mm, place.thickness_mm) == (36, 3, None)
    turned = tmp_path / "turned.nrrd"
    turned.write_bytes(
        nrrd(
            "space: left-posterior-superior",
            "space directions: (0,1,0) (0,0,-1) (2,0,0)",
            "space origin: (0,0,0)",
        )
    )
    assert read_frame(turned).place.edges == ("A", "H", "P", "F")
    silent = tmp_path / "silent.nii"
    silent.write_bytes(nifti())
    assert read_frame(silent, 2).place.edges is None
    assert read_frame(silent, 2).place.along_mm is None


def test_the_fields_of_a_volume_are_listed_as_they_are_stored(tmp_path):
    (tmp_path / "a.nii").write_bytes(nifti(sform=1, affine=STRAIGHT))
    rows = {row.name: row.value for row in list_header(tmp_path / "a.nii")}
    assert (rows["Rows"], rows["Columns"], rows["Frames"]) == ("5", "6", "4")
    assert rows["sform_code"] == "1"
    assert rows["dim"] == "6 \\ 5 \\ 4"
    (tmp_path / "a.nrrd").write_bytes(nrrd("spacings: 1 1 3"))
    assert {row.name: row.value for row in list_header(tmp_path / "a.nrrd")}["spacings"] == "1 1 3"


def test_a_volume_that_says_how_it_lies_and_not_how_large_its_voxels_are_is_shown(write):
    path = write(mha(ElementSpacing="", AnatomicalOrientation="RAI"), "v.mha")
    header = read_header(path)
    assert header.planes == ()
    assert header.pixel_spacing_mm is None
    place = read_frame(path, 1).place
    assert (place.edges, place.along_mm, place.spacing_mm) == (("R", "A", "L", "P"), None, None)
    assert {row.name for row in list_header(path)} >= {"dimsize", "anatomicalorientation"}
