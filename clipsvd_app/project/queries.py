"""What pages and jobs ask of a project. Nothing here changes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from clipsvd_app.domain.project_values import (
    LabelEvent,
    ProjectClass,
    ProjectImage,
    Reading,
    RunSummary,
    SeriesFlag,
)
from clipsvd_app.domain.records import from_json, from_text
from clipsvd_app.domain.results.run import RunResult
from clipsvd_app.domain.view import Crop, Window
from clipsvd_app.errors import UserError
from clipsvd_app.project.changes import stored_view
from clipsvd_app.project.measure_changes import as_measure

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from clipsvd_app.domain.measures import Measure

# Studies and series are numbered once for all images: counting those before each took most of the time.
_IMAGES = """
  WITH numbered_study AS MATERIALIZED
       (SELECT *, row_number() OVER (PARTITION BY patient_id ORDER BY id) AS number FROM study{studies}),
       numbered_series AS MATERIALIZED
       (SELECT *, row_number() OVER (PARTITION BY study_id ORDER BY id) AS number FROM series{series})
SELECT image.id, study.patient_id, study.number, series.number, series.id,
       patient.key, image.sha256, image.path, image.frame, series.modality, series.body_part,
       image.rows, image.columns, image.burned_in_text, label.class_id, image.display_window, image.crop,
       image.near_hash, image.mark, series.display_window, image.position
  FROM image
  JOIN numbered_series AS series ON series.id = image.series_id
  JOIN numbered_study AS study ON study.id = series.study_id
  JOIN patient ON patient.id = study.patient_id
  LEFT JOIN label ON label.image_id = image.id
"""


def images(db: sqlite3.Connection, ids: Iterable[int] | None = None) -> tuple[ProjectImage, ...]:
    """Return images by patient, study, series and position; all of them, or those asked for."""
    order = " ORDER BY study.patient_id, study.id, series.id, image.position, image.id"
    if ids is None:
        return tuple(map(_image, db.execute(_IMAGES.format(studies="", series="") + order)))
    wanted = "(SELECT value FROM json_each(:ids))"
    studies = f"SELECT study_id FROM series JOIN image ON series_id = series.id WHERE image.id IN {wanted}"
    some = _IMAGES.format(
        studies=f" WHERE patient_id IN (SELECT patient_id FROM study WHERE id IN ({studies}))",
        series=f" WHERE study_id IN ({studies})",
    )
    asked = {"ids": json.dumps(list(ids))}
    return tuple(map(_image, db.execute(f"{some} WHERE image.id IN {wanted}{order}", asked)))


def classes(db: sqlite3.Connection) -> tuple[ProjectClass, ...]:
    """Return the classes in their order."""
    rows = db.execute("SELECT id, name, prompts FROM class ORDER BY position, id")
    return tuple(
        ProjectClass(class_id, name, tuple(json.loads(prompts)), position)
        for position, (class_id, name, prompts) in enumerate(rows)
    )


def known_frames(db: sqlite3.Connection) -> set[tuple[str, int]]:
    """Return (sha256, frame) of every image, to tell new from known."""
    return set(db.execute("SELECT sha256, frame FROM image"))


def series_flags(db: sqlite3.Connection) -> dict[int, tuple[SeriesFlag, ...]]:
    """Return what is irregular about each series by its id, for those that are."""
    flags: dict[int, tuple[SeriesFlag, ...]] = {}
    for series_id, *flag in db.execute(
        "SELECT series_id, code, sentence, count FROM series_flag ORDER BY id"
    ):
        flags[series_id] = (*flags.get(series_id, ()), SeriesFlag(*flag))
    return flags


def measures(db: sqlite3.Connection) -> dict[int, tuple[Measure, ...]]:
    """Return what was drawn on images, by image and in the order it was drawn."""
    found: dict[int, tuple[Measure, ...]] = {}
    for image_id, *stored in db.execute("SELECT image_id, kind, points FROM measure ORDER BY id"):
        found[image_id] = (*found.get(image_id, ()), as_measure(*stored))
    return found


def files_of_series(db: sqlite3.Connection, key: str) -> tuple[tuple[str, str], ...]:
    """Return (sha256, path) of the files of a series."""
    wanted = "SELECT DISTINCT sha256, path FROM image JOIN series ON series.id = series_id WHERE key = ?"
    return tuple(db.execute(wanted, (key,)))


def slices_of_series(db: sqlite3.Connection, keys: Iterable[str]) -> tuple[tuple[str, str, int, float], ...]:
    """Return (series key, path, frame, position) of every image of these series."""
    wanted = (
        "SELECT series.key, path, frame, position FROM image JOIN series ON series.id = series_id"
        " WHERE series.key IN (SELECT value FROM json_each(?))"
    )
    return tuple(db.execute(wanted, (json.dumps(list(keys)),)))


def series_keys(db: sqlite3.Connection) -> dict[int, str]:
    """Return the salted key of each series by its id."""
    return dict(db.execute("SELECT id, key FROM series"))


def setting(db: sqlite3.Connection, key: str, default: str = "") -> str:
    """Return a stored setting."""
    row = db.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
    return default if row is None else str(row[0])


def label_log(db: sqlite3.Connection) -> tuple[LabelEvent, ...]:
    """Return every label ever given, oldest first."""
    rows = db.execute("SELECT image_id, class_name, at, reader, mark FROM label_event ORDER BY id")
    return tuple(LabelEvent(*row) for row in rows)


def readings(db: sqlite3.Connection) -> tuple[Reading, ...]:
    """Return what second readers say, by reader and image."""
    rows = db.execute(
        "SELECT image_id, reader, class_id, settled_class_id FROM reading ORDER BY reader, image_id"
    )
    return tuple(Reading(*row) for row in rows)


def runs(db: sqlite3.Connection) -> tuple[RunSummary, ...]:
    """Return all runs, oldest first."""
    rows = db.execute("SELECT number, created, preset, summary FROM run ORDER BY number")
    return tuple(_summary(*row) for row in rows)


def run_summary(db: sqlite3.Connection, number: int) -> RunSummary:
    """Return what lists show of a run; UserError names the runs there are."""
    columns = (_run_column(db, number, column) for column in ("created", "preset", "summary"))
    return _summary(number, *columns)


def run_result(db: sqlite3.Connection, number: int) -> RunResult:
    """Return what a run found; UserError names the runs there are."""
    return _result(_run_column(db, number, "result"))


def run_of_job(db: sqlite3.Connection, job: str) -> int | None:
    """Return the run that a job was recorded as, None while it was not."""
    found = db.execute("SELECT number FROM run WHERE json_extract(request, '$.job') = ?", (job,)).fetchone()
    return None if found is None else int(found[0])


def run_request(db: sqlite3.Connection, number: int) -> str:
    """Return the request of a run as JSON text, without paths."""
    return str(_run_column(db, number, "request"))


def run_adapter(db: sqlite3.Connection, number: int) -> bytes:
    """Return the adapter file of a run."""
    return bytes(_run_column(db, number, "adapter"))


def run_classifiers(db: sqlite3.Connection, number: int) -> dict[str, bytes]:
    """Return the files of a run's classifiers on frozen features, by method."""
    rows = db.execute("SELECT method, file FROM run_classifier WHERE run = ? ORDER BY method", (number,))
    return {str(method): bytes(file) for method, file in rows}


