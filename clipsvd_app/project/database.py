"""Opening a project file safely: identity, version, one writer, durable commits, backups."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from filelock import FileLock, Timeout

from clipsvd_app.errors import UserError, file_error
from clipsvd_app.project.schema import APPLICATION_ID, MIGRATIONS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

# https://www.sqlite.org/fileformat.html, 1.3
_SQLITE, _WRITES_AT, _MARK_AT = b"SQLite format 3\x00", 18, 68
# Value of the byte that tells how the file is written: 2 for a write-ahead log, 1 for a rollback journal.
_WRITE_AHEAD = 2
# Windows' prefix of paths beyond 260 characters, \\?\C:\... or \\?\UNC\server\share.
_EXTENDED = "\\\\?\\"


def create_database(path: Path) -> sqlite3.Connection:
    """Make an empty project file; refuses to overwrite anything."""
    if path.exists():
        raise UserError(
            f"“{path.name}” already exists.",
            remedy="Open it, or choose another name.",
            code="project_exists",
        )
    for log in (Path(f"{path}-journal"), Path(f"{path}-wal")):
        if log.exists() and log.stat().st_size:
            raise UserError(
                f"“{log.name}” in this folder is the log of another project named “{path.name}”.",
                remedy="Move it to that project, which needs it, or choose another name.",
                code="project_log_left",
            )
    with worded(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _stamp(path)
            connection = _connect(path, read_only=False)
            _migrate(connection, 0)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return connection


def database_in_memory() -> sqlite3.Connection:
    """Return an empty project that has no file."""
    # Work in threads reads the project too, which sqlite3 forbids by default.
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _migrate(connection, 0)
    return connection


def look_into_database(path: Path) -> sqlite3.Connection:
    """Open a file for a look that takes no lock, waits for nobody and leaves nothing beside it.

    What another program writes meanwhile may be seen by halves (https://www.sqlite.org/uri.html, immutable).
    """
    with worded(path):
        connection = sqlite3.connect(
            f"{_read_only_uri(path)}&immutable=1", uri=True, isolation_level=None, check_same_thread=False
        )
        try:
            _checked_version(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def require_project(path: Path) -> None:
    """Refuse a missing file, a folder, and a file that does not carry the project's mark; opens nothing."""
    if path.is_dir():
        raise UserError(
            f"“{path.name}” is a folder, not a project.",
            remedy="Choose a project file (.clipsvd).",
            code="not_a_project",
        )
    if not path.is_file():
        raise UserError(
            f"There is no project “{path.name}”.",
            remedy="Check the name, or create one with File > New project or clipsvd new.",
            code="project_missing",
        )
    head = _head(path)
    if not head.startswith(_SQLITE) or head[_MARK_AT:] != APPLICATION_ID.to_bytes(4, "big"):
        raise _not_a_project(path)


def lacks_its_log(path: Path) -> bool:
    """Whether the file says that newer changes lie in a write-ahead log, and that log is not beside it.

    This program keeps none, so that the one file is always whole; other SQLite tools turn it on.
    """
    return _head(path)[_WRITES_AT] == _WRITE_AHEAD and not Path(f"{path.resolve()}-wal").exists()


def open_database(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open a project file as it is; ``bring_up_to_date`` goes with it where it is written to.

    Raises UserError for a damaged file or one of a newer version.
    """
    with worded(path):
        connection = _connect(path, read_only=read_only)
        try:
            _checked_version(connection, path)
            # a copy that was taken in the middle of a change, or a file whose rollback journal is gone
            if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise damaged(path)
        except BaseException:
            connection.close()
            raise
    return connection


def bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    """Take an older file through the migrations that it lacks, each with its number or not at all."""
    with worded(path):
        _migrate(connection, _checked_version(connection, path))


def close_database(connection: sqlite3.Connection) -> None:
    """Close the file and take its empty journal away."""
    # Closing must not fail on a read-only or lost drive; an empty journal does no harm.
    with contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


def writer_lock(path: Path) -> FileLock | None:
    """Take the one writer's lock, or return None when another window holds it."""
    lock = FileLock(f"{path.resolve()}.lock")  # a link and its file are one project
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a drive without flock gets a lock by a file's mere presence
            lock.acquire(timeout=0)
    except Timeout:
        return None
    except NotImplementedError as error:
        raise UserError(
            f"The drive of “{path.name}” does not support file locks, which protect a project from"
            f" being changed twice at once.",
            remedy="Copy the project to this computer and open it there.",
            code="no_locks",
        ) from error
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise file_error(path, error) from error
        raise UserError(
            f"The folder of “{path.name}” is not writable.",
            remedy="Copy the project to your own folder and open it there.",
            code="read_only_folder",
        ) from error
    return lock


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """All or nothing, on disk before this returns; a full disk becomes one sentence."""
    with worded(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            # SQLite may have rolled back by itself, as on a full disk; the first error is the one to report.
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise


def _stamp(path: Path) -> None:
    """Write the project's mark into the file itself, before a write-ahead log can hold it back."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _head(path: Path) -> bytes:
    with worded(path), path.open("rb") as file:
        return file.read(_MARK_AT + 4)


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open with a rollback journal on every file system.

    A write-ahead log saves a few milliseconds a label, but keeps the newest labels out of the file that
    people copy, and is not safe on a share (https://www.sqlite.org/wal.html). A truncated journal is
    synced, which a deleted one is not.
    """
    place = _read_only_uri(path) if read_only else str(path.resolve())
    connection = sqlite3.connect(place, uri=read_only, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    if not read_only:
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = FULL")
    return connection


def _read_only_uri(path: Path) -> str:
    """Return SQLite's form of URI; that of a Windows share has four slashes, and no authority.

    https://www.sqlite.org/uri.html, 3.1
    """
    whole = str(path.resolve())
    if whole.startswith(_EXTENDED):
        whole = whole.removeprefix(_EXTENDED).replace("UNC", "\\", 1)
    posix = whole.replace("\\", "/") if path.drive or whole.startswith("\\") else whole
    return f"file://{'' if posix.startswith('/') else '/'}{quote(posix)}?mode=ro"


def _checked_version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise UserError(
            f"“{path.name}” was written by a newer version of the program"
            f" (format {version}, this one reads {VERSION}).",
            remedy="Update CLIP-SVD Studio, then open it again. The file was not changed.",
            code="project_newer",
        )
    return version


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")


@contextlib.contextmanager
def worded(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say into a sentence with a remedy."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _sqlite_error(path, error) from error
    except OSError as error:
        raise file_error(path, error) from error


def _sqlite_error(path: Path, error: sqlite3.DatabaseError) -> Exception:
    """Return the sentence for SQLite's result code (https://www.sqlite.org/rescode.html), else our bug."""
    kind = str(getattr(error, "sqlite_errorname", "")).removeprefix("SQLITE_").partition("_")[0]
    match kind:
        case "NOTADB":
            return _not_a_project(path)
        case "CORRUPT":
            return damaged(path)
        case "FULL":
            return UserError(
                "The disk is full. The last change was not saved; earlier changes are safe.",
                remedy="Free some space, then repeat the last step.",
                code="disk_full",
            )
        case "IOERR":
            return UserError(
                f"The drive of “{path.name}” failed. The last change was not saved.",
                remedy="Check that the drive is connected and has free space, then repeat the last step.",
                code="disk_error",
            )
        case "BUSY" | "LOCKED":
            return UserError(
                f"Another program is using “{path.name}”.",
                remedy="Wait until it has finished or close it, then repeat the last step.",
                code="project_busy",
            )
        case "CANTOPEN":
            return UserError(
                f"“{path.name}” cannot be opened.",
                remedy="Check the permissions of the file and its folder, and that its drive is connected.",
                code="project_not_readable",
            )
        case "READONLY" | "PERM" | "AUTH":
            return UserError(
                f"“{path.name}” is not writable.",
                remedy="Check the permissions of the file and its folder.",
                code="project_not_writable",
            )
    return error


def damaged(path: Path) -> UserError:
    """Return the refusal of a file that is a project and cannot be read as one."""
    return UserError(
        f"“{path.name}” is damaged: part of the file is missing or was overwritten.",
        remedy="Close the program and copy the file again.",
        code="project_damaged",
    )


def _not_a_project(path: Path) -> UserError:
    return UserError(
        f"“{path.name}” is not a CLIP-SVD project.",
        remedy="Choose a project file (.clipsvd).",
        code="not_a_project",
    )
