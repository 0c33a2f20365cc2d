"""One file that is always whole: copies, links, shares, backups, and the reasons of refusals."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path, PureWindowsPath

import pytest

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.project_values import NewImage
from clipsvd_app.errors import UserError, file_error
from clipsvd_app.project import backups, create_project, database, open_project
from clipsvd_app.project.backups import copy_beside, newest_backup
from clipsvd_app.project.changes import AddImages, SetLabels
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.settings import data_folder


def fill(project, count: int = 12) -> None:
    images = (
        NewImage("p", "st", "se", f"{n:064x}", f"/i/{n}.png", 0, "US", "BREAST", 8, 8, float(n))
        for n in range(count)
    )
    project.apply(AddImages(tuple(images)))
    project.apply(AddClass(class_from_name("cyst")))


def label_all(project) -> None:
    (known,) = project.classes()
    for image in project.images():
        project.apply(SetLabels({image.id: known.id}))


def labels_in(path: Path) -> int:
    with open_project(path) as project:
        assert project.remarks == ()
        return sum(image.class_id is not None for image in project.images())


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLIPSVD_HOME", str(tmp_path / "home"))
    with create_project(tmp_path / "study") as project:
        fill(project)
    return tmp_path / "study.clipsvd"


def kept_backups() -> list[Path]:
    return sorted(data_folder().glob("backups/*/*.clipsvd"))


@pytest.mark.parametrize("second_window", [False, True])
def test_the_file_alone_copied_while_it_is_open_has_every_label(study: Path, second_window: bool) -> None:
    copy = study.with_name("mailed.clipsvd")
    with contextlib.ExitStack() as windows:
        project = windows.enter_context(open_project(study))
        if second_window:
            windows.enter_context(open_project(study)).images()
        label_all(project)
        shutil.copyfile(study, copy)
    assert labels_in(copy) == 12


KILLED = """
import os, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from clipsvd_app.project import open_project
from test_project_whole import label_all
label_all(open_project(Path(sys.argv[1])))
os._exit(9)
"""


def test_the_file_moved_alone_after_a_kill_has_every_label(study: Path) -> None:
    killed = [sys.executable, "-c", KILLED, str(study), str(Path(__file__).parent)]
    assert subprocess.run(killed, check=False).returncode == 9
    moved = study.with_name("elsewhere")
    moved.mkdir()
    assert labels_in(study.rename(moved / study.name)) == 12


def test_a_closed_project_leaves_nothing_beside_it(study: Path) -> None:
    with open_project(study) as project:
        label_all(project)
    assert {file.name for file in study.parent.glob("study*")} <= {"study.clipsvd", "study.clipsvd.lock"}


def written_ahead(study: Path) -> Path:
    """Turn on a log that another tool would, label into it, and copy the file without it."""
    copy = study.with_name("half.clipsvd")
    open_project(study).close()
    with contextlib.closing(sqlite3.connect(study)) as plain:
        plain.execute("PRAGMA journal_mode = WAL")
        plain.execute("INSERT INTO label (image_id, class_id) VALUES (1, 1)")
        plain.commit()
        shutil.copyfile(study, copy)
    return copy


def test_a_missing_log_is_said_and_the_newest_backup_offered(study: Path) -> None:
    copy = written_ahead(study)
    with open_project(copy) as project:
        (remark,) = project.remarks
    assert "half.clipsvd-wal" in remark.message
    assert remark.backup is not None
    assert str(remark.backup.path) in remark.remedy
    beside = copy_beside(remark.backup, copy)
    assert beside.parent == copy.parent
    assert labels_in(beside) == 0
    assert copy_beside(remark.backup, copy) != beside
    assert labels_in(copy) == 0  # said once: the file has no log any more


def test_a_log_that_is_there_is_read_and_folded_in(study: Path) -> None:
    other = study.with_name("both.clipsvd")
    with contextlib.closing(sqlite3.connect(study)) as plain:
        plain.execute("PRAGMA journal_mode = WAL")
        plain.execute("INSERT INTO label (image_id, class_id) VALUES (1, 1)")
        plain.commit()
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{study}{suffix}", f"{other}{suffix}")
    assert labels_in(other) == 1
    assert not Path(f"{other}-wal").exists()


@pytest.mark.parametrize("ending", ["-wal", "-journal"])
def test_the_log_of_a_project_that_moved_away_is_not_thrown_away(study: Path, ending: str) -> None:
    log = study.with_name(f"new.clipsvd{ending}")
    log.write_bytes(b"labels of another project")
    with pytest.raises(UserError, match="log of another project"):
        create_project(study.with_name("new"))
    assert log.read_bytes() == b"labels of another project"
    assert not study.with_name("new.clipsvd").exists()


def test_a_file_that_was_cut_short_is_called_damaged_and_its_backup_named(study: Path) -> None:
    open_project(study).close()
    with study.open("r+b") as file:
        file.truncate(study.stat().st_size // 2)
    with pytest.raises(UserError, match="damaged") as refused:
        open_project(study)
    assert str(kept_backups()[-1]) in refused.value.remedy
    assert kept_backups()


def test_a_link_and_its_file_have_one_writer(study: Path) -> None:
    link = study.with_name("link.clipsvd")
    try:
        link.symlink_to(study)
    except OSError:
        pytest.skip("links need a right that this user lacks")
    with open_project(study), open_project(link) as second:
        assert second.read_only


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        (r"\\server\share\a b.clipsvd", "file:////server/share/a%20b.clipsvd?mode=ro"),
        (r"\\?\UNC\server\share\x.clipsvd", "file:////server/share/x.clipsvd?mode=ro"),
        (r"\\?\C:\x.clipsvd", "file:///C%3A/x.clipsvd?mode=ro"),
        (r"Z:\#1 100%\x.clipsvd", "file:///Z%3A/%231%20100%25/x.clipsvd?mode=ro"),
    ],
)
def test_a_windows_path_becomes_a_uri_that_sqlite_takes(name: str, uri: str) -> None:
    class Windows(PureWindowsPath):
        def resolve(self):
            return self

    assert database._read_only_uri(Windows(name)) == uri  # type: ignore[arg-type]


@pytest.mark.skipif(os.name == "nt", reason="names that Windows does not take")
@pytest.mark.parametrize("name", ["a?b", "a#b%41", "back\\slash", "Käse & 'q'"])
def test_a_project_opens_and_is_read_under_any_name(study: Path, name: str) -> None:
    odd = study.with_name(f"{name}.clipsvd")
    shutil.copyfile(study, odd)
    with open_project(odd) as project, open_project(Path(f"/{odd}")) as second:
        label_all(project)
        assert second.read_only
        assert all(image.class_id for image in second.images())


def test_an_unchanged_project_gets_one_backup_and_a_changed_one_another(study: Path) -> None:
    for _ in range(3):
        open_project(study).close()
    assert len(kept_backups()) == 1
    with open_project(study) as project:
        label_all(project)
    os.utime(study, (1, 1))  # an older copy put in its place, or a drive with another clock
    open_project(study).close()
    assert len(kept_backups()) == 2


def test_what_is_no_whole_backup_does_not_count(study: Path) -> None:
    open_project(study).close()
    (whole,) = kept_backups()
    empty, cut = whole.with_name("study-9999.clipsvd"), whole.with_name("study-9998.clipsvd")
    empty.touch()
    cut.write_bytes(whole.read_bytes()[:-4096])
    found = newest_backup(study)
    assert found is not None
    assert found.path == whole
    assert kept_backups() == [whole, cut]


def test_no_room_for_a_backup_is_said_and_keeps_nobody_out(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(backups.os, "utime", full)
    with open_project(study) as project:
        label_all(project)
        (remark,) = project.remarks
    assert "the disk is full" in remark.message
    assert not list(data_folder().glob("backups/*/*"))


def test_a_data_folder_that_cannot_be_made_keeps_nobody_out(study: Path) -> None:
    shutil.rmtree(data_folder(), ignore_errors=True)
    data_folder().parent.mkdir(exist_ok=True)
    data_folder().write_text("a file in its place")
    with open_project(study) as project:
        assert "No backup was made" in project.remarks[0].message


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission"),
        (errno.ENAMETOOLONG, "too long"),
        (errno.EIO, "does not respond"),
    ],
)
def test_each_refusal_of_the_system_has_its_own_sentence(number: int, said: str) -> None:
    assert said in file_error(Path("study.clipsvd"), OSError(number, "")).message


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("SQLITE_IOERR_WRITE", "failed. The last change"),
        ("SQLITE_BUSY_SNAPSHOT", "Another program is using"),
        ("SQLITE_READONLY_DBMOVED", "is not writable"),
        ("SQLITE_CANTOPEN", "cannot be opened"),
        ("SQLITE_CORRUPT", "damaged"),
        ("SQLITE_FULL", "disk is full"),
    ],
)
def test_each_refusal_of_sqlite_has_its_own_sentence(code: str, said: str) -> None:
    error = sqlite3.OperationalError("words of some version")
    error.sqlite_errorname = code
    with pytest.raises(UserError, match=said), database.worded(Path("study.clipsvd")):
        raise error
