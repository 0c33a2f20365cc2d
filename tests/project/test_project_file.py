from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from support.made_evaluation import made_run

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.measures import Measure
from clipsvd_app.domain.project_values import NewImage
from clipsvd_app.domain.view import Crop, Window
from clipsvd_app.errors import UserError
from clipsvd_app.project import create_project, open_project
from clipsvd_app.project.backups import newest_backup
from clipsvd_app.project.changes import AddImages, RemoveImages, SetLabels
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.project.measure_changes import SetMeasures
from clipsvd_app.project.schema import APPLICATION_ID, MIGRATIONS, VERSION
from clipsvd_app.settings import data_folder

GOLDEN = Path(__file__).parent.parent / "golden"


def new_image(number: int, patient: int = 0) -> NewImage:
    return NewImage(
        patient_key=f"patient-{patient}",
        study_key=f"study-{patient}",
        series_key=f"series-{patient}",
        sha256=f"{number:064x}",
        path=f"/images/{number}.png",
        frame=0,
        modality="US",
        body_part="BREAST",
        rows=256,
        columns=256,
        position=float(number),
    )


@pytest.fixture
def project(tmp_path: Path):
    with create_project(tmp_path / "study") as made:
        yield made


def test_a_new_project_gets_its_suffix_and_identity(project) -> None:
    assert project.path.name == "study.clipsvd"
    with contextlib.closing(sqlite3.connect(project.path)) as plain:
        assert plain.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
        assert plain.execute("PRAGMA user_version").fetchone()[0] == VERSION
        assert all(
            strict
            for _, strict in plain.execute(
                "SELECT name, strict FROM pragma_table_list WHERE type='table' AND name NOT LIKE 'sqlite_%'"
            )
        )


def test_an_existing_file_is_never_overwritten(project) -> None:
    with pytest.raises(UserError, match="already exists"):
        create_project(project.path)


def test_a_file_from_a_newer_version_is_refused_and_left_alone(project) -> None:
    project.close()
    with contextlib.closing(sqlite3.connect(project.path)) as plain:
        plain.execute(f"PRAGMA user_version = {VERSION + 1}")
        plain.commit()
    before = project.path.read_bytes()
    with pytest.raises(UserError, match="newer version") as refused:
        open_project(project.path)
    assert "Update" in refused.value.remedy
    assert project.path.read_bytes() == before


def test_an_older_file_is_kept_as_it_was_and_then_brought_up_to_date(project, monkeypatch) -> None:
    project.apply(AddImages((new_image(1),)))
    project.close()
    newer = (*MIGRATIONS, "ALTER TABLE image ADD COLUMN remark TEXT NOT NULL DEFAULT 'none';")
    monkeypatch.setattr("clipsvd_app.project.database.MIGRATIONS", newer)
    monkeypatch.setattr("clipsvd_app.project.database.VERSION", len(newer))
    with open_project(project.path) as opened:
        assert opened._db.execute("SELECT remark FROM image").fetchall() == [("none",)]
        assert opened._db.execute("PRAGMA user_version").fetchone()[0] == len(newer)
        assert len(opened.images()) == 1
    with contextlib.closing(sqlite3.connect(newest_backup(project.path).path)) as kept:
        assert kept.execute("PRAGMA user_version").fetchone()[0] == VERSION
        assert kept.execute("SELECT count(*) FROM image").fetchone()[0] == 1


def test_the_golden_file_opens_with_its_work(tmp_path: Path) -> None:
    path = tmp_path / "golden.clipsvd"
    shutil.copyfile(GOLDEN / f"project_format{VERSION}.clipsvd", path)
    with open_project(path) as project:
        first, second, third = project.images()
        assert [known.name for known in project.classes()] == ["cyst"]
        assert (first.class_id, third.mark) == (project.classes()[0].id, "uncertain")
        assert second.window == Window(40.0, 400.0)
        assert second.crop == Crop(0.25, 0.25, 0.5, 0.5)
        assert len(project.series_flags()) == 1
        assert first.series_window == Window(500.0, 1000.0, "LINEAR_EXACT")
        line = Measure("distance", ((1.5, 2.5), (4.5, 6.5)))
        ellipse = Measure("ellipse", ((10.5, 20.0), (30.0, 44.25)))
        assert project.measures() == {first.id: (line, ellipse)}
        project.apply(SetMeasures(third.id, (line,)))
        assert project.measures()[third.id] == (line,)


def test_measures_go_with_their_image_and_come_back_with_it(project) -> None:
    project.apply(AddImages((new_image(1), new_image(2))))
    first, second = (image.id for image in project.images())
    line = Measure("distance", ((0.0, 0.0), (3.0, 4.0)))
    angle = Measure("angle", ((0.0, 0.0), (3.0, 4.0), (5.0, 5.5)))
    undo = project.apply(SetMeasures(first, (line,)))
    again = project.apply(SetMeasures(first, (line, angle)))
    assert project.measures() == {first: (line, angle)}
    back = project.apply(RemoveImages((first,)))
    assert project.measures() == {}
    project.apply(back)
    assert project.measures() == {first: (line, angle)}
    project.apply(again)
    assert project.measures() == {first: (line,)}
    project.apply(undo)
    assert project.measures() == {}
    assert second not in project.measures()


