from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from support.films import ct_slices, film
from support.tiffs import page, tiff

from clipsvd_app.errors import Cancelled, UserError
from clipsvd_app.services.studies.import_plan import apply_import, known_changes, plan_import, summary
from clipsvd_app.services.studies.patient_rules import PatientRule, join_near_duplicates, parse_rule
from clipsvd_app.services.studies.removal import removal


def patients(plan) -> list[str]:
    return [image.patient_key for image in plan.images]


def test_films_of_one_patient_id_belong_together(project, tmp_path: Path) -> None:
    for number, patient in enumerate(["A", "A", "B"]):
        film(tmp_path / f"{number}.dcm", patient, number)
    keys = patients(plan_import(project, [tmp_path]))
    assert keys[0] == keys[1] != keys[2]


def test_nothing_of_the_patient_reaches_the_project_file(project, tmp_path: Path) -> None:
    film(tmp_path / "in" / "1.dcm", "MRN-4711", 1)
    project.apply(apply_import(project, plan_import(project, [tmp_path / "in"])))
    project.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("study.clipsvd*"))
    uid = pydicom.dcmread(tmp_path / "in" / "1.dcm").StudyInstanceUID
    for secret in (b"DOE", b"JANE", b"MRN-4711", b"19500102", b"20240506", uid.encode()):
        assert secret not in stored


def test_two_projects_give_one_patient_different_keys(project, tmp_path: Path) -> None:
    from clipsvd_app.project import create_project

    film(tmp_path / "in" / "1.dcm", "A", 1)
    with create_project(tmp_path / "other") as other:
        assert patients(plan_import(project, [tmp_path / "in"])) != patients(
            plan_import(other, [tmp_path / "in"])
        )


def test_one_id_on_all_studies_is_noticed(project, tmp_path: Path) -> None:
    for number in range(3):
        film(tmp_path / f"{number}.dcm", "ANON", number)
    (warning,) = plan_import(project, [tmp_path]).warnings
    assert "same patient ID" in warning


def test_empty_ids_make_each_study_a_patient_and_say_so(project, tmp_path: Path) -> None:
    for number in range(3):
        film(tmp_path / f"{number}.dcm", "", number)
    plan = plan_import(project, [tmp_path])
    assert len(set(patients(plan))) == 3
    assert "empty patient ID" in plan.warnings[0]


def test_pictures_that_look_alike_are_one_patient_and_others_are_not(
    project, picture, tmp_path: Path
) -> None:
    picture(tmp_path / "a.png", 1)
    picture(tmp_path / "a_again.png", 1, change=3)
    picture(tmp_path / "b.png", 2)
    plan = plan_import(project, [tmp_path])
    keys = patients(plan)
    assert keys[0] == keys[1] != keys[2]
    assert "do not identify the patient" in plan.warnings[0]


def test_a_look_alike_added_later_joins_its_patient(project, picture, tmp_path: Path) -> None:
    first = picture(tmp_path / "a.png", 1)
    project.apply(apply_import(project, plan_import(project, [first])))
    later = picture(tmp_path / "later.png", 1, change=5)
    assert patients(plan_import(project, [later])) == [project.images()[0].patient_key]


def test_the_same_file_twice_is_added_once(project, picture, tmp_path: Path) -> None:
    picture(tmp_path / "a.png", 1)
    (tmp_path / "copy.png").write_bytes((tmp_path / "a.png").read_bytes())
    plan = plan_import(project, [tmp_path])
    assert len(plan.images) == 1
    assert plan.known == 0
    assert plan.account.left_out["copy"] == 1
    project.apply(apply_import(project, plan))
    assert not plan_import(project, [tmp_path]).images


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("folder", [0, 0, 1]), ("regex:^(\\d+)_", [0, 1, 0])],
)
def test_patients_come_from_folder_or_name(project, picture, tmp_path: Path, rule, expected) -> None:
    picture(tmp_path / "x" / "1_a.png", 1)
    picture(tmp_path / "x" / "2_a.png", 2)
    picture(tmp_path / "y" / "1_b.png", 3)
    keys = patients(plan_import(project, [tmp_path / "x", tmp_path / "y"], parse_rule(rule)))
    groups = list(dict.fromkeys(keys))
    assert [groups.index(key) for key in keys] == expected


def test_patients_come_from_a_table(project, picture, tmp_path: Path) -> None:
    for number in range(3):
        picture(tmp_path / "in" / f"{number}.png", number)
    table = tmp_path / "patients.csv"
    table.write_text("path,patient\n0.png,anna\nin/1.png,ben\n2.png,anna\n")
    keys = patients(plan_import(project, [tmp_path / "in"], parse_rule(f"csv:{table}")))
    assert keys[0] == keys[2] != keys[1]


