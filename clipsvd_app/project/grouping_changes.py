"""Saying anew whose images are: they move to other patients, studies and series and keep all else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.domain.study import NewImage
from clipsvd_app.project.changes import Row, remove_empty_groups, rows_of, series_for

if TYPE_CHECKING:
    import sqlite3

    from clipsvd_app.project.changes import Change

_GROUP_TABLES = ("patient", "study", "series", "series_flag")  # parents first
Groups = tuple[tuple[str, tuple[Row, ...]], ...]


@dataclass(frozen=True, slots=True)
class Regroup:
    """Give images of the project, by their content and frame, the patient, study and series told here."""

    images: tuple[NewImage, ...]
    title: str = "change patients"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Make the groups that are new and move the images; labels, marks and measures stay with them."""
        ids = {(row[1], row[2]): row[0] for row in db.execute("SELECT id, sha256, frame FROM image")}
        places = {
            ids[key]: (series_for(db, image), image.position)
            for image in self.images
            if (key := (image.sha256, image.frame)) in ids
        }
        return PlaceImages(places, (), self.title).apply(db)


@dataclass(frozen=True, slots=True)
class PlaceImages:
    """Put images into series. groups: rows of groups that were left empty before, to be there again."""

    place_by_image: Mapping[int, tuple[int, float]]
    groups: Groups
    title: str

    def apply(self, db: sqlite3.Connection) -> Change:
        """Move the images that are there and let empty groups go; the inverse holds both."""
        for table, rows in self.groups:
            for row in rows:
                db.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", row)
        held = {row[0]: (row[1], row[2]) for row in db.execute("SELECT id, series_id, position FROM image")}
        moved = {i: place for i, place in self.place_by_image.items() if i in held}
        db.executemany(
            "UPDATE image SET series_id = ?, position = ? WHERE id = ?",
            [(*place, image_id) for image_id, place in moved.items()],
        )
        before = {table: rows_of(db, table) for table in _GROUP_TABLES}
        remove_empty_groups(db)
        gone = tuple(
            (table, tuple(row for _, row in sorted(before[table].items() - rows_of(db, table).items())))
            for table in _GROUP_TABLES
        )
        return PlaceImages({image_id: held[image_id] for image_id in moved}, gone, self.title)