@pytest.mark.parametrize(
    "content", [b"", b"hello", os.urandom(4096), b"SQLite format 3\x00" + b"\x00" * 4000]
)
def test_a_file_that_is_no_project_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.clipsvd"
    path.write_bytes(content)
    with pytest.raises(UserError, match="not a CLIP-SVD project"):
        open_project(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["other.clipsvd"]


def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.clipsvd"
    with contextlib.closing(sqlite3.connect(path)) as plain:
        plain.execute("CREATE TABLE t (x)")
    with pytest.raises(UserError, match="not a CLIP-SVD project"):
        open_project(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no project"):
        open_project(tmp_path / "gone.clipsvd")
    with pytest.raises(UserError, match="folder"):
        open_project(tmp_path)


def test_the_second_window_only_reads(project) -> None:
    project.apply(AddImages((new_image(1),)))
    with open_project(project.path) as second:
        assert second.read_only
        assert len(second.images()) == 1
        with pytest.raises(UserError, match="another window"):
            second.apply(AddImages((new_image(2),)))


def test_opening_keeps_a_backup_of_the_file_as_it_was(project) -> None:
    project.apply(AddClass(class_from_name("cyst")))
    project.close()
    before = set(data_folder().rglob("study-*.clipsvd"))
    open_project(project.path).close()
    (backup,) = set(data_folder().rglob("study-*.clipsvd")) - before
    with open_project(backup) as copy:
        assert [known.name for known in copy.classes()] == ["cyst"]


def test_an_image_known_already_is_not_added_twice(project) -> None:
    project.apply(AddImages((new_image(1), new_image(2))))
    project.apply(AddImages((new_image(2), new_image(3))))
    assert len(project.images()) == 3


def test_a_class_name_is_taken_whatever_its_case(project) -> None:
    project.apply(AddClass(class_from_name("Cyst")))
    with pytest.raises(UserError, match="already"):
        project.apply(AddClass(class_from_name("cyst")))


def test_a_full_disk_costs_one_sentence_and_no_label(project) -> None:
    project.apply(AddImages(tuple(new_image(number) for number in range(8))))
    project.apply(AddClass(class_from_name("cyst")))
    (known,) = project.classes()
    first, *rest = [image.id for image in project.images()]
    project.apply(SetLabels({first: known.id}))
    pages = project._db.execute("PRAGMA page_count").fetchone()[0]
    project._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(UserError, match="disk is full") as refused:
        project.apply(AddImages(tuple(new_image(number) for number in range(100, 5000))))
    assert refused.value.remedy
    project._db.execute("PRAGMA max_page_count = 1000000")
    labels = {image.id: image.class_id for image in project.images()}
    assert labels[first] == known.id
    project.apply(SetLabels({rest[0]: known.id}))
    assert sum(image.class_id is not None for image in project.images()) == 2


WRITER = """
import sys
from pathlib import Path
from clipsvd_app.project import open_project
from clipsvd_app.project.changes import SetLabels
project = open_project(Path(sys.argv[1]))
(known,) = project.classes()
for image in project.images():
    project.apply(SetLabels({image.id: known.id}))
    print(image.id, flush=True)
"""


def test_killing_the_program_loses_no_label_that_it_acknowledged(project) -> None:
    project.apply(AddImages(tuple(new_image(number) for number in range(400))))
    project.apply(AddClass(class_from_name("cyst")))
    project.close()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(project.path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(25)]
    writer.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    acknowledged += [int(line) for line in writer.stdout.read().split()]
    writer.stdout.close()
    writer.wait()
    with open_project(project.path) as again:
        assert not again.read_only
        labelled = {image.id for image in again.images() if image.class_id is not None}
    assert labelled >= set(acknowledged)


def test_the_tables_have_room_for_no_name_id_or_date_of_a_patient(project) -> None:
    columns = {
        row[1]
        for table in ("patient", "study", "series", "series_flag", "image", "measure")
        for row in project._db.execute(f"PRAGMA table_info({table})")
    }
    assert columns == {
        "id",
        "key",
        "patient_id",
        "study_id",
        "series_id",
        "modality",
        "body_part",
        "code",
        "sentence",
        "count",
        "sha256",
        "path",
        "frame",
        "position",
        "rows",
        "columns",
        "near_hash",
        "burned_in_text",
        "display_window",
        "crop",
        "mark",
        "image_id",
        "kind",
        "points",
    }


def test_the_list_of_runs_reads_no_result(project) -> None:
    run = made_run(("a", "b"), ids=range(1, 21), labels=[place % 2 for place in range(20)], training=4)
    project.add_run("quick", {}, run, b"")
    project._db.execute("UPDATE run SET result = 'not read'")
    (listed,) = project.runs()
    assert (listed.seconds, listed.backbone_sha256) == (run.seconds, run.backbone_sha256)


def test_the_number_of_a_removed_image_or_class_is_given_to_no_other(project) -> None:
    project.apply(AddImages((new_image(1), new_image(2))))
    numbers = [image.id for image in project.images()]
    put_back = project.apply(RemoveImages(tuple(numbers)))
    take_back = project.apply(AddImages((new_image(3),)))
    assert project.images()[0].id not in numbers
    project.apply(take_back)
    project.apply(put_back)
    assert [image.id for image in project.images()] == numbers
    project.apply(project.apply(AddClass(class_from_name("cyst"))))
    project.apply(AddClass(class_from_name("mass")))
    assert [known.id for known in project.classes()] == [2]
