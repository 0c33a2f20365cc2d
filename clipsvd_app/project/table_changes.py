"""Labels that come by the names of their classes: from folders or a table, in one step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clipsvd_app.domain.classes import class_from_name, class_key
from clipsvd_app.domain.project_values import Mark
from clipsvd_app.project.changes import Change, SetLabels, SetMarks, Together
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.project.reading_changes import SetReadings

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class LabelByName:
    """Label images by the names of their classes; names that are new become classes at the end.

    ``readings`` holds names by image for every second reader.
    """

    name_by_image: Mapping[int, str]
    mark_by_image: Mapping[int, Mark] = field(default_factory=dict)
    readings: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    title: str = "label images"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Add the missing classes, then label, mark and read; the inverse takes all of it back."""
        names = [*self.name_by_image.values(), *(n for read in self.readings.values() for n in read.values())]
        done = _add_missing(db, names)
        ids = _ids_by_name(db)
        done.append(SetLabels(_numbered(self.name_by_image, ids), self.title).apply(db))
        done.append(SetMarks(self.mark_by_image, self.title).apply(db))
        for reader, read in self.readings.items():
            done.append(SetReadings(reader, _numbered(read, ids), self.title).apply(db))
        return Together(tuple(reversed(done)), self.title)


@dataclass(frozen=True, slots=True)
class LabelByContent:
    """Label images by the hash of their file and their frame; those with a label or mark keep it."""

    name_by_content: Mapping[tuple[str, int], str]
    title: str = "label images"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Add the missing classes, then label; the inverse takes both back."""
        rows = db.execute(
            "SELECT image.id, sha256, frame FROM image LEFT JOIN label ON label.image_id = image.id"
            " WHERE label.class_id IS NULL AND mark = ''"
        )
        names = {i: self.name_by_content.get((sha256, frame)) for i, sha256, frame in rows}
        return LabelByName({i: name for i, name in names.items() if name}, title=self.title).apply(db)


def _numbered(names: Mapping[int, str], ids: Mapping[str, int]) -> dict[int, int | None]:
    return {image_id: ids[class_key(name)] for image_id, name in names.items()}


def _ids_by_name(db: sqlite3.Connection) -> dict[str, int]:
    return {class_key(name): class_id for class_id, name in db.execute("SELECT id, name FROM class")}


def _add_missing(db: sqlite3.Connection, names: Iterable[str]) -> list[Change]:
    """Make a class for every new name, in alphabetical order; returns what takes them back."""
    known, done = set(_ids_by_name(db)), []
    for name in sorted(set(names)):
        if class_key(name) not in known:
            done.append(AddClass(class_from_name(name)).apply(db))
            known.add(class_key(name))
    return done
