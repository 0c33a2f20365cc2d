"""A project whose newest changes lie in a log that is not here, in the window."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3

import pytest

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.project import create_project, open_project
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.ui.session.session import OPEN_BACKUP, Session

pytestmark = pytest.mark.gui


def test_the_window_says_so_and_opens_the_newest_backup_beside_it(qtbot, tmp_path, monkeypatch):
    monkeypatch.setenv("CLIPSVD_HOME", str(tmp_path / "home"))
    with create_project(tmp_path / "study") as project:
        project.apply(AddClass(class_from_name("cyst")))
    open_project(project.path).close()
    copy = tmp_path / "mailed.clipsvd"
    with contextlib.closing(sqlite3.connect(project.path)) as plain:
        plain.execute("PRAGMA journal_mode = WAL")
        plain.execute("INSERT INTO class (name, prompts, position) VALUES ('mass', '[]', 1)")
        plain.commit()
        shutil.copyfile(project.path, copy)
    session = Session()
    notices = []
    session.notice.connect(notices.append)
    assert session.open_project(copy)
    (notice,) = notices
    assert (notice.kind, notice.action) == ("warning", OPEN_BACKUP)
    session.open_backup()
    assert session.project.path.name.startswith("mailed backup ")
    assert session.project.path.parent == tmp_path
    assert [known.name for known in session.classes()] == ["cyst"]
    session.close()
