"""The series of an import: where each image belongs, and what is irregular about them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.study import SeriesFlag
from clipsvd_app.errors import UserError
from clipsvd_app.imaging import ImageHeader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.imaging.series import Series, Slice
    from clipsvd_app.project import Project

# Images are shown by position: orientation after orientation, then what says nothing of its place.
_ORIENTATIONS_APART = 1e5
_UNPLACED = 1e7
_FRAMES_APART = 1e-4


@dataclass(frozen=True, slots=True)
class SeriesFile:
    """One DICOM file of an import, by the salted key of its series. sha256 tells copies apart."""

    key: str
    sha256: str
    header: ImageHeader


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """One series as it will be in the project. spacing_mm: the usual distance between its slices."""

    key: str
    modality: str
    images: int
    spacing_mm: float | None
    flags: tuple[SeriesFlag, ...]


def arrange(
    project: Project, files: Sequence[SeriesFile]
) -> tuple[tuple[SeriesReport, ...], dict[tuple[str, int], float]]:
    """Return a report on each series that `files` touch, and the position of each (sha256, frame).

    Files that the project already has in these series are judged with the new ones.
    """
    from clipsvd_app.imaging.series import Member, assemble

    everything = [*files, *_earlier(project, files)]
    members = [Member(file.header, file.sha256) for file in everything]
    by_uid: dict[str, list[int]] = {}
    for index, file in enumerate(everything):
        by_uid.setdefault(file.key, []).append(index)
    reports, positions = [], {}
    for key, indices in by_uid.items():
        for series in assemble([members[index] for index in indices]):
            reports.append(_report(key, series))
            for found in series.slices:
                file = everything[indices[found.member]]
                positions[file.sha256, found.frame] = _position(found, file.header.instance_number)
    return tuple(reports), positions


def warning(reports: Sequence[SeriesReport]) -> str:
    """Say in one sentence that series are irregular, "" when none is."""
    flagged = [report for report in reports if report.flags]
    if not flagged:
        return ""
    which = "One series is" if len(flagged) == 1 else f"{len(flagged)} series are"
    return f"{which} irregular: {flagged[0].flags[0].sentence}"


def _report(key: str, series: Series) -> SeriesReport:
    flags = tuple(SeriesFlag(flag.code.value, flag.sentence, flag.count) for flag in series.flags)
    return SeriesReport(key, series.modality, len(series.slices), series.spacing_mm, flags)


def _position(found: Slice, instance_number: int) -> float:
    if found.along_mm is not None:
        return found.orientation * _ORIENTATIONS_APART + found.along_mm
    return _UNPLACED + instance_number + found.frame * _FRAMES_APART


def _earlier(project: Project, files: Sequence[SeriesFile]) -> list[SeriesFile]:
    """Read again what the project has of these series, as far as it is still where it was."""
    from clipsvd_app import imaging

    known = {(file.key, file.sha256) for file in files}
    found = []
    for key in dict.fromkeys(file.key for file in files):
        for sha256, path in project.files_of_series(key):
            if (key, sha256) in known:
                continue
            try:
                found.append(SeriesFile(key, sha256, imaging.read_header(Path(path))))
            except UserError:  # moved or unmounted: the others are judged without it
                continue
    return found
