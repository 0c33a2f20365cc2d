"""From dropped paths to images in the project, with one sentence for everything refused."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.study import NewImage
from clipsvd_app.errors import UserError
from clipsvd_app.imaging import ImageHeader
from clipsvd_app.project.changes import AddImages, SetSeriesFlags, Together
from clipsvd_app.services.grouping import PatientRule, join_near_duplicates
from clipsvd_app.services.series_reports import SeriesFile, SeriesReport, arrange, warning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipsvd_app.project import Project

LARGEST_FRAMES_PER_FILE = 2000
_OWN_FILES = re.compile(r"\.clipsvd(-wal|-shm|-journal|\.lock)?$|\.sigma\.safetensors$")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that was not taken: its name and one sentence with a remedy."""

    path: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would add. Nothing is changed until the plan is applied."""

    images: tuple[NewImage, ...]
    files: int
    known: int
    refused: tuple[Refusal, ...]
    warnings: tuple[str, ...]
    patients: tuple[tuple[str, int], ...]
    """Images by patient group, largest first: (example file name, images)."""
    series: tuple[SeriesReport, ...] = ()
    """The DICOM series that the files belong to, each with what is irregular about it."""


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    sha256: str
    header: ImageHeader
    patient: str | None
    near_hash: str


def plan_import(
    project: Project,
    paths: Sequence[Path],
    rule: PatientRule | None = None,
    report: Callable[[int, int], None] | None = None,
) -> ImportPlan:
    """Read the headers under ``paths`` and say what would be added, refused and grouped.

    report: told (files done, files in all); raises Cancelled to stop.

    Safe to call from a thread: only reads. Raises UserError when there is nothing to read at all.
    """
    from clipsvd_app import imaging

    rule = rule or PatientRule()
    files = [path for path in imaging.find_files(paths) if not _OWN_FILES.search(path.name)]
    if not files:
        raise UserError(
            "There is no image file in what you added.",
            remedy="Add DICOM, PNG, JPEG, TIFF or NIfTI files, or a folder that holds some.",
            code="nothing_found",
        )
    seen, refused = _read_all(files, rule, report)
    found = [item for item in seen if not item.header.object_name]
    others = [item for item in seen if item.header.object_name and item.patient is not None]
    frames = [(item, frame) for item in found for frame in range(_frames(item))]
    before = project.known_frames()
    new = [(item, frame) for item, frame in frames if (item.sha256, frame) not in before]
    unique = list({(item.sha256, frame): (item, frame) for item, frame in reversed(new)}.values())[::-1]
    patients = _patient_keys(project, [*found, *others])
    series, positions = arrange(project, _series_files(project, [*found, *others], patients))
    images = tuple(
        _new_image(project, item, frame, patients[item.sha256], positions.get((item.sha256, frame)))
        for item, frame in unique
    )
    return ImportPlan(
        images=images,
        files=len(found),
        known=len(frames) - len(unique),
        refused=tuple(refused),
        warnings=_warnings(found, rule, series),
        patients=_groups(images),
        series=series,
    )


def apply_import(project: Project, plan: ImportPlan) -> Together:
    """Return the change that carries the plan out."""
    noun = "image" if len(plan.images) == 1 else "images"
    title = f"add {len(plan.images)} {noun}"
    flags = SetSeriesFlags({report.key: report.flags for report in plan.series})
    return Together((AddImages(plan.images, title), flags), title)


def summary(plan: ImportPlan) -> str:
    """Say in one line what an import did."""
    patients = len({image.patient_key for image in plan.images})
    parts = [f"{len(plan.images)} images of {patients} patients added"]
    if plan.known:
        parts.append(f"{plan.known} were known already")
    if plan.refused:
        parts.append(f"{len(plan.refused)} files refused")
    return ", ".join(parts) + "."


def _read_all(
    files: Sequence[Path], rule: PatientRule, report: Callable[[int, int], None] | None
) -> tuple[list[_Found], list[Refusal]]:
    found: list[_Found] = []
    refused: list[Refusal] = []
    for done, path in enumerate(files):
        if report is not None:
            report(done, len(files))
        try:
            item = _read(path, rule)
        except UserError as error:
            refused.append(Refusal(str(path), str(error)))
            continue
        found.append(item)
        if item.header.object_name:
            refused.append(Refusal(str(path), str(_no_image(item))))
    if report is not None:
        report(len(files), len(files))
    return found, refused


def _read(path: Path, rule: PatientRule) -> _Found:
    from clipsvd_app import imaging

    header = imaging.read_object_header(path)
    patient = rule.key(path, header.patient_id)
    if patient is None and header.study_uid:
        patient = f"study:{header.study_uid}"
    near = ""
    if not header.object_name and (patient is None or header.kind not in ("DICOM", "volume")):
        near = f"{imaging.perceptual_hash(imaging.open_as_rgb(path)):016x}"
    return _Found(path, imaging.file_sha256(path), header, patient, near)


def _no_image(item: _Found) -> UserError:
    rest = ", not an image" if item.header.frames else " and holds no pixels"
    return UserError(
        f"{item.path.name} is {item.header.object_name}{rest}.",
        remedy="Choose the images of the study instead.",
        code="unsupported_object" if item.header.frames else "no_pixels",
    )


def _series_files(project: Project, seen: Sequence[_Found], patients: dict[str, str]) -> list[SeriesFile]:
    return [
        SeriesFile(_series_key(project, item, patients[item.sha256]), item.sha256, item.header)
        for item in seen
        if item.header.kind == "DICOM" and item.header.series_uid
    ]


def _series_key(project: Project, item: _Found, patient: str) -> str:
    study = item.header.study_uid or f"{patient}:pictures"
    series = item.header.series_uid or f"{study}:{item.path.parent}"
    return project.salted(f"series:{patient}:{series}")


def _frames(item: _Found) -> int:
    return min(item.header.frames, LARGEST_FRAMES_PER_FILE)


def _patient_keys(project: Project, found: Sequence[_Found]) -> dict[str, str]:
    """Return the salted patient key by file hash; look-alikes without identity share one."""
    named = {item.sha256: project.salted(item.patient) for item in found if item.patient is not None}
    unnamed = {item.sha256: item.near_hash for item in found if item.patient is None}
    joined = join_near_duplicates(unnamed, project.near_hashes())
    known = set(project.near_hashes().values())
    return named | {sha: key if key in known else project.salted(key) for sha, key in joined.items()}


def _new_image(project: Project, item: _Found, frame: int, patient: str, position: float | None) -> NewImage:
    header = item.header
    study = header.study_uid or f"{patient}:pictures"
    return NewImage(
        patient_key=patient,
        study_key=project.salted(f"study:{patient}:{study}"),
        series_key=_series_key(project, item, patient),
        sha256=item.sha256,
        path=str(item.path.resolve()),
        frame=frame,
        modality=header.modality,
        body_part=header.body_part,
        rows=header.rows,
        columns=header.columns,
        position=float(frame) if position is None else position,
        near_hash=item.near_hash,
        burned_in_text=header.burned_in_text_likely,
    )


def _warnings(found: Sequence[_Found], rule: PatientRule, series: Sequence[SeriesReport]) -> tuple[str, ...]:
    warnings = []
    dicom = [item for item in found if item.header.kind == "DICOM"]
    studies = {item.header.study_uid for item in dicom}
    ids = {item.header.patient_id.strip() for item in dicom}
    if rule.kind in ("auto", "header") and len(studies) > 1 and len(ids) == 1:
        shared = "the same patient ID" if ids != {""} else "an empty patient ID"
        warnings.append(
            f"All {len(studies)} studies carry {shared}, as anonymisers leave it;"
            + (" each study counts as one patient." if ids == {""} else " they count as one patient.")
            + " If that is wrong, take patients from the folder, a name pattern or a table."
        )
    unnamed = sum(item.patient is None for item in found)
    if unnamed:
        warnings.append(
            f"{unnamed} images do not say who the patient is; each counts as a patient of its own,"
            " look-alikes together. Give a name pattern or a table if several belong to one patient."
        )
    burned = sum(item.header.burned_in_text_likely for item in found)
    if burned:
        warnings.append(f"{burned} images may show text burned into the picture; check them for names.")
    irregular = warning(series)
    return (*warnings, irregular) if irregular else tuple(warnings)


def _groups(images: Sequence[NewImage]) -> tuple[tuple[str, int], ...]:
    counts = Counter(image.patient_key for image in images)
    example = {image.patient_key: Path(image.path).name for image in reversed(images)}
    return tuple((example[key], count) for key, count in counts.most_common())
