"""What a second reader does: readings of their own, beside the project's labels, and the settling of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError
from clipsvd_app.project.changes import Change, Row, Together, label_of, log_label, set_label

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class SetReadings:
    """Keep what a second reader calls images, or take it back; the project's labels are not touched."""

    reader: str
    class_by_image: Mapping[int, int | None]
    title: str = "read"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Write the readings and the append-only log; the inverse puts the rows back as they were."""
        before = {image_id: _row(db, image_id, self.reader) for image_id in self.class_by_image}
        for image_id, class_id in self.class_by_image.items():
            _forget(db, image_id, self.reader)
            if class_id is not None:
                db.execute(
                    "INSERT INTO reading (image_id, reader, class_id) VALUES (?, ?, ?)",
                    (image_id, self.reader, class_id),
                )
            log_label(db, image_id, class_id, reader=self.reader)
        return PutReadings(self.reader, before, self.title)


@dataclass(frozen=True, slots=True)
class PutReadings:
    """Put rows of a reader back exactly, or take them away where there was none."""

    reader: str
    row_by_image: Mapping[int, Row | None]
    title: str = "read"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Replace the rows; the inverse holds those before."""
        before = {image_id: _row(db, image_id, self.reader) for image_id in self.row_by_image}
        for image_id, row in self.row_by_image.items():
            _forget(db, image_id, self.reader)
            if row is not None:
                db.execute("INSERT INTO reading VALUES (?, ?, ?, ?, ?)", row)
            log_label(db, image_id, None if row is None else row[3], reader=self.reader)
        return PutReadings(self.reader, before, self.title)


@dataclass(frozen=True, slots=True)
class Settle:
    """Decide what an image is that two readers call differently.

    The project's label becomes ``class_id``. What the first reader had said stays with the reading, so
    that the agreement of the two is still that of independent readings.
    """

    image_id: int
    reader: str
    class_id: int
    title: str = "settle"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Set the label and note the one before; refused when either reader has not read the image."""
        row, label = _row(db, self.image_id, self.reader), label_of(db, self.image_id)
        if row is None or label is None:
            raise UserError(
                "This image has not been read by both readers.", remedy="Label it for both readers first."
            )
        first = label if row[4] is None else row[4]
        db.execute("UPDATE reading SET settled_class_id = ? WHERE id = ?", (first, row[0]))
        set_label(db, self.image_id, self.class_id)
        back = _SetSettled(self.image_id, self.reader, row[4], self.title)
        return Together((_Relabel(self.image_id, label), back), self.title)


@dataclass(frozen=True, slots=True)
class _SetSettled:
    """Note what the first reader had said, or nothing; what the second says is theirs and stays."""

    image_id: int
    reader: str
    class_id: int | None
    title: str = "settle"

    def apply(self, db: sqlite3.Connection) -> Change:
        row = _row(db, self.image_id, self.reader)
        before = None if row is None else row[4]
        if row is not None:
            db.execute("UPDATE reading SET settled_class_id = ? WHERE id = ?", (self.class_id, row[0]))
        return _SetSettled(self.image_id, self.reader, before, self.title)


@dataclass(frozen=True, slots=True)
class _Relabel:
    """Set one label; unlike SetLabels it says nothing of marks."""

    image_id: int
    class_id: int | None
    title: str = "label"

    def apply(self, db: sqlite3.Connection) -> Change:
        before = label_of(db, self.image_id)
        set_label(db, self.image_id, self.class_id)
        return _Relabel(self.image_id, before, self.title)


def _row(db: sqlite3.Connection, image_id: int, reader: str) -> Row | None:
    found = db.execute(
        "SELECT * FROM reading WHERE image_id = ? AND reader = ?", (image_id, reader)
    ).fetchone()
    return None if found is None else tuple(found)


def _forget(db: sqlite3.Connection, image_id: int, reader: str) -> None:
    db.execute("DELETE FROM reading WHERE image_id = ? AND reader = ?", (image_id, reader))
