"""A project: one SQLite file, one writer, and a change for everything that happens to it."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import secrets
import sqlite3
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from msgspec import structs

from clipsvd_app.domain.classes import class_key
from clipsvd_app.domain.project_values import ProjectImage
from clipsvd_app.domain.records import to_text
from clipsvd_app.errors import UserError
from clipsvd_app.project import queries
from clipsvd_app.project.backups import Backup, make_backup, newest_backup
from clipsvd_app.project.database import (
    bring_up_to_date,
    close_database,
    create_database,
    database_in_memory,
    lacks_its_log,
    look_into_database,
    open_database,
    require_project,
    transaction,
    worded,
    writer_lock,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from types import TracebackType

    from filelock import FileLock

    from clipsvd_app.domain.measures import Measure
    from clipsvd_app.domain.project_values import LabelEvent, ProjectClass, Reading, RunSummary, SeriesFlag
    from clipsvd_app.domain.results.explanation import RunExplanation
    from clipsvd_app.domain.results.run import RunResult
    from clipsvd_app.project.changes import Change

SUFFIX = ".clipsvd"


@dataclass(frozen=True, slots=True)
class Remark:
    """What a user should know of a project that did open; ``backup`` where one may help."""

    message: str
    remedy: str = ""
    backup: Backup | None = None


class Project:
    """An open project. Use ``create_project`` or ``open_project``.

    ``remarks`` say what was noticed on opening.
    """

    def __init__(
        self,
        path: Path,
        database: sqlite3.Connection,
        lock: FileLock | None,
        remarks: tuple[Remark, ...] = (),
    ) -> None:
        self.path = path
        self.remarks = remarks
        self._db = database
        self._lock = lock
        # Changes of thousands of rows are carried out in a thread; those of the window wait for their end.
        self._writing = threading.Lock()
        # Pages ask for the same run one after another, and nothing changes a result but its explanation.
        self._last_result: tuple[int, RunResult] | None = None

    @property
    def images_folder(self) -> Path:
        """The folder beside the project for images that it holds itself: collected, or out of archives."""
        return self.path.with_name(f"{self.path.stem} images")

    @property
    def read_only(self) -> bool:
        """True when another window is the writer."""
        return self._lock is None

    def apply(self, change: Change) -> Change:
        """Carry out a change, safe on disk when this returns; returns the change that takes it back."""
        self._require_writer()
        try:
            with self._writing, transaction(self._db, self.path):
                return change.apply(self._db)
        except sqlite3.IntegrityError as error:
            # Each reader has an undo of their own, so what a step is built on can be gone by then.
            raise UserError(
                f"“{change.title}” is not possible: its target was removed or replaced.",
                remedy="Nothing was changed.",
                code="overtaken",
            ) from error

    def images(self, ids: Iterable[int] | None = None) -> tuple[ProjectImage, ...]:
        """Return images in reading order."""
        return tuple(self.placed(image) for image in queries.images(self._db, ids))

    def classes(self) -> tuple[ProjectClass, ...]:
        """Return the classes in their order."""
        return queries.classes(self._db)

    def class_named(self, name: str) -> ProjectClass:
        """Return a class by its name, however it is spelt."""
        for known in self.classes():
            if class_key(known.name) == class_key(name):
                return known
        raise UserError(
            f"The project has no class “{name}”.",
            remedy=f"Its classes are: {', '.join(c.name for c in self.classes()) or 'none yet'}.",
            code="unknown_class",
        )

    def known_frames(self) -> set[tuple[str, int]]:
        """Return (sha256, frame) of every image."""
        return queries.known_frames(self._db)

    def series_flags(self) -> dict[int, tuple[SeriesFlag, ...]]:
        """Return what is irregular about each series by its id."""
        return queries.series_flags(self._db)

    def measures(self) -> dict[int, tuple[Measure, ...]]:
        """Return what was drawn on images, by image."""
        return queries.measures(self._db)

    def files_of_series(self, key: str) -> tuple[tuple[str, str], ...]:
        """Return (sha256, path) of the files of a series."""
        return queries.files_of_series(self._db, key)

    def slices_of_series(self, keys: Iterable[str]) -> tuple[tuple[str, str, int, float], ...]:
        """Return (series key, path, frame, position) of every image of these series."""
        found = queries.slices_of_series(self._db, keys)
        return tuple((key, self._whole(path), frame, position) for key, path, frame, position in found)

    def series_keys(self) -> dict[int, str]:
        """Return the salted key of each series by its id."""
        return queries.series_keys(self._db)

    def label_log(self) -> tuple[LabelEvent, ...]:
        """Return every label ever given, oldest first."""
        return queries.label_log(self._db)

    def readings(self) -> tuple[Reading, ...]:
        """Return what second readers say, by reader and image."""
        return queries.readings(self._db)

    def setting(self, key: str, default: str = "") -> str:
        """Return a stored setting."""
        return queries.setting(self._db, key, default)

    def set_setting(self, key: str, value: str) -> None:
        """Store a setting."""
        self._require_writer()
        with self._writing, transaction(self._db, self.path):
            self._db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (key, value))

    def salted(self, text: str) -> str:
        """Return a hash that is the same for the same text in this project only."""
        return hashlib.sha256(f"{self.setting('salt')}\x00{text}".encode()).hexdigest()[:24]

    def runs(self) -> tuple[RunSummary, ...]:
        """Return all runs, oldest first."""
        return queries.runs(self._db)

    def run_of_job(self, job: str) -> int | None:
        """Return the run that a job was recorded as, None while it was not."""
        return queries.run_of_job(self._db, job)

    def run_result(self, number: int) -> RunResult:
        """Return what a run found. Decoding thousands of predictions takes a moment: lists use ``runs``."""
        if (kept := self._last_result) is not None and kept[0] == number:
            return kept[1]
        result = queries.run_result(self._db, number)
        self._last_result = number, result
        return result

    def run_summary(self, number: int) -> RunSummary:
        """Return what lists show of a run."""
        return queries.run_summary(self._db, number)

    def run_request(self, number: int) -> dict[str, Any]:
        """Return what is kept of the request of a run."""
        request: dict[str, Any] = json.loads(queries.run_request(self._db, number))
        return request

    def run_adapter(self, number: int) -> bytes:
        """Return the adapter file of a run."""
        return queries.run_adapter(self._db, number)

    def run_classifiers(self, number: int) -> dict[str, bytes]:
        """Return the files of a run's classifiers on frozen features, by method."""
        return queries.run_classifiers(self._db, number)

    def latest_run(self) -> int:
        """Return the newest run's number."""
        return queries.latest_run(self._db)

    def add_run(
        self,
        preset: str,
        request: dict[str, object],
        result: RunResult,
        adapter: bytes,
        classifiers: Mapping[str, bytes] | None = None,
    ) -> int:
        """Store a finished run and return its number; ``classifiers`` are files by method."""
        self._require_writer()
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        with self._writing, transaction(self._db, self.path):
            cursor = self._db.execute(
                "INSERT INTO run (created, preset, request, result, adapter, summary)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    now,
                    preset,
                    json.dumps(request),
                    to_text(result),
                    adapter,
                    json.dumps(queries.summary_of(result)),
                ),
            )
            self._db.executemany(
                "INSERT INTO run_classifier (run, method, file) VALUES (?, ?, ?)",
                [(cursor.lastrowid, method, file) for method, file in (classifiers or {}).items()],
            )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def set_run_explanation(self, number: int, explanation: RunExplanation) -> None:
        """Put another explanation of what a run changed in the place of the one that it left."""
        self._require_writer()
        result = structs.replace(self.run_result(number), explanation=explanation)
        with self._writing, transaction(self._db, self.path):
            self._db.execute("UPDATE run SET result = ? WHERE number = ?", (to_text(result), number))
        self._last_result = None

    def close(self) -> None:
        """Close the file and let the next writer in."""
        with self._writing:
            close_database(self._db)
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def placed(self, image: ProjectImage) -> ProjectImage:
        """Return the image with its whole path; collected ones are kept relative to the project."""
        return image if _is_absolute(image.path) else replace(image, path=self._whole(image.path))

    def _whole(self, path: str) -> str:
        return path if _is_absolute(path) else str(self.path.resolve().parent / path)

    def _require_writer(self) -> None:
        if self.read_only:
            raise UserError(
                f"“{self.path.name}” is open in another window. This window is read-only.",
                remedy="Make the change there, or close that window and reopen the project.",
                code="read_only",
            )


