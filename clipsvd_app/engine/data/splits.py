"""Splits into training and test images: whole patients on one side, the same split for the same seed.

A split depends on the order of the images, which a request sorts by content, and on the order of the
patients' names, which are numbered in that order; it does not depend on how the classes are numbered.
"""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Split:
    """Positions of training and test images; no patient is on both sides."""

    train: tuple[int, ...]
    test: tuple[int, ...]

    @property
    def sides(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return both sides, training first."""
        return self.train, self.test

    def within(self, positions: Sequence[int]) -> Split:
        """Return the same split of a subset, as positions in the whole."""
        return Split(
            tuple(positions[place] for place in self.train), tuple(positions[place] for place in self.test)
        )


def check_classes(labels: Sequence[int], class_names: Sequence[str]) -> None:
    """Refuse fewer than two classes and classes without an image."""
    if len(class_names) < 2:
        raise UserError(
            "There is only one class.",
            remedy="Add a second class, for example “normal”.",
            code="one_class",
        )
    counts = Counter(labels)
    for index, name in enumerate(class_names):
        if not counts[index]:
            raise UserError(
                f"The class “{name}” has no image.",
                remedy="Label at least one image, or remove the class.",
                code="empty_class",
            )


def set_aside(patient_ids: Sequence[str], locked: Collection[str]) -> Split:
    """Test on the patients named in ``locked`` and train on all others."""
    kept = set(locked)
    places = range(len(patient_ids))
    return Split(
        tuple(place for place in places if patient_ids[place] not in kept),
        tuple(place for place in places if patient_ids[place] in kept),
    )


def draw_shots(labels: Sequence[int], patient_ids: Sequence[str], shots: int, seed: int) -> Split:
    """Draw ``shots`` training images of every class; the rest is for testing, except the drawn patients.

    A class with fewer images gives all but one patient, if it has two or more, so that it can be tested.
    """
    generator = np.random.default_rng(seed)
    chosen: list[int] = []
    for label in dict.fromkeys(labels):
        members = [position for position, known in enumerate(labels) if known == label]
        order = [members[index] for index in generator.permutation(len(members))]
        chosen += _leaving_a_patient(order, patient_ids, shots)
    trained = {patient_ids[position] for position in chosen}
    test = tuple(position for position, patient_id in enumerate(patient_ids) if patient_id not in trained)
    return Split(tuple(sorted(chosen)), test)


def folds_by_patient(
    labels: Sequence[int], patient_ids: Sequence[str], folds: int, seed: int
) -> tuple[Split, ...]:
    """Cut into folds by patient, classes spread evenly (StratifiedGroupKFold)."""
    from sklearn.model_selection import StratifiedGroupKFold

    folder = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # scikit-learn warns of a class with fewer images than folds; callers check that by patients.
        warnings.simplefilter("ignore")
        pieces = list(folder.split(np.zeros(len(labels)), _numbered(labels), np.asarray(patient_ids)))
    return tuple(Split(tuple(train.tolist()), tuple(test.tolist())) for train, test in pieces)


def patient_folds(patient_ids: Sequence[str], folds: int) -> NDArray[np.int64]:
    """Return a fold for each image (images,), whole patients at a time, whatever their classes."""
    names, membership = np.unique(np.asarray(patient_ids), return_inverse=True)
    # A fixed seed: these folds only calibrate, and the same images must give the same figures.
    drawn = np.random.default_rng(0).permutation(len(names)) % min(folds, len(names))
    return np.asarray(drawn[membership])


def patients_in_smallest_class(labels: Sequence[int], patient_ids: Sequence[str]) -> int:
    """Count the patients of the class that has fewest."""
    patients: dict[int, set[str]] = defaultdict(set)
    for label, patient_id in zip(labels, patient_ids, strict=True):
        patients[label].add(patient_id)
    return min(len(members) for members in patients.values())


def inner_split(labels: Sequence[int], patient_ids: Sequence[str], seed: int, folds: int = 3) -> Split | None:
    """Return one grouped split for choosing settings, or None where a side would miss a class."""
    folds = min(folds, patients_in_smallest_class(labels, patient_ids))
    if folds < 2:
        return None
    everyone = set(labels)
    for split in folds_by_patient(labels, patient_ids, folds, seed):
        if all({labels[position] for position in side} == everyone for side in (split.train, split.test)):
            return split
    return None


def _numbered(labels: Sequence[int]) -> NDArray[np.int64]:
    """Return the labels (images,), renumbered in the order in which the classes first occur."""
    places = {label: place for place, label in enumerate(dict.fromkeys(labels))}
    return np.array([places[label] for label in labels], dtype=np.int64)


def _leaving_a_patient(order: list[int], patient_ids: Sequence[str], shots: int) -> list[int]:
    patients = {patient_ids[position] for position in order}
    kept_out = patient_ids[order[-1]] if len(patients) > 1 else None
    drawn = order[:shots]
    if {patient_ids[position] for position in drawn} >= patients:
        drawn = [position for position in drawn if patient_ids[position] != kept_out]
    return drawn