@pytest.mark.parametrize("text", ["name", "regex:(", "regex:abc", "csv:/nowhere.csv", ""])
def test_a_rule_that_cannot_work_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(UserError) as refused:
        parse_rule(text)
    assert refused.value.remedy


def test_junk_is_refused_file_by_file_and_the_rest_is_taken(project, picture, tmp_path: Path) -> None:
    good = picture(tmp_path / "good.png", 1)
    (tmp_path / "notes.dcm").write_text("this is no image")
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:60])
    plan = plan_import(project, [tmp_path])
    assert len(plan.images) == 1
    assert sorted(refusal.path.rsplit("/", 1)[-1] for refusal in plan.refused) == ["cut.png", "notes.dcm"]
    assert all(refusal.sentence.count(".") >= 2 for refusal in plan.refused)
    assert summary(plan).startswith("1 image of 1 patient added, 2 files refused")


def test_an_empty_folder_says_what_to_add(project, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="No image files"):
        plan_import(project, [tmp_path / "empty"])


def test_cancelling_adds_nothing(project, picture, tmp_path: Path) -> None:
    for number in range(4):
        picture(tmp_path / f"{number}.png", number)

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        plan_import(project, [tmp_path], PatientRule(), stop)
    assert not project.images()


def test_near_duplicates_chain_to_the_first_seen() -> None:
    keys = join_near_duplicates({"a": f"{0:016x}", "b": f"{0b111:016x}", "c": f"{0xFFFF:016x}"}, {})
    assert keys["a"] == keys["b"] != keys["c"]


@pytest.mark.parametrize("order", ["abcd", "acbd", "dcba"])
def test_pictures_alike_over_one_between_them_are_one_patient_in_any_order(order: str) -> None:
    hashes = {"a": 0, "b": 0b111, "c": 0b111111, "d": 0xFFFF_0000}
    given = {item: f"{hashes[item]:016x}" for item in order}
    keys = join_near_duplicates(given, {})
    assert keys == {"a": "picture:a", "b": "picture:a", "c": "picture:a", "d": "picture:d"}
    known = {f"{0b1111111:016x}": "of c", f"{0xFFFF_0001:016x}": "of d"}
    assert join_near_duplicates(given, known) == {"a": "of c", "b": "of c", "c": "of c", "d": "of d"}


def flag_codes(project) -> list[list[str]]:
    return [[flag.code for flag in flags] for flags in project.series_flags().values()]


def test_slices_are_kept_in_the_order_of_the_body(project, tmp_path: Path) -> None:
    ct_slices(tmp_path / "in", [30, 10, 20, 0])
    project.apply(apply_import(project, plan_import(project, [tmp_path / "in"])))
    names = [Path(image.path).name for image in project.images()]
    assert names == ["001.dcm", "003.dcm", "002.dcm", "004.dcm"]
    assert project.series_flags() == {}


def test_an_irregular_series_is_taken_flagged_and_said(project, tmp_path: Path) -> None:
    ct_slices(tmp_path / "in", [0, 1, 2, 4, 5])
    plan = plan_import(project, [tmp_path / "in"])
    assert len(plan.images) == 5
    assert not plan.refused
    assert "1 slice is missing" in plan.warnings[-1]
    undo = project.apply(apply_import(project, plan))
    assert flag_codes(project) == [["missing_slices"]]
    redo = project.apply(undo)
    assert project.series_flags() == {}
    project.apply(redo)
    assert flag_codes(project) == [["missing_slices"]]


def test_slices_that_come_later_complete_their_series(project, tmp_path: Path) -> None:
    early, late = ct_slices(tmp_path / "in", [0, 1, 2, 4, 5, 3])[:5], [tmp_path / "in" / "001.dcm"]
    project.apply(apply_import(project, plan_import(project, early)))
    assert flag_codes(project) == [["missing_slices"]]
    undo = project.apply(apply_import(project, plan_import(project, late)))
    assert flag_codes(project) == []
    assert Path(project.images()[3].path).name == "001.dcm"
    project.apply(undo)
    assert flag_codes(project) == [["missing_slices"]]


def test_a_segmentation_is_refused_by_name_and_flagged_on_its_series(project, tmp_path: Path) -> None:
    ct_slices(tmp_path / "in", [0, 1, 2])
    mask = ct_slices(tmp_path / "seg", [0], Modality="SEG")
    plan = plan_import(project, [tmp_path / "in", *mask])
    assert len(plan.images) == 3
    (refusal,) = plan.refused
    assert "is a segmentation, not an image" in refusal.sentence
    (report,) = plan.series
    assert [flag.code for flag in report.flags] == ["unsupported_object"]


