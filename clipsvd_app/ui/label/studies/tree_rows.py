"""The project as rows of the tree: patients, their studies and series."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from clipsvd_app.domain.project_values import relabelled
from clipsvd_app.ui.label.state import PatientRow, SeriesRow, StudyRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clipsvd_app.domain.project_values import ProjectImage, SeriesFlag

    Flags = Mapping[int, tuple[SeriesFlag, ...]]


class TreeRows:
    """Patients > studies > series of images in reading order; no row holds an identity.

    Rows of patients of whom nothing changed are kept, so that a label among thousands costs one row.
    """

    def __init__(self) -> None:
        self._images: tuple[ProjectImage, ...] = ()
        self._flags: Flags = {}
        self._members: dict[int, list[ProjectImage]] = {}
        self._rows: dict[int, PatientRow] = {}

    def of(self, images: tuple[ProjectImage, ...], flags: Flags) -> tuple[PatientRow, ...]:
        """Return the rows of these images. flags: what is irregular about series, by their ids."""
        changed = relabelled(self._images, images) if flags == self._flags else None
        self._images, self._flags = images, flags
        if changed is None:
            groups = groupby(images, lambda image: image.patient_number)
            self._members = {number: list(group) for number, group in groups}
            self._rows = {number: _patient(number, self._members[number], flags) for number in self._members}
        else:
            for image in changed:
                members = self._members[image.patient_number]
                members[[other.id for other in members].index(image.id)] = image
            for number in {image.patient_number for image in changed}:
                self._rows[number] = _patient(number, self._members[number], flags)
        return tuple(self._rows.values())


def _patient(number: int, images: Sequence[ProjectImage], flags: Flags) -> PatientRow:
    return PatientRow(f"p{number}", f"Patient {number:03d}", _studies(number, images, flags))


def _studies(patient: int, images: Sequence[ProjectImage], flags: Flags) -> tuple[StudyRow, ...]:
    return tuple(
        StudyRow(f"p{patient}-{number}", f"Study {number}", _series(list(group), flags))
        for number, group in groupby(images, lambda image: image.study_number)
    )


def _series(images: list[ProjectImage], flags: Flags) -> tuple[SeriesRow, ...]:
    rows = []
    for series_id, group in groupby(images, lambda image: image.series_id):
        members = list(group)
        first = members[0]
        what = " ".join(part for part in (first.modality, first.body_part.title()) if part) or "Pictures"
        ids = tuple(image.id for image in members)
        labelled = sum(image.class_id is not None or bool(image.mark) for image in members)
        said = tuple(flag.sentence for flag in flags.get(series_id, ()))
        rows.append(SeriesRow(f"s{series_id}", f"{what} {first.series_number}", ids, labelled, said))
    return tuple(rows)
