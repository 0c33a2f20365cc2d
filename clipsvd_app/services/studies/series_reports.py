"""The series of an import: where each image belongs, and what is irregular about them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.project_values import SeriesFlag
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.imaging.values import ImageHeader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.imaging.series.assembly import Series, Slice
    from clipsvd_app.project import Project

# Images are shown by position: orientation after orientation, then images without a position. Positions are
# millimetres, so orientations 1e5 apart never meet; 1e7 is beyond 100 orientations. Frames of a file without
# positions stay between two ranks: 2,000 of them times 1e-4 is 0.2.
_ORIENTATIONS_APART = 1e5
_UNPLACED = 1e7
_FRAMES_APART = 1e-4
# Flags from other files of the import, or from pixels: a header read again cannot show them.
_SAID_ONCE = frozenset({"no_pixels", "unsupported_object", "values_exceed_bits"})


@dataclass(frozen=True, slots=True)
class SeriesFile:
    """One file of an import, by the salted key of its series. sha256 distinguishes copies."""

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
    everything = [*files, *_earlier(project, files)]
    before = _flags_by_key(project)
    by_key: dict[str, list[SeriesFile]] = {}
    for file in everything:
        by_key.setdefault(file.key, []).append(file)
    reports, positions = [], {}
    for key, own in by_key.items():
        if not _is_dicom_series(own[0].header):
            reports.append(_pictures_report(key, own))
            continue
        for series in _assembled(own):
            reports.append(_report(key, series, before.get(key, ())))
            for found in series.slices:
                file = own[found.member]
                positions[file.sha256, found.frame] = _position(found)
    return tuple(reports), positions


def judge_without(project: Project, gone: Sequence[ProjectImage]) -> dict[str, tuple[SeriesFlag, ...]]:
    """Return the flags by series key after images are removed, of the series that keep some.

    A series with a file that cannot be read now keeps its flags, and a file of several frames is checked
    whole as long as one of them stays.
    """
    keys, before = project.series_keys(), _flags_by_key(project)
    leaving = {image.id for image in gone}
    staying = {image.sha256 for image in project.images() if image.id not in leaving}
    flags: dict[str, tuple[SeriesFlag, ...]] = {}
    for key in dict.fromkeys(keys[image.series_id] for image in gone):
        known = [(sha256, path) for sha256, path in project.files_of_series(key) if sha256 in staying]
        files = [file for sha256, path in known if (file := _read_again(key, sha256, path)) is not None]
        if len(files) == len(known):
            for series in _assembled([file for file in files if _is_dicom_series(file.header)]):
                flags[key] = _report(key, series, before.get(key, ())).flags
            if key in before and not any(_is_dicom_series(file.header) for file in files):
                flags[key] = _pictures_report(key, files).flags
    return flags


def _is_dicom_series(header: ImageHeader) -> bool:
    return header.kind == "DICOM" and bool(header.series_uid)


def _pictures_report(key: str, files: Sequence[SeriesFile]) -> SeriesReport:
    """Report what is left out of the images and volumes of one folder; their order is not checked."""
    from clipsvd_app.imaging.series.notes import note_flags

    found = note_flags(note for file in files for note in file.header.notes)
    flags = tuple(SeriesFlag(flag.code.value, flag.sentence, flag.count) for flag in found)
    return SeriesReport(key, "", sum(file.header.frames for file in files), None, flags)


def _flags_by_key(project: Project) -> dict[str, tuple[SeriesFlag, ...]]:
    keys = project.series_keys()
    return {keys[series_id]: flags for series_id, flags in project.series_flags().items()}


def _assembled(files: Sequence[SeriesFile]) -> tuple[Series, ...]:
    from clipsvd_app.imaging.series.assembly import Member, assemble

    return assemble([Member(file.header, file.sha256) for file in files])


def warning(reports: Sequence[SeriesReport]) -> str:
    """Return one sentence on irregular series, "" when there are none."""
    flagged = [report for report in reports if report.flags]
    if not flagged:
        return ""
    which = counted(len(flagged), "series is", "series are")
    return f"{which} irregular: {flagged[0].flags[0].sentence}"


def _report(key: str, series: Series, before: Sequence[SeriesFlag]) -> SeriesReport:
    """Check a series. Of its earlier flags only those that headers cannot show are kept."""
    found = tuple(SeriesFlag(flag.code.value, flag.sentence, flag.count) for flag in series.flags)
    said = {flag.code for flag in found}
    flags = (*(flag for flag in before if flag.code in _SAID_ONCE and flag.code not in said), *found)
    return SeriesReport(key, series.modality, len(series.slices), series.spacing_mm, flags)


def _position(found: Slice) -> float:
    if found.along_mm is not None:
        return found.orientation * _ORIENTATIONS_APART + found.along_mm
    return _UNPLACED + found.rank + found.frame * _FRAMES_APART


def _earlier(project: Project, files: Sequence[SeriesFile]) -> list[SeriesFile]:
    """Read again the files that the project has of these series, except those that are missing."""
    known = {(file.key, file.sha256) for file in files}
    found = []
    for key in dict.fromkeys(file.key for file in files):
        for sha256, path in project.files_of_series(key):
            if (key, sha256) in known:
                continue
            file = _read_again(key, sha256, path)
            if file is not None:  # moved or unmounted: the others are judged without it
                found.append(file)
    return found


def _read_again(key: str, sha256: str, path: str) -> SeriesFile | None:
    from clipsvd_app.imaging.reading import read_header

    try:
        return SeriesFile(key, sha256, read_header(Path(path)))
    except UserError:
        return None
