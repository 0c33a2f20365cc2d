"""Images of another patient: whole series keep what is known of them, single pictures leave theirs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clipsvd_app.project.changes import row_of_key

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from clipsvd_app.project.changes import Change

Row = tuple[Any, ...]
_PARENTS_FIRST = ("patient", "study", "series")
_COLUMNS = {
    "patient": ("id", "key"),
    "study": ("id", "patient_id", "key"),
    "series": ("id", "study_id", "key", "modality", "body_part", "display_window"),
}
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
        for table, child in (("series", "image"), ("study", "series"), ("patient", "study")):
            db.execute(f"DELETE FROM {table} WHERE id NOT IN (SELECT {table}_id FROM {child})")
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
class PutGroupsBack:
    """Write rows of patients, studies and series as they were, and drop those that were not there."""

    rows: tuple[tuple[str, Row], ...]
    gone: tuple[tuple[str, int], ...]
    series_of_image: tuple[tuple[int, int], ...]
    title: str

    def apply(self, db: sqlite3.Connection) -> Change:
        """Write parents first and drop children first, so that no image is ever without a series."""
        before = _groups(db)
        for table in _PARENTS_FIRST:
            columns = _COLUMNS[table]
            sets = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
            marks = ",".join("?" * len(columns))
            db.executemany(
                f"INSERT INTO {table} ({','.join(columns)}) VALUES ({marks})"
                f" ON CONFLICT(id) DO UPDATE SET {sets}",
                [row for name, row in self.rows if name == table],
            )
        images = [(series, image_id) for image_id, series in self.series_of_image]
        db.executemany("UPDATE image SET series_id = ? WHERE id = ?", images)
        for table in reversed(_PARENTS_FIRST):
            ids = [(number,) for name, number in self.gone if name == table]
            db.executemany(f"DELETE FROM {table} WHERE id = ?", ids)
        return _way_back(before, _groups(db), self.title)


def _groups(db: sqlite3.Connection) -> dict[str, dict[int, Row]]:
    found = {
        table: {row[0]: tuple(row) for row in db.execute(f"SELECT {','.join(columns)} FROM {table}")}
        for table, columns in _COLUMNS.items()
    }
    return found | {"image": {row[0]: tuple(row) for row in db.execute("SELECT id, series_id FROM image")}}


def _way_back(
    before: dict[str, dict[int, Row]], after: dict[str, dict[int, Row]], title: str
) -> PutGroupsBack:
    """Return the change from what is after to what was before."""
    rows = tuple(
        (table, row)
        for table in _PARENTS_FIRST
        for number, row in before[table].items()
        if after[table].get(number) != row
    )
    gone = tuple(
        (table, number) for table in _PARENTS_FIRST for number in after[table].keys() - before[table]
    )
    images = tuple(row for number, row in before["image"].items() if after["image"].get(number) != row)
    return PutGroupsBack(rows, gone, images, title)


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
