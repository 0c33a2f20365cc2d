"""The phrases that distinguish the images of a class from the others, before and after adaptation.

A model separates whatever it was trained on, so every image is read by a fit that has not seen its patient.
All images of one patient and class count as one. Differences between fits, whose text towers move phrases,
are removed: with z_i = 1 for units of the class, else 0, and z' = z minus its mean in each fit, the score of
a phrase is sum_i z'_i x_i . t / sum_i z'_i z_i, with one fit the difference of the means. A phrase counts
only above the best of all phrases when labels are permuted within the fits, and a list only where negative
controls are rarer than by chance.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from clipsvd_app.corpus import load_corpus
from clipsvd_app.domain.results.explanation import PERMUTATIONS, ClassChange, ClassPhrase, ClassReading
from clipsvd_app.engine.explain.model.embedded_corpus import embed_corpus, likely_modalities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.corpus import CorpusPhrase
    from clipsvd_app.engine.data.features import Features
    from clipsvd_app.engine.sigma.adapted import AdaptedModel
    from clipsvd_app.engine.training.labelled_images import LabelledImages
    from clipsvd_app.jobs.lines import Report

# Long enough for controls to appear among the phrases by chance; ``list_length`` makes it longer if needed.
STRONGEST = 10
# Phrases of a class that are stored and shown.
_TOLD = 6
# The null's percentile: 5 % false phrases, shared among the classes.
_LEVEL = 0.95
_TIE = 1e-9
"""How far two products may differ by rounding where chance reaches the same value."""


@dataclass(frozen=True, slots=True, eq=False)
class UnseenPart:
    """Images that one fit has not seen, in cosines with the corpus of each state (images, phrases)."""

    labels: tuple[int, ...]
    patient_ids: tuple[str, ...]
    before: NDArray[np.float32]
    after: NDArray[np.float32]


class UnseenReader:
    """Watches an estimate and compares each fit's unseen images with phrases; ``changes`` has the result."""

    def __init__(self, images: LabelledImages) -> None:
        self._images = images
        self._parts: list[UnseenPart] = []
        self._phrases: tuple[CorpusPhrase, ...] = ()
        self._classes = 0
        self._read: tuple[tuple[CorpusPhrase, ...], tuple[str, ...]] | None = None

    def __call__(
        self, adapted: AdaptedModel, positions: Sequence[int], embedded: Features, report: Report
    ) -> None:
        """Read the images at these positions, embedded by the adapted model (positions, width)."""
        frozen, places = self._images.features, list(positions)
        if self._read is None:  # once, so that a pack that comes or goes meanwhile changes nothing
            known = likely_modalities(adapted, frozen.mean(axis=0), report)
            self._read = load_corpus().phrases, known
        phrases, modalities = self._read
        after = embed_corpus(adapted, phrases, modalities, report, lasting=False)
        before = embed_corpus(adapted.base, phrases, modalities, report)
        self._phrases, self._classes = after.phrases, len(adapted.classes)
        self._parts.append(
            UnseenPart(
                self._images.labels(places),
                self._images.patient_ids(places),
                frozen[places] @ before.centred.T,
                embedded @ after.centred.T,
            )
        )

    def changes(self) -> tuple[ClassChange, ...]:
        """Return what was found for each class; empty if nothing was watched."""
        return class_changes(self._parts, self._phrases, self._classes) if self._parts else ()


def class_changes(
    parts: Sequence[UnseenPart], phrases: Sequence[CorpusPhrase], classes: int, seed: int = 0
) -> tuple[ClassChange, ...]:
    """Return the changes of all classes of which a fit had unseen images and unseen others."""
    assert all(part.before.shape[1] == part.after.shape[1] == len(phrases) for part in parts)
    units = _units(parts)
    permuted = _permutations(units, seed)
    is_control = np.array([phrase.is_control for phrase in phrases], dtype=bool)
    # Bonferroni: one false phrase in twenty runs, not in twenty classes.
    level = 1 - (1 - _LEVEL) / classes
    found = []
    for label in range(classes):
        weights = _weights(units, units.labels[None] == label)
        if weights is None:
            continue
        chance = _weights(units, permuted == label)
        assert chance is not None, "permuting within fits keeps what can be told apart"
        scores = {state: (weights @ rows)[0] for state, rows in units.rows.items()}
        readings = {}
        for state, rows in units.rows.items():
            threshold = float(np.quantile((chance @ rows).max(axis=1), level)) + _TIE
            readings[state] = _reading(scores[state], threshold, is_control)
        images, patients = _counts(parts, label)
        before, after = readings["before"], readings["after"]
        told = _told(phrases, scores["before"], scores["after"], before, after)
        found.append(ClassChange(label, images, patients, before, after, told))
    return tuple(found)


