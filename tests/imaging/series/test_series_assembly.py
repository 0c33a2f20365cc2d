"""Series come out in the order of the body, whatever the order of the files, and say what is irregular."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipsvd_app.imaging.series.assembly import Member, assemble
from clipsvd_app.imaging.series.flags import FlagCode
from clipsvd_app.imaging.values import ImageHeader, Plane

CODES = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def turned(random: np.random.Generator) -> np.ndarray:
    """A rotation as rows: along a row, down a column, along the normal."""
    axes, _ = np.linalg.qr(random.normal(size=(3, 3)))
    axes[2] = np.cross(axes[0], axes[1])
    return axes


CORONAL = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


def stack(along, axes=None, origin=(0.0, 0.0, 0.0), first=0, **changes) -> list[Member]:
    """One member at each place along the normal; their UIDs and contents are numbered from `first`."""
    axes = np.eye(3) if axes is None else axes
    return [
        Member(
            header(
                planes=(Plane(tuple(np.add(origin, place * axes[2])), tuple(axes[0]), tuple(axes[1])),),
                instance_uid=f"1.2.{number}",
                **changes,
            ),
            f"content {number}",
        )
        for number, place in enumerate(along, first)
    ]


def header(**changes) -> ImageHeader:
    made = ImageHeader("DICOM", "CT", "MONOCHROME2", "1.2.840.10008.1.2.1", 4, 5, 1, 12, series_uid="1.2.3")
    return dataclasses.replace(made, **changes)


def only(members):
    (series,) = assemble(members)
    return series


def codes(members) -> set[str]:
    return {flag.code.value for flag in only(members).flags}


def order(members) -> list[int]:
    return [found.member for found in only(members).slices]


@given(random=CODES, count=st.integers(2, 40), spacing=st.floats(0.1, 20))
def test_a_regular_stack_is_in_order_and_unflagged_however_it_is_turned(random, count, spacing):
    members = stack(np.arange(count) * spacing, turned(random), random.uniform(-300, 300, 3))
    shuffled = random.permutation(count)
    series = only([members[n] for n in shuffled])
    assert [shuffled[found.member] for found in series.slices] == list(range(count))
    assert series.flags == ()
    assert series.is_volume
    assert series.spacing_mm == pytest.approx(spacing, rel=1e-6)


@given(random=CODES, count=st.integers(8, 40), data=st.data())
def test_every_slice_taken_from_within_is_counted_as_missing(random, count, data):
    gone = data.draw(st.sets(st.integers(1, count - 2), min_size=1, max_size=count // 4))
    places = [n for n in range(count) if n not in gone]
    series = only(stack(np.asarray(places) * 2.5, turned(random), random.uniform(-300, 300, 3)))
    (flag,) = series.flags
    assert (flag.code, flag.count) == (FlagCode.MISSING_SLICES, len(gone))
    assert not series.is_volume


@given(random=CODES, count=st.integers(3, 30))
def test_the_order_of_the_files_changes_nothing_but_the_numbers_of_the_members(random, count):
    members = stack(random.uniform(0, 50, count), turned(random))
    shuffled = random.permutation(count)
    straight, mixed = only(members), only([members[n] for n in shuffled])
    assert [found.member for found in straight.slices] == [shuffled[found.member] for found in mixed.slices]
    assert straight.flags == mixed.flags


@given(random=CODES, count=st.integers(4, 30), data=st.data())
def test_a_slice_at_the_place_of_another_is_flagged_and_kept(random, count, data):
    double = data.draw(st.integers(0, count - 1))
    places = [*range(count), double]
    series = only(stack(places, turned(random)))
    assert len(series.slices) == count + 1
    assert [(flag.code, flag.count) for flag in series.flags] == [(FlagCode.DUPLICATE_SLICES, 1)]


def test_irregular_spacing_is_counted_where_it_is():
    (flag,) = only(stack([0, 1, 2, 3.4, 4.4, 5.4, 6.4])).flags
    assert (flag.code, flag.count) == (FlagCode.IRREGULAR_SPACING, 1)


@pytest.mark.parametrize("wobble", [0.0, 0.004, 0.04])
def test_rounded_positions_are_regular(wobble):
    places = np.arange(20) * 1.0 + np.resize([wobble, -wobble], 20)
    assert codes(stack(places)) == set()


def test_phases_at_the_same_places_are_no_duplicates():
    members = stack([0, 1, 2, 0, 1, 2, 0, 1, 2])
    (flag,) = only(members).flags
    assert (flag.code, flag.count) == (FlagCode.REPEATED_POSITIONS, 3)
    assert order(members) == [0, 3, 6, 1, 4, 7, 2, 5, 8]


def test_orientations_are_shown_one_after_the_other_the_largest_first():
    axial, coronal = stack([0, 1, 2, 3]), stack([5, 6], CORONAL, first=10)
    series = only([coronal[1], *axial, coronal[0]])
    assert [found.orientation for found in series.slices] == [0, 0, 0, 0, 1, 1]
    assert {flag.code for flag in series.flags} == {FlagCode.MIXED_ORIENTATION}


def test_a_tilted_gantry_is_a_sheared_stack():
    members = [
        dataclasses.replace(
            member,
            header=dataclasses.replace(
                member.header, planes=(Plane((0.0, 0.4 * n, float(n)), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),)
            ),
        )
        for n, member in enumerate(stack(range(6)))
    ]
    (flag,) = only(members).flags
    assert (flag.code, flag.count) == (FlagCode.SHIFTED_SLICES, 5)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"rows": 8}, "mixed_size"),
        ({"pixel_spacing_mm": (0.5, 0.5)}, "mixed_pixel_spacing"),
        ({"bits_stored": 16}, "mixed_pixels"),
        ({"photometric": "RGB"}, "mixed_pixels"),
        ({"planes": ()}, "missing_geometry"),
    ],
)
def test_what_differs_from_the_rest_is_flagged_and_kept(change, code):
    members = stack(range(4))
    members[3] = dataclasses.replace(members[3], header=dataclasses.replace(members[3].header, **change))
    series = only(members)
    assert [(flag.code, flag.count) for flag in series.flags] == [(code, 1)]
    assert len(series.slices) == 4


def test_images_without_geometry_are_in_the_order_of_their_numbers():
    members = [Member(header(instance_uid=str(n), instance_number=9 - n), str(n)) for n in range(4)]
    assert order(members) == [3, 2, 1, 0]
    assert codes(members) == {"missing_geometry"}


def test_films_are_not_expected_to_be_a_stack():
    films = [Member(header(modality="DX", instance_uid=str(n), rows=3 + n), str(n)) for n in range(3)]
    assert codes(films) == set()


def test_a_copy_is_left_out_and_a_namesake_is_kept():
    members = stack(range(4))
    copy = members[2]
    namesake = dataclasses.replace(
        stack([4])[0], header=dataclasses.replace(stack([4])[0].header, instance_uid="1.2.1")
    )
    namesake = dataclasses.replace(namesake, content="other")
    series = only([*members, copy, namesake])
    assert len(series.slices) == 5
    assert {flag.code.value: flag.count for flag in series.flags} == {
        "duplicate_uid_same_content": 1,
        "duplicate_uid_different_content": 1,
    }


def test_objects_that_are_no_image_are_named_and_not_among_the_slices():
    segmentation = Member(header(object_name="a segmentation", modality="SEG", instance_uid="9.1"), "s")
    report = Member(
        header(object_name="a structured report", modality="SR", frames=0, instance_uid="9.2"), "r"
    )
    series = only([segmentation, *stack(range(3)), report])
    assert [found.member for found in series.slices] == [1, 2, 3]
    assert series.modality == "CT"
    sentences = {flag.code.value: flag.sentence for flag in series.flags}
    assert set(sentences) == {"unsupported_object", "no_pixels"}
    assert "segmentation" in sentences["unsupported_object"]
    assert "no_images" in codes([report])


def test_the_frames_of_an_enhanced_object_are_slices_each():
    planes = tuple(Plane((0.0, 0.0, z), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)) for z in (3.0, 1.0, 2.0, 5.0))
    series = only([Member(header(frames=4, planes=planes))])
    assert [found.frame for found in series.slices] == [1, 2, 0, 3]
    assert [(flag.code, flag.count) for flag in series.flags] == [(FlagCode.MISSING_SLICES, 1)]


def test_series_are_kept_apart_and_files_without_a_series_are_each_their_own():
    members = [*stack([0, 1]), *stack([0, 1], series_uid="1.2.9"), *stack([0, 1], series_uid="")]
    assert [len(series.slices) for series in assemble(members)] == [2, 2, 1, 1]


def test_every_flag_is_a_sentence():
    mixed = [*stack([0, 1, 3, 3.5, 3.5]), *stack([0], CORONAL, first=10, rows=9)]
    flags = only(mixed).flags
    assert len(flags) >= 4
    assert all(flag.sentence[0].isupper() or flag.sentence[0].isdigit() for flag in flags)
    assert all(flag.sentence.endswith(".") and flag.count >= 1 for flag in flags)


def unplaced(numbers, locations) -> list[Member]:
    return [
        Member(header(instance_number=number, slice_location_mm=location, instance_uid=f"1.2.{place}"))
        for place, (number, location) in enumerate(zip(numbers, locations, strict=True))
    ]


@pytest.mark.parametrize(
    ("numbers", "locations", "right", "said"),
    [
        ((3, 1, 2), (None, None, None), [1, 2, 0], "sorted by instance number"),
        ((3, 1, 2), (1.0, 2.0, 3.0), [1, 2, 0], "sorted by instance number"),
        ((1, 1, 1), (7.5, 2.5, 5.0), [1, 2, 0], "sorted by Slice Location"),
        ((1, 1, 1), (7.5, None, 5.0), [0, 1, 2], "kept in file order"),
        ((0, 0, 0), (5.0, 5.0, 5.0), [0, 1, 2], "kept in file order"),
    ],
)
def test_the_flag_names_what_ordered_images_without_a_place(numbers, locations, right, said):
    series = only(unplaced(numbers, locations))
    assert [found.member for found in series.slices] == right
    (flag,) = [flag for flag in series.flags if flag.code == FlagCode.MISSING_GEOMETRY]
    assert flag.sentence.endswith(f"{said}.")


def test_nothing_is_said_to_order_a_single_image_without_a_place():
    (flag,) = only(unplaced([1], [None])).flags
    assert flag.sentence == "1 image has no position."


@pytest.mark.parametrize("scale", [1.0, 1e-1, 1e-3, 1e-4])
def test_a_stack_is_judged_the_same_at_any_scale(scale):
    places = [0.0, 1.0, 2.0, 4.0, 4.0]
    members = stack([scale * place for place in places], pixel_spacing_mm=(0.5 * scale, 0.5 * scale))
    series = only(members)
    assert series.spacing_mm == pytest.approx(scale)
    assert {flag.code.value for flag in series.flags} == {"missing_slices", "duplicate_slices"}


@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_pixel_spacings_are_told_apart_at_any_scale(scale):
    members = [
        *stack([0.0, scale], pixel_spacing_mm=(scale, scale)),
        *stack([2 * scale], first=2, pixel_spacing_mm=(1.01 * scale, scale)),
    ]
    assert "mixed_pixel_spacing" in codes(members)


def test_slices_in_two_frames_of_reference_are_said_to_be():
    members = [
        *stack([0.0, 1.0], frame_of_reference_uid="1.1"),
        *stack([2.0, 3.0], first=2, frame_of_reference_uid="1.2"),
    ]
    series = only(members)
    assert "mixed_frames_of_reference" in {flag.code.value for flag in series.flags}
    assert not series.is_volume
    assert only(stack([0.0, 1.0, 2.0], frame_of_reference_uid="1.1")).is_volume


def test_mosaics_are_named_and_are_no_volume():
    series = only(stack([0.0, 1.0, 2.0], is_mosaic=True))
    (flag,) = series.flags
    assert (flag.code, flag.count) == (FlagCode.MOSAIC, 3)
    assert not series.is_volume