def latest_run(db: sqlite3.Connection) -> int:
    """Return the newest run's number; UserError when there is none."""
    row = db.execute("SELECT max(number) FROM run").fetchone()
    if row[0] is None:
        raise UserError("The project has no runs.", remedy="Train first (clipsvd train).", code="no_run")
    return int(row[0])


def _run_column(db: sqlite3.Connection, number: int, column: str) -> Any:  # noqa: ANN401
    row = db.execute(f"SELECT {column} FROM run WHERE number = ?", (number,)).fetchone()
    if row is None:
        known = ", ".join(str(n) for (n,) in db.execute("SELECT number FROM run ORDER BY number"))
        raise UserError(
            f"There is no run {number}.",
            remedy=f"Choose one of: {known}." if known else "Train first (clipsvd train).",
            code="no_run",
        )
    return row[0]


def _result(text: str) -> RunResult:
    return from_text(RunResult, text)


def summary_of(result: RunResult) -> dict[str, Any]:
    """Return what is stored beside a result for the lists: a RunSummary without number, date and preset."""
    scores = {score.method: score for score in result.evaluation.methods}
    adapted, base = scores.get("clip_svd"), scores.get("zero_shot")
    return {
        "shots": result.shots,
        "seed": result.seed,
        "train_images": result.train_images,
        "balanced_accuracy": adapted.balanced_accuracy if adapted else None,
        "interval": [adapted.interval.low, adapted.interval.high] if adapted else None,
        "zero_shot_accuracy": base.balanced_accuracy if base else None,
        "verdict": result.evaluation.verdict if adapted else "none",
        "seconds": result.seconds,
        "evaluation": result.evaluation.kind,
        "backbone_name": result.backbone_name,
        "backbone_sha256": result.backbone_sha256,
    }


def _summary(number: int, created: str, preset: str, summary: str) -> RunSummary:
    stored = json.loads(summary)
    return from_json(RunSummary, {"number": number, "created": created, "preset": preset, **stored})


def _image(row: tuple[Any, ...]) -> ProjectImage:
    *plain, burned_in, class_id, window, crop, near_hash, mark, of_series, position = row
    views = (
        stored_view(Window, window),
        stored_view(Crop, crop),
        near_hash,
        mark,
        stored_view(Window, of_series),
        position,
    )
    return ProjectImage(*(*plain, bool(burned_in), class_id, *views))