def leading_axis(changes: Sequence[ClassChange], *, adapted: bool = True) -> str:
    """Return the axis with the largest sum of scores among the shown phrases; empty without any."""
    shares: defaultdict[str, float] = defaultdict(float)
    for change in changes:
        for phrase in change.told_after() if adapted else change.told_before():
            shares[phrase.axis] += phrase.after if adapted else phrase.before
    return max(shares, key=lambda axis: shares[axis], default="")


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """Patients by class: the fit that has not seen them, their label, their mean cosines (units, phrases)."""

    fits: NDArray[np.int64]
    labels: NDArray[np.int64]
    rows: dict[str, NDArray[np.float64]]


def _units(parts: Sequence[UnseenPart]) -> _Units:
    fits, labels, before, after = [], [], [], []
    for number, part in enumerate(parts):
        members: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        for place, key in enumerate(zip(part.patient_ids, part.labels, strict=True)):
            members[key].append(place)
        for (_, label), places in members.items():
            fits.append(number)
            labels.append(label)
            before.append(part.before[places].mean(axis=0, dtype=np.float64))
            after.append(part.after[places].mean(axis=0, dtype=np.float64))
    rows = {"before": np.stack(before), "after": np.stack(after)}
    return _Units(np.array(fits, dtype=np.int64), np.array(labels, dtype=np.int64), rows)


def _permutations(units: _Units, seed: int) -> NDArray[np.int64]:
    """Return label vectors (draws, units), permuted within each fit."""
    generator = np.random.default_rng(seed)
    drawn = np.repeat(units.labels[None], PERMUTATIONS, axis=0)
    for fit in np.unique(units.fits):
        places = np.flatnonzero(units.fits == fit)
        drawn[:, places] = generator.permuted(drawn[:, places], axis=1)
    return drawn


def _weights(units: _Units, is_class: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Return the weights of the units under each labelling (draws, units); None if no fit has both sides."""
    centred = is_class.astype(np.float64)
    for fit in np.unique(units.fits):
        places = np.flatnonzero(units.fits == fit)
        centred[:, places] -= centred[:, places].mean(axis=1, keepdims=True)
    spread = (centred * is_class).sum(axis=1, keepdims=True)
    return centred / spread if (spread > 0).all() else None


def _counts(parts: Sequence[UnseenPart], label: int) -> tuple[int, int]:
    """Return the images and the patients of a class."""
    patient_ids = [
        patient_id
        for part in parts
        for patient_id, known in zip(part.patient_ids, part.labels, strict=True)
        if known == label
    ]
    return len(patient_ids), len(set(patient_ids))


def list_length(is_control: NDArray[np.bool_]) -> int:
    """Return how many of the strongest phrases are examined: ten, or more where controls are rare.

    Enough that a list drawn at random contains a control in 95 % of draws.
    """
    phrases, controls = len(is_control), int(is_control.sum())
    for length in range(STRONGEST, phrases):
        if hypergeom.pmf(0, phrases, controls, length) <= 1 - _LEVEL:
            return length
    return phrases


def _reading(scores: NDArray[np.float64], threshold: float, is_control: NDArray[np.bool_]) -> ClassReading:
    most = list_length(is_control)
    strongest = [row for row in np.argsort(-scores, kind="stable")[:most] if scores[row] > threshold]
    controls, listed = int(is_control[strongest].sum()), len(strongest)
    by_chance = float(hypergeom.cdf(controls, len(is_control), is_control.sum(), listed))
    return ClassReading(float(scores.max()), threshold, listed, controls, by_chance)


def _told(
    phrases: Sequence[CorpusPhrase],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    reading_before: ClassReading,
    reading_after: ClassReading,
) -> tuple[ClassPhrase, ...]:
    """Return the strongest descriptions of either state above its threshold, if its list is reliable."""
    rows: set[int] = set()
    for scores, reading in ((before, reading_before), (after, reading_after)):
        if reading.is_told:
            order = [row for row in np.argsort(-scores, kind="stable") if not phrases[row].is_control]
            rows |= {int(row) for row in order[:_TOLD] if scores[row] > reading.threshold}
    return tuple(
        ClassPhrase(phrases[row].text, phrases[row].axis, float(before[row]), float(after[row]))
        for row in sorted(rows, key=lambda row: -after[row])
    )
