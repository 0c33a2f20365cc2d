"""How far two readers agree beyond chance, and where they do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from clipsvd_app.domain.project_values import ProjectImage, Reading

# Of the bootstrap: the limits of a 95 % interval rest on the 25 outermost draws on each side.
DRAWS = 1000
FEWEST_PATIENTS = 10
"""Below this many patients a bootstrap says little of the spread, so no interval is given."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An image that two readers call differently, and whether they have settled on a label since."""

    image_id: int
    first: int
    second: int
    settled: bool


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two readers on the images that both have read.

    ``kappa`` is Cohen's, unweighted; None when there is no image or both know one class only. The
    interval is the 95 % of a bootstrap over patients, None where that tells no spread.
    """

    reader: str
    images: int
    agreed: int
    kappa: float | None
    interval: tuple[float, float] | None
    disagreements: tuple[Disagreement, ...]


def readers(readings: Iterable[Reading]) -> tuple[str, ...]:
    """Return the second readers, by name."""
    return tuple(sorted({reading.reader for reading in readings}))


def agreement(images: Sequence[ProjectImage], readings: Sequence[Reading], reader: str) -> Agreement:
    """Compare a second reader with the project's labels, as they were before anything was settled.

    Images that are marked as uncertain or excluded, and not settled, have no first reading.
    """
    mine = {reading.image_id: reading for reading in readings if reading.reader == reader}
    read = [
        (image, first, mine[image.id])
        for image in images
        if image.id in mine and (first := _first(image, mine[image.id])) is not None
    ]
    pairs = [(first, reading.class_id) for _, first, reading in read]
    differ = tuple(
        Disagreement(image.id, first, reading.class_id, reading.settled_class_id is not None)
        for image, first, reading in read
        if first != reading.class_id
    )
    return Agreement(
        reader=reader,
        images=len(pairs),
        agreed=len(pairs) - len(differ),
        kappa=cohens_kappa(pairs),
        interval=_interval(read),
        disagreements=differ,
    )


def cohens_kappa(pairs: Sequence[tuple[int, int]]) -> float | None:
    """Return (observed - expected) / (1 - expected) agreement (Cohen 1960), None where it is not defined."""
    if not pairs:
        return None
    kappa = float(_kappas(_tables(pairs, [0] * len(pairs)))[0])
    return None if np.isnan(kappa) else kappa


def _first(image: ProjectImage, reading: Reading) -> int | None:
    return image.example_of if reading.settled_class_id is None else reading.settled_class_id


def _tables(pairs: Sequence[tuple[int, int]], groups: Sequence[object]) -> NDArray[np.float64]:
    """Return one table (first reader, second reader) of counts for each group: (groups, classes, classes)."""
    places = {known: place for place, known in enumerate(sorted({c for pair in pairs for c in pair}))}
    rows = {group: row for row, group in enumerate(dict.fromkeys(groups))}
    tables = np.zeros((len(rows), len(places), len(places)))
    for (first, second), group in zip(pairs, groups, strict=True):
        tables[rows[group], places[first], places[second]] += 1
    return tables


def _kappas(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return kappa of every table (tables, classes, classes); NaN where chance agreement is complete."""
    total = tables.sum(axis=(1, 2))
    observed = np.trace(tables, axis1=1, axis2=2) / total
    expected = (tables.sum(axis=2) * tables.sum(axis=1)).sum(axis=1) / total**2
    possible = 1 - expected
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(possible > 0, (observed - expected) / possible, np.nan))


def _interval(read: Sequence[tuple[ProjectImage, int, Reading]]) -> tuple[float, float] | None:
    """Return the bootstrap interval over patients.

    Patients are taken in the order of their images' content: with the fixed seed, the order in which images
    were added or read then makes no difference.
    """
    ranked = sorted(read, key=lambda row: (row[0].sha256, row[0].frame))
    pairs = [(first, reading.class_id) for _, first, reading in ranked]
    patients = [image.patient_key for image, _, _ in ranked]
    if len(set(patients)) < FEWEST_PATIENTS:
        return None
    # A resample is a weighted sum of the patients' tables, which einsum takes for all draws at once.
    tables = _tables(pairs, patients)
    count = len(tables)
    draws = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=DRAWS)
    kappas = _kappas(np.einsum("dp,pij->dij", draws.astype(np.float64), tables))
    kappas = kappas[~np.isnan(kappas)]
    # Where all draws are alike, as with readers who always agree, they say nothing of the spread.
    if not len(kappas) or np.ptp(kappas) == 0:
        return None
    low, high = np.quantile(kappas, (0.025, 0.975))
    return float(low), float(high)