def create_project(path: Path) -> Project:
    """Make an empty project file at ``path``; the suffix is added when missing."""
    target = path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)
    database = create_database(target)
    project = Project(target, database, writer_lock(target))
    # The salt keeps hashed patient ids from being looked up in a table or compared between projects.
    project.set_setting("salt", secrets.token_hex(16))
    project.set_setting("project_id", secrets.token_hex(8))
    return project


def draft_project(path: Path) -> Project:
    """Return an empty project without a file, to plan with before there is one; nothing can be added."""
    database = database_in_memory()
    database.execute("INSERT INTO setting VALUES ('salt', ?)", (secrets.token_hex(16),))
    return Project(path, database, None)


@dataclass(frozen=True, slots=True)
class ProjectGlance:
    """What a list of projects shows of one. shown: its first images, one a series."""

    images: int
    classes: int
    shown: tuple[ProjectImage, ...]


def glance_at(path: Path, most_shown: int = 3) -> ProjectGlance:
    """Read what a list shows of a project, without a lock and without changing anything.

    Refuses what ``open_project`` refuses; safe to call from a thread.
    """
    require_project(path)
    with contextlib.closing(look_into_database(path)) as database, worded(path):
        (images,) = database.execute("SELECT count(*) FROM image").fetchone()
        (classes,) = database.execute("SELECT count(*) FROM class").fetchone()
        first = "SELECT min(id) FROM image GROUP BY series_id ORDER BY 1 LIMIT ?"
        ids = [image_id for (image_id,) in database.execute(first, (most_shown,))]
        shown = queries.images(database, ids)
    project = Project(path, database, None)
    return ProjectGlance(images, classes, tuple(project.placed(image) for image in shown))


