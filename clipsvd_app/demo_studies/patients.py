"""The demo studies on disk: DICOM, PNG twins and a table of labels."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from clipsvd_app.demo_studies.chest import Patient, draw_patient, render_film
from clipsvd_app.demo_studies.dicom_file import FilmHeader, displayed_grey, encode, stored_pixels
from clipsvd_app.demo_studies.exposure import Exposure, draw_exposure
from clipsvd_app.demo_studies.findings import FINDINGS
from clipsvd_app.domain.spreadsheet import csv_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_FIELD_MM: Final = 400.0
# Within each finding: every 4th patient comes back for a second film, every 8th is stored as MONOCHROME1.
_SECOND_FILM_EVERY: Final = 4
_INVERTED_EVERY: Final = 8
_THREADS: Final = 2  # NumPy and SciPy let each other run; more than two wait for one another


@dataclass(frozen=True, slots=True)
class DemoImage:
    """One written film: numbers count from 1, ``path`` is the DICOM file."""

    patient: int
    image: int
    finding: str
    path: Path


@dataclass(frozen=True, slots=True)
class PlannedFilm:
    """One film before it is drawn; the same plan always gives the same pixels."""

    finding: str
    header: FilmHeader
    patient: Patient
    exposure: Exposure


def plan_films(*, seed: int, patients: int, size: int) -> tuple[PlannedFilm, ...]:
    """Decide everything about a set of films without drawing any; findings are dealt out evenly."""
    order = np.random.default_rng((seed, 0)).permutation(patients)
    films: list[PlannedFilm] = []
    for number, place in enumerate(order.tolist(), start=1):
        finding, turn = FINDINGS[place % len(FINDINGS)], place // len(FINDINGS)
        films += _films_of_patient(seed, number, finding, turn, size)
    return tuple(films)


def _films_of_patient(seed: int, number: int, finding: str, turn: int, size: int) -> Iterable[PlannedFilm]:
    """Yield one film, or two: a second study for one returning patient, a second series for the next."""
    rng = np.random.default_rng((seed, number))
    patient = draw_patient(rng, finding)
    returns = turn % _SECOND_FILM_EVERY == 1
    second_study = turn // _SECOND_FILM_EVERY % 2 == 0
    for image in range(1, 3 if returns else 2):
        header = FilmHeader(
            seed=seed,
            patient=number,
            study=image if second_study else 1,
            series=1 if second_study else image,
            image=image,
            spacing_mm=_FIELD_MM / size,
            inverted=turn % _INVERTED_EVERY == 3,
        )
        yield PlannedFilm(finding, header, patient, draw_exposure(rng))


def write_demo_studies(
    folder: Path,
    *,
    seed: int = 20250903,
    patients: int = 96,
    size: int = 512,
    png: bool = True,
    report: Callable[[int, int], None] | None = None,
) -> tuple[DemoImage, ...]:
    """Write the demo studies and return them in order of patient and image.

    Lays out ``dicom/P001/IM1.dcm``, ``png/P001_1.png`` (8-bit, as the DICOM window shows it) and
    ``labels.csv`` (``path,class``, paths from ``folder``). The same seed gives the same bytes.
    ``report(done, total)`` is called after every film.
    """
    films = plan_films(seed=seed, patients=patients, size=size)
    written: list[DemoImage] = []
    pool = ThreadPoolExecutor(_THREADS)
    try:
        for image in pool.map(lambda film: _write_film(folder, film, size, png=png), films):
            written.append(image)
            if report is not None:
                report(len(written), len(films))
    finally:
        pool.shutdown(cancel_futures=True)  # whoever cancels waits for the films under way only
    _write_labels(folder, written)
    return tuple(written)


def _write_film(folder: Path, film: PlannedFilm, size: int, *, png: bool) -> DemoImage:
    header = film.header
    pixels = stored_pixels(render_film(film.patient, film.exposure, size), inverted=header.inverted)
    name = f"P{header.patient:03d}"
    path = folder / "dicom" / name / f"IM{header.image}.dcm"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(pixels, header))
    if png:
        twin = folder / "png" / f"{name}_{header.image}.png"
        twin.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(displayed_grey(pixels, inverted=header.inverted)).save(twin, compress_level=3)
    return DemoImage(header.patient, header.image, film.finding, path)


def _write_labels(folder: Path, images: Iterable[DemoImage]) -> None:
    rows = [(image.path.relative_to(folder).as_posix(), image.finding) for image in images]
    text = csv_text([("path", "class"), *rows], line_end="\n")
    (folder / "labels.csv").write_text(text, encoding="utf-8", newline="")
