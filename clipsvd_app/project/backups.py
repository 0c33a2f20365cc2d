"""Backups of a project: the last copies of the file as it was when opened."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.errors import file_errors, reason_of
from clipsvd_app.files import draft_of
from clipsvd_app.project.schema import APPLICATION_ID
from clipsvd_app.settings import data_folder

if TYPE_CHECKING:
    from collections.abc import Iterable

# One is made at each opening of a project that has changed, so these are the states before its last ten
# sessions.
BACKUPS_KEPT = 10


@dataclass(frozen=True, slots=True)
class Backup:
    """A whole copy of a project, as it was at ``at``, local time."""

    path: Path
    at: dt.datetime


def make_backup(connection: sqlite3.Connection, path: Path) -> str:
    """Keep a copy of the file as it is; an unchanged file gets none.

    Returns "", or a sentence that says why there is no backup: that must keep nobody from the project.
    """
    folder, state = _folder(path), path.stat()
    kept = _kept(folder, path)
    # In microseconds: drives keep times at different resolutions, and a copied time may have lost its
    # nanoseconds.
    if kept and _stamp_of(kept[-1]) == (state.st_size, state.st_mtime_ns // 1000):
        return ""
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S-%f")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with draft_of(folder / f"{path.stem}-{stamp}.clipsvd") as draft:
            with contextlib.closing(sqlite3.connect(draft)) as copy:
                connection.backup(copy)
            # marks which state of the project this is, whatever the clocks of two drives say
            os.utime(draft, ns=(state.st_atime_ns, state.st_mtime_ns))
    except sqlite3.Error:
        return _none(folder, "its drive is full or not writable")
    except OSError as error:
        return _none(folder, reason_of(error))
    finally:
        _clear(folder.glob("*.part*"))
    _clear(kept[: max(0, len(kept) + 1 - BACKUPS_KEPT)])
    return ""


def newest_backup(path: Path, project_id: str = "") -> Backup | None:
    """Return the newest whole backup of the project at this path, or of any copy of it by its identity."""
    found = _kept(_folder(path), path)
    if not found and project_id:
        found = [file for file in _root().glob("*/*.clipsvd") if _project_id(file) == project_id]
    best = max(found, key=lambda file: file.stat().st_mtime_ns, default=None)
    if best is None:
        return None
    return Backup(best, dt.datetime.fromtimestamp(best.stat().st_mtime).astimezone())


def copy_beside(backup: Backup, path: Path) -> Path:
    """Copy a backup to a new file beside the project, named by its day, and return that file."""
    name = f"{path.stem} backup {backup.at:%Y-%m-%d %H.%M}"
    names = (f"{name}.clipsvd", *(f"{name} ({number}).clipsvd" for number in range(2, 1000)))
    target = next(file for each in names if not (file := path.resolve().with_name(each)).exists())
    with file_errors(target):
        shutil.copyfile(backup.path, target)
    return target


def _none(folder: Path, why: str) -> str:
    return f"No backup was made in {folder.parent}: {why}. The project is not affected."


def _root() -> Path:
    return data_folder() / "backups"


def _folder(path: Path) -> Path:
    return _root() / hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]


def _kept(folder: Path, path: Path) -> list[Path]:
    """Return the whole backups, oldest first; what is cut short counts as none, what is empty goes."""
    if not folder.is_dir():
        return []
    found = sorted(file for file in folder.iterdir() if file.suffix == ".clipsvd")
    _clear([file for file in found if file.stat().st_size == 0])
    return [file for file in found if file.name.startswith(f"{path.stem}-") and _is_whole(file)]


def _is_whole(file: Path) -> bool:
    """Tell from the header: the mark, and as many pages as it counts (fileformat.html, 1.3)."""
    try:
        with file.open("rb") as stream:
            head = stream.read(100)
        size = file.stat().st_size
    except OSError:
        return False
    # The page size in bytes, where 1 stands for 65,536, and the number of pages.
    page = int.from_bytes(head[16:18], "big") or 1
    pages = int.from_bytes(head[28:32], "big")
    return head[68:72] == APPLICATION_ID.to_bytes(4, "big") and size == pages * (65536 if page == 1 else page)


def _stamp_of(backup: Path) -> tuple[int, int]:
    state = backup.stat()
    return state.st_size, state.st_mtime_ns // 1000


def _project_id(file: Path) -> str:
    try:
        with contextlib.closing(sqlite3.connect(file)) as database:
            row = database.execute("SELECT value FROM setting WHERE key = 'project_id'").fetchone()
    except sqlite3.Error:
        return ""
    return "" if row is None else str(row[0])


def _clear(files: Iterable[Path]) -> None:
    for file in files:
        with contextlib.suppress(OSError):
            file.unlink()
