"""What can happen to the measures of an image."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.domain.measures import Measure

if TYPE_CHECKING:
    import sqlite3

    from clipsvd_app.project.changes import Change


@dataclass(frozen=True, slots=True)
class SetMeasures:
    """Keep these whole measures with an image, in place of those it had."""

    image_id: int
    measures: tuple[Measure, ...]
    title: str = "measure"

    def __post_init__(self) -> None:
        assert all(measure.whole for measure in self.measures)

    def apply(self, db: sqlite3.Connection) -> Change:
        """Replace the measures; the inverse holds those before."""
        before = measures_of(db, self.image_id)
        db.execute("DELETE FROM measure WHERE image_id = ?", (self.image_id,))
        db.executemany(
            "INSERT INTO measure (image_id, kind, points) VALUES (?, ?, ?)",
            [(self.image_id, measure.kind, json.dumps(measure.points)) for measure in self.measures],
        )
        return SetMeasures(self.image_id, before, self.title)


def measures_of(db: sqlite3.Connection, image_id: int) -> tuple[Measure, ...]:
    """Return the measures of an image in the order they were drawn."""
    rows = db.execute("SELECT kind, points FROM measure WHERE image_id = ? ORDER BY id", (image_id,))
    return tuple(as_measure(kind, points) for kind, points in rows)


def as_measure(kind: str, points: str) -> Measure:
    """Return a measure as it was stored."""
    found = tuple((float(column), float(row)) for column, row in json.loads(points))
    return Measure(kind, found)  # type: ignore[arg-type]
