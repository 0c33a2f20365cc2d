"""What can happen to images and labels. ``apply`` returns the change that takes it back."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from msgspec import structs

from clipsvd_app.domain.project_values import Mark, NewImage, SeriesFlag
from clipsvd_app.domain.view import Crop, Window
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    import sqlite3

Row = tuple[Any, ...]

View = TypeVar("View", Window, Crop)


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
        return RemoveImages(_insert_images(db, self.images))


@dataclass(frozen=True, slots=True)
class RemoveImages:
    """Take images out of the project; their files are not touched."""

    image_ids: tuple[int, ...]
    title: str = "remove images"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Delete rows and the groups left empty; the inverse restores them with their labels."""
        # Rows are deleted by foreign keys too; comparing the tables before and after finds all of them.
        before = {table: rows_of(db, table) for table in _IMAGE_TABLES}
        db.executemany("DELETE FROM image WHERE id = ?", [(i,) for i in self.image_ids])
        remove_empty_groups(db)
        gone = {
            table: tuple(sorted(before[table].items() - rows_of(db, table).items()))
            for table in _IMAGE_TABLES
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
class SetSeriesWindows:
    """Say in which window the slices of series are shown whose files give none, by the keys of the series."""

    window_by_key: Mapping[str, Window | None]
    title: str = "window series"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Write the windows; the inverse holds those before. Keys of no series are passed over."""
        asked = "SELECT display_window FROM series WHERE key = ?"
        before = {
            key: stored_view(Window, row[0])
            for key in self.window_by_key
            if (row := db.execute(asked, (key,)).fetchone())
        }
        db.executemany(
            "UPDATE series SET display_window = ? WHERE key = ?",
            [(_dump(window), key) for key, window in self.window_by_key.items()],
        )
        return SetSeriesWindows(before, self.title)


@dataclass(frozen=True, slots=True)
class SetLabels:
    """Give images a class, or none. A class is a decision: it takes the mark of the image away."""

    class_by_image: Mapping[int, int | None]
    title: str = "label"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Write labels and the append-only log; the inverse holds labels and marks before."""
        before = {image_id: label_of(db, image_id) for image_id in self.class_by_image}
        marks = {image_id: mark for image_id in self.class_by_image if (mark := _mark(db, image_id))}
        for image_id, class_id in self.class_by_image.items():
            set_label(db, image_id, class_id)
        decided = [(i,) for i in marks if self.class_by_image[i] is not None]
        db.executemany("UPDATE image SET mark = '' WHERE id = ?", decided)
        labels = SetLabels(before, self.title)
        # Giving the classes back decides too, so every mark that there was is given back after them.
        return Together((labels, SetMarks(marks, self.title)), self.title) if marks else labels


@dataclass(frozen=True, slots=True)
class SetMarks:
    """Mark images as uncertain or excluded, or take the mark away; a label beneath it is kept."""

    mark_by_image: Mapping[int, Mark]
    title: str = "mark"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Write marks and the append-only log; the inverse holds the marks before."""
        before = {image_id: _mark(db, image_id) for image_id in self.mark_by_image}
        for image_id, mark in self.mark_by_image.items():
            db.execute("UPDATE image SET mark = ? WHERE id = ?", (mark, image_id))
            log_label(db, image_id, label_of(db, image_id), mark=mark)
        return SetMarks(before, self.title)


@dataclass(frozen=True, slots=True)
class SetPaths:
    """Say where images lie now, the same files by their hash; images that are gone are passed over."""

    path_by_image: Mapping[int, str]
    title: str = "find moved images"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Update the paths; the inverse holds those before."""
        before = {
            image_id: str(row[0])
            for image_id in self.path_by_image
            if (row := db.execute("SELECT path FROM image WHERE id = ?", (image_id,)).fetchone()) is not None
        }
        rows = [(path, image_id) for image_id, path in self.path_by_image.items()]
        db.executemany("UPDATE image SET path = ? WHERE id = ?", rows)
        return SetPaths(before, self.title)


@dataclass(frozen=True, slots=True)
class SetView:
    """Remember the window and crop that training shall use for an image; None is the file's own."""

    image_id: int
    window: Window | None
    crop: Crop | None
    title: str = "set window"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Update the image; the inverse holds what was set before."""
        row = db.execute("SELECT display_window, crop FROM image WHERE id = ?", (self.image_id,)).fetchone()
        if row is None:
            raise UserError("This image no longer exists.", remedy="Choose another image.")
        db.execute(
            "UPDATE image SET display_window = ?, crop = ? WHERE id = ?",
            (_dump(self.window), _dump(self.crop), self.image_id),
        )
        return SetView(self.image_id, stored_view(Window, row[0]), stored_view(Crop, row[1]), self.title)


@dataclass(frozen=True, slots=True)
class Together:
    """Several changes that are one step for the user."""

    changes: tuple[Change, ...]
    title: str

    def apply(self, db: sqlite3.Connection) -> Change:
        """Apply in order; the inverse runs backwards."""
        return Together(tuple(reversed([change.apply(db) for change in self.changes])), self.title)


def images_written(change: Change) -> frozenset[int] | None:
    """Return the images that a change writes labels, marks or views of; None where it may write anything."""
    if isinstance(change, SetLabels):
        return frozenset(change.class_by_image)
    if isinstance(change, SetMarks):
        return frozenset(change.mark_by_image)
    if isinstance(change, SetView):
        return frozenset({change.image_id})
    if isinstance(change, Together):
        parts = [images_written(part) for part in change.changes]
        return frozenset().union(*(part or () for part in parts)) if None not in parts else None
    return None


# Parents first, so that rows put back find the rows that they refer to.
_IMAGE_TABLES = ("patient", "study", "series", "series_flag", "image", "label", "reading", "measure")


def remove_empty_groups(db: sqlite3.Connection) -> None:
    """Let series, studies and patients go that have no image."""
    db.execute("DELETE FROM series WHERE id NOT IN (SELECT series_id FROM image)")
    db.execute("DELETE FROM study WHERE id NOT IN (SELECT study_id FROM series)")
    db.execute("DELETE FROM patient WHERE id NOT IN (SELECT patient_id FROM study)")


def rows_of(db: sqlite3.Connection, table: str) -> dict[int, Row]:
    """Return all rows of a table by their number."""
    return {row[0]: tuple(row) for row in db.execute(f"SELECT * FROM {table}")}


def _insert_images(db: sqlite3.Connection, images: Sequence[NewImage]) -> tuple[int, ...]:
    """Insert the frames that are not there yet and return their ids; thousands take one statement."""
    known = set(db.execute("SELECT sha256, frame FROM image"))
    new: list[NewImage] = []
    for image in images:
        if (frame := (image.sha256, image.frame)) not in known:
            known.add(frame)
            new.append(image)
    series_of: dict[str, int] = {}
    for image in new:
        if image.series_key not in series_of:
            series_of[image.series_key] = series_for(db, image)
    first = take_numbers(db, "image", len(new))
    ids = tuple(range(first, first + len(new)))
    db.executemany(
        "INSERT INTO image"
        " (id, series_id, sha256, path, frame, position, rows, columns, near_hash, burned_in_text)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                image_id,
                series_of[image.series_key],
                image.sha256,
                image.path,
                image.frame,
                image.position,
                image.rows,
                image.columns,
                image.near_hash,
                int(image.burned_in_text),
            )
            for image_id, image in zip(ids, new, strict=True)
        ],
    )
    return ids


def series_for(db: sqlite3.Connection, image: NewImage) -> int:
    """Return the series that an image belongs to, made with study and patient if need be."""
    patient = row_of_key(db, "patient", {"key": image.patient_key})
    study = row_of_key(db, "study", {"key": image.study_key, "patient_id": patient})
    values = {
        "key": image.series_key,
        "study_id": study,
        "modality": image.modality,
        "body_part": image.body_part,
    }
    return row_of_key(db, "series", values)


def row_of_key(db: sqlite3.Connection, table: str, values: Mapping[str, object]) -> int:
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


def take_numbers(db: sqlite3.Connection, table: str, count: int) -> int:
    """Return the first of ``count`` numbers that no row of the table ever had.

    Runs and kept pictures know images by their number, so that of a removed image is not given to another.
    """
    key = f"last_{table}"
    stored = db.execute("SELECT CAST(value AS INTEGER) FROM setting WHERE key = ?", (key,)).fetchone()
    (highest,) = db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()
    last = max(int(highest), 0 if stored is None else int(stored[0]))
    db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (key, str(last + count)))
    return last + 1


def label_of(db: sqlite3.Connection, image_id: int) -> int | None:
    """Return the class of an image, None while it has none."""
    row = db.execute("SELECT class_id FROM label WHERE image_id = ?", (image_id,)).fetchone()
    return None if row is None else int(row[0])


def set_label(db: sqlite3.Connection, image_id: int, class_id: int | None) -> None:
    """Write a label and its line in the log."""
    if class_id is None:
        db.execute("DELETE FROM label WHERE image_id = ?", (image_id,))
    else:
        db.execute("INSERT OR REPLACE INTO label (image_id, class_id) VALUES (?, ?)", (image_id, class_id))
    log_label(db, image_id, class_id)


def log_label(
    db: sqlite3.Connection, image_id: int, class_id: int | None, *, reader: str = "", mark: str = ""
) -> None:
    """Add a line to the log that nothing ever takes away; the project's own reader has no name."""
    db.execute(
        "INSERT INTO label_event (image_id, class_name, at, reader, mark)"
        " VALUES (?, (SELECT name FROM class WHERE id = ?), ?, ?, ?)",
        (image_id, class_id, dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), reader, mark),
    )


def _mark(db: sqlite3.Connection, image_id: int) -> Mark:
    row = db.execute("SELECT mark FROM image WHERE id = ?", (image_id,)).fetchone()
    return "" if row is None else row[0]


def _dump(view: Window | Crop | None) -> str | None:
    return None if view is None else json.dumps(structs.astuple(view))


@functools.lru_cache(maxsize=1024)  # one window stands on each image of its series
def stored_view(kind: Callable[..., View], text: str | None) -> View | None:
    """Return a window or crop from the JSON list of its values, as the project keeps it."""
    return None if text is None else kind(*json.loads(text))
