"""Everything that can happen to a project. ``apply`` returns the change that takes it back."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.study import NewImage, SeriesFlag
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    import sqlite3

Row = tuple[Any, ...]


class Change(Protocol):
    """One step of work; undone by applying what ``apply`` returned."""

    @property
    def title(self) -> str:
        """What the undo menu calls it."""

    def apply(self, db: sqlite3.Connection) -> Change:
        """Change the database inside the caller's transaction and return the inverse."""


@dataclass(frozen=True, slots=True)
class AddImages:
    """Add frames with the patients, studies and series they belong to; known ones are left alone."""

    images: tuple[NewImage, ...]
    title: str = "add images"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Insert what is new; the inverse removes exactly that."""
        added = [image_id for image in self.images if (image_id := _insert_image(db, image)) is not None]
        return RemoveImages(tuple(added))


@dataclass(frozen=True, slots=True)
class RemoveImages:
    """Take images out of the project; their files are not touched."""

    image_ids: tuple[int, ...]
    title: str = "remove images"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Delete rows and the groups left empty; the inverse restores them with their labels."""
        before = {table: _rows(db, table) for table in _IMAGE_TABLES}
        db.executemany("DELETE FROM image WHERE id = ?", [(i,) for i in self.image_ids])
        db.execute("DELETE FROM series WHERE id NOT IN (SELECT series_id FROM image)")
        db.execute("DELETE FROM study WHERE id NOT IN (SELECT study_id FROM series)")
        db.execute("DELETE FROM patient WHERE id NOT IN (SELECT patient_id FROM study)")
        gone = {
            table: tuple(sorted(before[table].items() - _rows(db, table).items())) for table in _IMAGE_TABLES
        }
        return RestoreImages(
            tuple((t, tuple(row for _, row in rows)) for t, rows in gone.items()), self.image_ids
        )


@dataclass(frozen=True, slots=True)
class RestoreImages:
    """Put removed rows back under their old numbers."""

    tables: tuple[tuple[str, tuple[Row, ...]], ...]
    image_ids: tuple[int, ...]
    title: str = "restore images"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Insert the rows, parents first."""
        for table, rows in self.tables:
            if rows:
                marks = ",".join("?" * len(rows[0]))
                db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        return RemoveImages(self.image_ids)


@dataclass(frozen=True, slots=True)
class SetSeriesFlags:
    """Say what is irregular about series, by their keys, in place of what was said of them before."""

    flags_by_key: Mapping[str, tuple[SeriesFlag, ...]]
    title: str = "flag series"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Replace the flags; the inverse holds those before. Keys of no series are passed over."""
        before = {key: _replace_flags(db, key, flags) for key, flags in self.flags_by_key.items()}
        return SetSeriesFlags(before, self.title)


@dataclass(frozen=True, slots=True)
class SetLabels:
    """Give images a class, or none."""

    class_by_image: Mapping[int, int | None]
    title: str = "label"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Write labels and the append-only log; the inverse holds the labels before."""
        before = {image_id: _label(db, image_id) for image_id in self.class_by_image}
        for image_id, class_id in self.class_by_image.items():
            _set_label(db, image_id, class_id)
        return SetLabels(before, self.title)


@dataclass(frozen=True, slots=True)
class AddClass:
    """Add a class at the end of the list."""

    spec: ClassSpec
    title: str = "add class"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Insert it; a name that exists is refused."""
        _refuse_duplicate(db, self.spec.name, None)
        position = int(db.execute("SELECT coalesce(max(position) + 1, 0) FROM class").fetchone()[0])
        cursor = db.execute(
            "INSERT INTO class (name, prompts, position) VALUES (?, ?, ?)",
            (self.spec.name, json.dumps(self.spec.prompts), position),
        )
        assert cursor.lastrowid is not None
        return RemoveClass(cursor.lastrowid)


@dataclass(frozen=True, slots=True)
class RemoveClass:
    """Take a class away; its images become unlabelled."""

    class_id: int
    title: str = "remove class"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Delete it; the inverse restores it with its labels."""
        row = db.execute("SELECT * FROM class WHERE id = ?", (self.class_id,)).fetchone()
        if row is None:
            raise UserError("That class is gone already.", remedy="Choose another class.")
        found = db.execute("SELECT image_id FROM label WHERE class_id = ?", (self.class_id,)).fetchall()
        labelled = tuple(image_id for (image_id,) in found)
        for image_id in labelled:
            _set_label(db, image_id, None)
        db.execute("DELETE FROM class WHERE id = ?", (self.class_id,))
        return RestoreClass(tuple(row), labelled)


@dataclass(frozen=True, slots=True)
class RestoreClass:
    """Put a removed class back with its labels."""

    row: Row
    image_ids: tuple[int, ...]
    title: str = "restore class"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Insert the row under its old number."""
        db.execute("INSERT INTO class VALUES (?, ?, ?, ?)", self.row)
        for image_id in self.image_ids:
            _set_label(db, image_id, self.row[0])
        return RemoveClass(self.row[0])


