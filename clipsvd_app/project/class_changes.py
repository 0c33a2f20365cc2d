"""What can happen to classes: none of it loses a label that cannot be had back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.domain.classes import ClassSpec, class_exists, class_key
from clipsvd_app.errors import UserError
from clipsvd_app.project.changes import Change, Row, set_label, take_numbers

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class AddClass:
    """Add a class at the end of the list."""

    spec: ClassSpec
    title: str = "add class"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Insert it; a name that exists is refused."""
        _refuse_duplicate(db, self.spec.name, None)
        position = int(db.execute("SELECT coalesce(max(position) + 1, 0) FROM class").fetchone()[0])
        number = take_numbers(db, "class", 1)
        row = (number, self.spec.name, json.dumps(self.spec.prompts), position)
        db.execute("INSERT INTO class (id, name, prompts, position) VALUES (?, ?, ?, ?)", row)
        return RemoveClass(number)


@dataclass(frozen=True, slots=True)
class RemoveClass:
    """Take a class away; its images, and every reader's, go ``into`` another class or lose their label."""

    class_id: int
    into: int | None = None
    title: str = "remove class"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Delete it; the inverse restores it with its labels and readings."""
        row = db.execute("SELECT * FROM class WHERE id = ?", (self.class_id,)).fetchone()
        if row is None or not _exists(db, self.into) or self.into == self.class_id:
            raise UserError("This class no longer exists.", remedy="Choose another class.")
        found = db.execute("SELECT image_id FROM label WHERE class_id = ?", (self.class_id,)).fetchall()
        labelled = tuple(image_id for (image_id,) in found)
        readings = tuple(
            tuple(reading)
            for reading in db.execute(
                "SELECT * FROM reading WHERE ? IN (class_id, settled_class_id)", (self.class_id,)
            )
        )
        for image_id in labelled:
            set_label(db, image_id, self.into)
        if self.into is not None:
            for column in ("class_id", "settled_class_id"):
                where = (self.into, self.class_id)
                db.execute(f"UPDATE reading SET {column} = ? WHERE {column} = ?", where)
        db.execute("DELETE FROM class WHERE id = ?", (self.class_id,))
        return RestoreClass(tuple(row), labelled, readings, self.into, self.title)


@dataclass(frozen=True, slots=True)
class RestoreClass:
    """Put a removed class back with its labels and readings."""

    row: Row
    image_ids: tuple[int, ...]
    readings: tuple[Row, ...] = ()
    into: int | None = None
    title: str = "restore class"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Insert the row under its old number."""
        db.execute("INSERT INTO class VALUES (?, ?, ?, ?)", self.row)
        for image_id in self.image_ids:
            set_label(db, image_id, self.row[0])
        db.executemany("INSERT OR REPLACE INTO reading VALUES (?, ?, ?, ?, ?)", self.readings)
        return RemoveClass(self.row[0], self.into, self.title)


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
            raise UserError("This class no longer exists.", remedy="Choose another class.")
        _refuse_duplicate(db, self.spec.name, self.class_id)
        db.execute(
            "UPDATE class SET name = ?, prompts = ? WHERE id = ?",
            (self.spec.name, json.dumps(self.spec.prompts), self.class_id),
        )
        return ChangeClass(self.class_id, ClassSpec(row[0], tuple(json.loads(row[1]))), self.title)


@dataclass(frozen=True, slots=True)
class MoveClass:
    """Put a class at another place of the list, counted from 0; its key and colour follow."""

    class_id: int
    place: int
    title: str = "move class"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Write the places of all classes again; the inverse holds the place before."""
        order = [class_id for (class_id,) in db.execute("SELECT id FROM class ORDER BY position, id")]
        if self.class_id not in order:
            raise UserError("This class no longer exists.", remedy="Choose another class.")
        before = order.index(self.class_id)
        order.insert(max(0, min(self.place, len(order) - 1)), order.pop(before))
        db.executemany("UPDATE class SET position = ? WHERE id = ?", list(enumerate(order)))
        return MoveClass(self.class_id, before, self.title)


def _exists(db: sqlite3.Connection, class_id: int | None) -> bool:
    if class_id is None:
        return True
    return db.execute("SELECT 1 FROM class WHERE id = ?", (class_id,)).fetchone() is not None


def _refuse_duplicate(db: sqlite3.Connection, name: str, own_id: int | None) -> None:
    for class_id, known in db.execute("SELECT id, name FROM class"):
        if class_id != own_id and class_key(known) == class_key(name):
            raise class_exists(known)
