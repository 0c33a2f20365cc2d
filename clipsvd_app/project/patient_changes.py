"""Saying again whose images are: they move between patients, studies and series and keep all else."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.domain.project_values import NewImage
from clipsvd_app.project.changes import Row, remove_empty_groups, row_of_key, rows_of, series_for

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from clipsvd_app.project.changes import Change

Groups = dict[str, dict[int, Row]]
_PARENTS_FIRST = ("patient", "study", "series", "series_flag")
_MOVED = ">"
"""Between the key of a study or series and that of the patient whom a part of it was given to."""


@dataclass(frozen=True, slots=True)
class MoveToPatient:
    """Let images belong to the patient of a key, made if need be; a patient left without images goes."""

    image_ids: tuple[int, ...]
    patient_key: str
    title: str = "change patient"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Move studies and series as wholes where all their images move; the inverse puts every row back."""
        before = _groups(db)
        target = row_of_key(db, "patient", {"key": self.patient_key})
        for study, series in _touched(db, self.image_ids).items():
            self._move_from_study(db, study, series, target)
        remove_empty_groups(db)
        return _way_back(before, _groups(db), self.title)

    def _move_from_study(
        self, db: sqlite3.Connection, study: int, moved: dict[int, list[int]], target: int
    ) -> None:
        key, patient = db.execute("SELECT key, patient_id FROM study WHERE id = ?", (study,)).fetchone()
        if patient == target:
            return
        whole = {series for series, images in moved.items() if _images_in(db, series) == len(images)}
        (series_there,) = db.execute("SELECT count(*) FROM series WHERE study_id = ?", (study,)).fetchone()
        if len(whole) == series_there:
            db.execute("UPDATE study SET patient_id = ? WHERE id = ?", (target, study))
            return
        part = {"key": f"{key}{_MOVED}{self.patient_key}", "patient_id": target}
        there = row_of_key(db, "study", part)
        for series, images in moved.items():
            if series in whole:
                db.execute("UPDATE series SET study_id = ? WHERE id = ?", (there, series))
            else:
                taken = self._part_of_series(db, series, there)
                rows = [(taken, image_id) for image_id in images]
                db.executemany("UPDATE image SET series_id = ? WHERE id = ?", rows)

    def _part_of_series(self, db: sqlite3.Connection, series: int, study: int) -> int:
        wanted = "SELECT key, modality, body_part, display_window FROM series WHERE id = ?"
        key, modality, body_part, window = db.execute(wanted, (series,)).fetchone()
        values = {
            "key": f"{key}{_MOVED}{self.patient_key}",
            "study_id": study,
            "modality": modality,
            "body_part": body_part,
            "display_window": window,
        }
        return row_of_key(db, "series", values)


@dataclass(frozen=True, slots=True)
class Regroup:
    """Give images of the project, by their content and frame, the patient, study and series told here."""

    images: tuple[NewImage, ...]
    title: str = "change patients"

    def apply(self, db: sqlite3.Connection) -> Change:
        """Make the groups that are new and move the images; labels, marks and measures stay with them."""
        before = _groups(db)
        db.executemany(
            "UPDATE image SET series_id = ?, position = ? WHERE sha256 = ? AND frame = ?",
            [(series_for(db, one), one.position, one.sha256, one.frame) for one in self.images],
        )
        remove_empty_groups(db)
        return _way_back(before, _groups(db), self.title)


@dataclass(frozen=True, slots=True)
class PutGroupsBack:
    """Write rows of patients, studies and series as they were; what is left without images goes.

    places: of each image its series, its position there and its id.
    """

    rows: tuple[tuple[str, Row], ...]
    places: tuple[Row, ...]
    title: str

    def apply(self, db: sqlite3.Connection) -> Change:
        """Write parents first, so that no image is ever without a series."""
        before = _groups(db)
        for table in _PARENTS_FIRST:
            columns = [known[0] for known in db.execute(f"SELECT * FROM {table} LIMIT 0").description]
            marks = ",".join("?" * len(columns))
            sets = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
            db.executemany(
                f"INSERT INTO {table} VALUES ({marks}) ON CONFLICT(id) DO UPDATE SET {sets}",
                [row for name, row in self.rows if name == table],
            )
        db.executemany("UPDATE image SET series_id = ?, position = ? WHERE id = ?", self.places)
        remove_empty_groups(db)
        return _way_back(before, _groups(db), self.title)


def _groups(db: sqlite3.Connection) -> Groups:
    places = db.execute("SELECT series_id, position, id FROM image")
    return {table: rows_of(db, table) for table in _PARENTS_FIRST} | {
        "image": {row[2]: row for row in places}
    }


def _way_back(before: Groups, after: Groups, title: str) -> PutGroupsBack:
    """Return the change from what is after to what was before."""
    rows = {
        table: tuple(row for number, row in before[table].items() if after[table].get(number) != row)
        for table in before
    }
    places = rows.pop("image")
    return PutGroupsBack(tuple((table, row) for table in rows for row in rows[table]), places, title)


def _touched(db: sqlite3.Connection, image_ids: Iterable[int]) -> dict[int, dict[int, list[int]]]:
    """Return the images by study and series."""
    found: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    wanted = "SELECT study_id, series.id FROM image JOIN series ON series.id = series_id WHERE image.id = ?"
    for image_id in dict.fromkeys(image_ids):
        for study, series in db.execute(wanted, (image_id,)):
            found[study][series].append(image_id)
    return found


def _images_in(db: sqlite3.Connection, series: int) -> int:
    return int(db.execute("SELECT count(*) FROM image WHERE series_id = ?", (series,)).fetchone()[0])
