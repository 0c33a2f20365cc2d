"""Opening a project file safely: identity, version, one writer, durable commits, backups."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from clipsvd_app.errors import UserError
from clipsvd_app.project.schema import APPLICATION_ID, MIGRATIONS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKUPS_KEPT = 10
_SQLITE, _MARK_AT = b"SQLite format 3\x00", 68  # https://www.sqlite.org/fileformat.html, 1.3


def create_database(path: Path) -> sqlite3.Connection:
    """Make an empty project file; refuses to overwrite anything."""
    if path.exists():
        raise UserError(
            f"“{path.name}” exists already.",
            remedy="Open it, or choose another name.",
            code="project_exists",
        )
    with _worded(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _stamp(path)
        connection = _connect(path, read_only=False)
        _migrate(connection, 0)
    return connection


def require_project(path: Path) -> None:
    """Refuse a missing file, a folder, and a file that does not carry the project's mark; opens nothing."""
    if path.is_dir():
        raise UserError(
            f"“{path.name}” is a folder, not a project.",
            remedy="Choose a file whose name ends in .clipsvd.",
            code="not_a_project",
        )
    if not path.is_file():
        raise UserError(
            f"There is no project “{path.name}”.",
            remedy="Check the name, or make one with File > New project (clipsvd new).",
            code="project_missing",
        )
    with _worded(path), path.open("rb") as file:
        head = file.read(_MARK_AT + 4)
    if not head.startswith(_SQLITE) or head[_MARK_AT:] != APPLICATION_ID.to_bytes(4, "big"):
        raise _not_a_project(path)


def open_database(path: Path, *, read_only: bool, backups: Path) -> sqlite3.Connection:
    """Open a project file, bringing an older one up to date after a backup.

    Raises UserError for a damaged file or one of a newer version.
    """
    with _worded(path):
        connection = _connect(path, read_only=read_only)
        try:
            version = _checked_version(connection, path)
            if not read_only:
                _backup(connection, path, backups)
                _migrate(connection, version)
        except BaseException:
            connection.close()
            raise
    return connection


def writer_lock(path: Path) -> FileLock | None:
    """Take the one writer's lock, or return None when another window holds it."""
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    except OSError as error:
        raise UserError(
            f"“{path.name}” lies in a folder that cannot be written to.",
            remedy="Copy the project to a folder of yours and open it there.",
            code="read_only_folder",
        ) from error
    return lock


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """All or nothing, on disk before this returns; a full disk becomes one sentence."""
    with _worded(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise


def _stamp(path: Path) -> None:
    """Write the project's mark into the file itself, before a write-ahead log can hold it back."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}{'?mode=ro' if read_only else ''}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    if not read_only:
        connection.execute(
            "PRAGMA journal_mode = DELETE" if _on_network(path) else "PRAGMA journal_mode = WAL"
        )
        connection.execute("PRAGMA synchronous = FULL")
    return connection


def _checked_version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise UserError(
            f"“{path.name}” was written by a newer version of the program"
            f" (format {version}, this one reads {VERSION}).",
            remedy="Update CLIP-SVD Studio and open it again; the file was not changed.",
            code="project_newer",
        )
    return version


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")


def _backup(connection: sqlite3.Connection, path: Path, folder: Path) -> None:
    """Keep the last copies of the file as it was when opened; an unchanged file gets none."""
    kept = sorted(folder.glob(f"{path.stem}-*.clipsvd")) if folder.is_dir() else []
    if kept and kept[-1].stat().st_mtime >= path.stat().st_mtime:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S-%f")
        with contextlib.closing(sqlite3.connect(folder / f"{path.stem}-{stamp}.clipsvd")) as copy:
            connection.backup(copy)
        for old in kept[: max(0, len(kept) + 1 - BACKUPS_KEPT)]:
            old.unlink(missing_ok=True)
    except OSError:
        return  # no room for a backup must not keep the user from the project itself


def _on_network(path: Path) -> bool:
    """Say whether the file lies on a mounted share, where WAL is not safe."""
    if str(path).startswith("\\\\"):
        return True
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    remote = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs"}
    points = [line.split()[1:3] for line in mounts if len(line.split()) > 2]
    best = max(
        (p for p in points if path.resolve().is_relative_to(p[0])), key=lambda p: len(p[0]), default=None
    )
    return best is not None and best[1] in remote


@contextlib.contextmanager
def _worded(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say into a sentence with a remedy."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        text = str(error)
        if "not a database" in text or "malformed" in text:
            raise _not_a_project(path) from error
        if "full" in text or "disk I/O" in text:
            raise UserError(
                "The disk is full, so the last change was not saved; everything before it is safe.",
                remedy="Free some space and repeat the last step.",
                code="disk_full",
            ) from error
        if "readonly" in text or "unable to open" in text or "locked" in text:
            raise UserError(
                f"“{path.name}” cannot be written to.",
                remedy="Close the other program that holds it, or check the folder's permissions.",
                code="project_not_writable",
            ) from error
        raise
    except PermissionError as error:
        raise UserError(
            f"“{path.name}” may not be read or written.",
            remedy="Check the permissions of the file and its folder.",
            code="project_not_writable",
        ) from error


def _not_a_project(path: Path) -> UserError:
    return UserError(
        f"“{path.name}” is not a CLIP-SVD project.",
        remedy="Choose a file that the program has made; its name ends in .clipsvd.",
        code="not_a_project",
    )