@dataclass(frozen=True, slots=True)
class ChangeClass:
    """Rename a class or rewrite its prompts."""

    class_id: int
    spec: ClassSpec
    title: str = "change class"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Update it; the inverse holds name and prompts before."""
        row = db.execute("SELECT name, prompts FROM class WHERE id = ?", (self.class_id,)).fetchone()
        if row is None:
            raise UserError("That class is gone.", remedy="Choose another class.")
        _refuse_duplicate(db, self.spec.name, self.class_id)
        db.execute(
            "UPDATE class SET name = ?, prompts = ? WHERE id = ?",
            (self.spec.name, json.dumps(self.spec.prompts), self.class_id),
        )
        return ChangeClass(self.class_id, ClassSpec(row[0], tuple(json.loads(row[1]))), self.title)


@dataclass(frozen=True, slots=True)
class SetView:
    """Remember the window and crop that training shall use for an image; None is the file's own."""

    image_id: int
    window: tuple[float, float, str] | None
    crop: tuple[float, float, float, float] | None
    title: str = "set window"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Update the image; the inverse holds what was set before."""
        row = db.execute("SELECT display_window, crop FROM image WHERE id = ?", (self.image_id,)).fetchone()
        db.execute(
            "UPDATE image SET display_window = ?, crop = ? WHERE id = ?",
            (_dump(self.window), _dump(self.crop), self.image_id),
        )
        return SetView(self.image_id, _load(row[0]), _load(row[1]), self.title)


@dataclass(frozen=True, slots=True)
class Together:
    """Several changes that are one step for the user."""

    changes: tuple[Change, ...]
    title: str

    def apply(self, db: sqlite3.Connection) -> Change:
        """Apply in order; the inverse runs backwards."""
        return Together(tuple(reversed([change.apply(db) for change in self.changes])), self.title)


_IMAGE_TABLES = ("patient", "study", "series", "series_flag", "image", "label")


def _rows(db: sqlite3.Connection, table: str) -> dict[int, Row]:
    return {row[0]: tuple(row) for row in db.execute(f"SELECT * FROM {table}")}


def _insert_image(db: sqlite3.Connection, image: NewImage) -> int | None:
    known = db.execute("SELECT id FROM image WHERE sha256 = ? AND frame = ?", (image.sha256, image.frame))
    if known.fetchone() is not None:
        return None
    patient = _group(db, "patient", {"key": image.patient_key})
    study = _group(db, "study", {"key": image.study_key, "patient_id": patient})
    series = _group(
        db,
        "series",
        {
            "key": image.series_key,
            "study_id": study,
            "modality": image.modality,
            "body_part": image.body_part,
        },
    )
    cursor = db.execute(
        "INSERT INTO image"
        " (series_id, sha256, path, frame, position, rows, columns, near_hash, burned_in_text)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            series,
            image.sha256,
            image.path,
            image.frame,
            image.position,
            image.rows,
            image.columns,
            image.near_hash,
            int(image.burned_in_text),
        ),
    )
    return cursor.lastrowid


def _group(db: sqlite3.Connection, table: str, values: Mapping[str, object]) -> int:
    """Return the row of this key, made if need be."""
    found = db.execute(f"SELECT id FROM {table} WHERE key = ?", (values["key"],)).fetchone()
    if found is not None:
        return int(found[0])
    names, marks = ",".join(values), ",".join("?" * len(values))
    cursor = db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _replace_flags(db: sqlite3.Connection, key: str, flags: tuple[SeriesFlag, ...]) -> tuple[SeriesFlag, ...]:
    """Return the flags that a series had."""
    wanted = "SELECT code, sentence, count FROM series_flag WHERE series_id = ? ORDER BY id"
    row = db.execute("SELECT id FROM series WHERE key = ?", (key,)).fetchone()
    if row is None:
        return ()
    before = tuple(SeriesFlag(*flag) for flag in db.execute(wanted, row))
    db.execute("DELETE FROM series_flag WHERE series_id = ?", row)
    db.executemany(
        "INSERT INTO series_flag (series_id, code, sentence, count) VALUES (?, ?, ?, ?)",
        [(row[0], flag.code, flag.sentence, flag.count) for flag in flags],
    )
    return before


def _label(db: sqlite3.Connection, image_id: int) -> int | None:
    row = db.execute("SELECT class_id FROM label WHERE image_id = ?", (image_id,)).fetchone()
    return None if row is None else int(row[0])


def _set_label(db: sqlite3.Connection, image_id: int, class_id: int | None) -> None:
    if class_id is None:
        db.execute("DELETE FROM label WHERE image_id = ?", (image_id,))
    else:
        db.execute("INSERT OR REPLACE INTO label (image_id, class_id) VALUES (?, ?)", (image_id, class_id))
    db.execute(
        "INSERT INTO label_event (image_id, class_name, at)"
        " VALUES (?, (SELECT name FROM class WHERE id = ?), ?)",
        (image_id, class_id, dt.datetime.now(dt.UTC).isoformat(timespec="seconds")),
    )


def _refuse_duplicate(db: sqlite3.Connection, name: str, own_id: int | None) -> None:
    row = db.execute("SELECT id FROM class WHERE name = ? COLLATE NOCASE", (name,)).fetchone()
    if row is not None and row[0] != own_id:
        raise UserError(
            f"There is a class “{name}” already.", remedy="Choose another name.", code="class_exists"
        )


def _dump(value: tuple[float | str, ...] | None) -> str | None:
    return None if value is None else json.dumps(value)


def _load(text: str | None) -> Any:  # noqa: ANN401 - a tuple of the shape that was stored
    return None if text is None else tuple(json.loads(text))