def test_an_object_that_comes_alone_is_flagged_on_the_series_that_is_there(project, tmp_path: Path) -> None:
    project.apply(apply_import(project, plan_import(project, ct_slices(tmp_path / "in", [0, 1, 2]))))
    plan = plan_import(project, ct_slices(tmp_path / "seg", [0], Modality="SEG"))
    assert not plan.images
    flags = known_changes(project, plan)
    assert flags is not None
    undo = project.apply(flags)
    assert flag_codes(project) == [["unsupported_object"]]
    assert known_changes(project, plan_import(project, [tmp_path / "seg"])) is None
    project.apply(undo)
    assert flag_codes(project) == []


def test_what_came_along_is_not_forgotten_when_slices_follow(project, tmp_path: Path) -> None:
    early, late = ct_slices(tmp_path / "in", [0, 1, 3, 4, 2])[:4], [tmp_path / "in" / "001.dcm"]
    mask = ct_slices(tmp_path / "seg", [0], Modality="SEG")
    project.apply(apply_import(project, plan_import(project, [*early, *mask])))
    assert flag_codes(project) == [["unsupported_object", "missing_slices"]]
    project.apply(apply_import(project, plan_import(project, late)))
    assert flag_codes(project) == [["unsupported_object"]]


def test_flags_hold_nothing_of_the_patient(project, tmp_path: Path) -> None:
    ct_slices(tmp_path / "in", [0, 1, 1, 4], PatientID="MRN-4711")
    plan = plan_import(project, [tmp_path / "in"])
    said = " ".join(flag.sentence for report in plan.series for flag in report.flags)
    assert said
    assert not any(secret in said for secret in ("MRN", "4711", "DOE", "1.2.3", str(tmp_path)))


def test_the_studies_of_a_patient_come_in_the_order_of_their_dates(project, tmp_path: Path) -> None:
    for number, date in enumerate(["20240506", "20190101", "20210203"]):
        film(tmp_path / f"{number}.dcm", "A", number, date=date)
    project.apply(apply_import(project, plan_import(project, [tmp_path])))
    assert [Path(image.path).name for image in project.images()] == ["1.dcm", "2.dcm", "0.dcm"]


def test_a_slide_in_tiff_is_one_image_and_what_is_left_out_is_said(project, tmp_path: Path) -> None:
    sides = [64, 32, 16]
    levels = [page(np.full((side, side), 9, np.uint8)) for side in sides]
    label = page(np.full((64, 64), 200, np.uint8), t270=(2, b"Aperio\nlabel 64x64\0"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "slide.svs").write_bytes(tiff(*levels, label))
    plan = plan_import(project, [tmp_path / "in"])
    project.apply(apply_import(project, plan))
    assert [(image.rows, image.frame) for image in project.images()] == [(64, 0)]
    assert [[(flag.code, flag.count) for flag in report.flags] for report in plan.series] == [
        [("pages_left_out", 2), ("slide_label_left_out", 1)]
    ]
    assert flag_codes(project) == [["pages_left_out", "slide_label_left_out"]]


def test_what_is_left_out_of_pictures_is_summed_over_a_folder(project, tmp_path: Path) -> None:
    for number in range(3):
        picture = np.random.default_rng(number).integers(0, 255, (32, 32), np.uint8)
        small = page(np.zeros((8, 8), np.uint8))
        (tmp_path / f"{number}.tif").write_bytes(tiff(page(picture), small, small))
    rule = PatientRule("folder")
    plan = plan_import(project, [tmp_path], rule)
    (report,) = plan.series
    assert [(flag.code, flag.count) for flag in report.flags] == [("pages_left_out", 6)]
    project.apply(apply_import(project, plan))
    project.apply(removal(project, project.images()[:1]))
    assert [flag.count for flags in project.series_flags().values() for flag in flags] == [4]


def test_frames_beyond_those_that_are_taken_are_counted(project, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("clipsvd_app.services.studies.import_plan.LARGEST_FRAMES_PER_FILE", 2)
    pages = [page(np.full((16, 16), number, np.uint8)) for number in range(5)]
    (tmp_path / "stack.tif").write_bytes(tiff(*pages))
    plan = plan_import(project, [tmp_path])
    assert len(plan.images) == 2
    assert any("3 frames are left out" in warning for warning in plan.warnings)