def open_project(path: Path) -> Project:
    """Open a project as its writer, or read-only when another window has it."""
    require_project(path)
    no_log = lacks_its_log(path)
    lock = writer_lock(path)
    remarks: list[Remark] = []
    try:
        database = _opened(path, read_only=lock is None)
        if no_log:
            remarks.append(_no_log(path, queries.setting(database, "project_id", "")))
        if lock is not None:
            # Before it is brought up to date: the backup can then still be opened by the older version.
            if without := make_backup(database, path):
                remarks.append(Remark(without))
            bring_up_to_date(database, path)
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    return Project(path, database, lock, tuple(remarks))


def _opened(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open the file; the refusal of a damaged one names its newest backup."""
    try:
        return open_database(path, read_only=read_only)
    except UserError as error:
        backup = newest_backup(path) if error.code in ("project_damaged", "not_a_project") else None
        if backup is None:
            raise
        remedy = f"{error.remedy} {_words_of(backup)}"
        raise UserError(error.message, remedy=remedy, code=error.code) from error


def _no_log(path: Path, project_id: str) -> Remark:
    backup = newest_backup(path, project_id)
    return Remark(
        f"“{path.name}” was copied or moved without its log “{path.name}-wal”, so the latest changes"
        f" are missing.",
        f"Close the program, then copy both files together. {_words_of(backup)}".strip(),
        backup,
    )


def _words_of(backup: Backup | None) -> str:
    return "" if backup is None else f"The newest backup is of {backup.at:%d %B %Y, %H:%M}: {backup.path}"


def _is_absolute(path: str) -> bool:
    """Tell from the letters only, on any system: a Path for each of ten thousand images takes 0.1 s."""
    return path[:1] in ("/", "\\") or path[1:2] == ":"
