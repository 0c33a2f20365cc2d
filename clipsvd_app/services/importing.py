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
from clipsvd_app.project.changes import AddImages
from clipsvd_app.services.grouping import PatientRule, join_near_duplicates

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


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file whose header was read. Identities in it are held while the import lasts, never stored."""

    path: Path
    sha256: str
    header: ImageHeader
    near_hash: str

    def patient(self, rule: PatientRule) -> str | None:
        """Return the patient's identity in the clear; a study that names none is one by itself."""
        named = rule.key(self.path, self.header.patient_id)
        if named is None and self.header.study_uid:
            return f"study:{self.header.study_uid}"
        return named


@dataclass(frozen=True, slots=True)
class FilesRead:
    """What was found under dropped paths, before it is said who the patients are."""

    found: tuple[FoundFile, ...]
    refused: tuple[Refusal, ...]


def plan_import(
    project: Project,
    paths: Sequence[Path],
    rule: PatientRule | None = None,
    report: Callable[[int, int], None] | None = None,
) -> ImportPlan:
    """Read the headers under ``paths`` and say what would be added, refused and grouped."""
    return plan_groups(project, read_files(paths, report), rule or PatientRule())


def read_files(paths: Sequence[Path], report: Callable[[int, int], None] | None = None) -> FilesRead:
    """Read the headers under ``paths``.

    report: told (files done, files in all); raises Cancelled to stop.

    Safe to call from a thread. Raises UserError when there is nothing to read at all.
    """
    from clipsvd_app import imaging

    files = [path for path in imaging.find_files(paths) if not _OWN_FILES.search(path.name)]
    if not files:
        raise UserError(
            "There is no image file in what you added.",
            remedy="Add DICOM, PNG, JPEG, TIFF or NIfTI files, or a folder that holds some.",
            code="nothing_found",
        )
    found: list[FoundFile] = []
    refused: list[Refusal] = []
    for done, path in enumerate(files):
        if report is not None:
            report(done, len(files))
        try:
            found.append(_read(path))
        except UserError as error:
            refused.append(Refusal(str(path), str(error)))
    if report is not None:
        report(len(files), len(files))
    return FilesRead(tuple(found), tuple(refused))


def plan_groups(project: Project, read: FilesRead, rule: PatientRule) -> ImportPlan:
    """Say what would be added when patients are told apart by ``rule``; only reads the project."""
    frames = [(item, frame) for item in read.found for frame in range(_frames(item))]
    before = project.known_frames()
    new = [(item, frame) for item, frame in frames if (item.sha256, frame) not in before]
    unique = list({(item.sha256, frame): (item, frame) for item, frame in reversed(new)}.values())[::-1]
    patients = patient_keys(project, read.found, rule)
    images = tuple(
        _new_image(project, item, frame, patients[item.sha256])
        for item, frame in _by_date(unique, lambda placed: patients[placed[0].sha256])
    )
    return ImportPlan(
        images=images,
        files=len(read.found),
        known=len(frames) - len(unique),
        refused=read.refused,
        warnings=_warnings(read.found, rule),
        patients=_groups(images),
    )


def patient_keys(project: Project, found: Sequence[FoundFile], rule: PatientRule) -> dict[str, str]:
    """Return the salted patient key by file hash; look-alikes without identity share one."""
    said = {item.sha256: item.patient(rule) for item in found}
    named = {sha: project.salted(patient) for sha, patient in said.items() if patient is not None}
    unnamed = {item.sha256: item.near_hash for item in found if said[item.sha256] is None}
    joined = join_near_duplicates(unnamed, project.near_hashes())
    known = set(project.near_hashes().values())
    return named | {sha: key if key in known else project.salted(key) for sha, key in joined.items()}


def apply_import(project: Project, plan: ImportPlan) -> AddImages:
    """Return the change that carries the plan out."""
    noun = "image" if len(plan.images) == 1 else "images"
    return AddImages(plan.images, title=f"add {len(plan.images)} {noun}")


def summary(plan: ImportPlan) -> str:
    """Say in one line what an import did."""
    patients = len({image.patient_key for image in plan.images})
    parts = [f"{len(plan.images)} images of {patients} patients added"]
    if plan.known:
        parts.append(f"{plan.known} were known already")
    if plan.refused:
        parts.append(f"{len(plan.refused)} files refused")
    return ", ".join(parts) + "."


def _read(path: Path) -> FoundFile:
    from clipsvd_app import imaging

    header = imaging.read_header(path)
    near = ""
    if header.kind not in ("DICOM", "volume") or not (header.patient_id.strip() or header.study_uid):
        near = f"{imaging.perceptual_hash(imaging.open_as_rgb(path)):016x}"
    return FoundFile(path, imaging.file_sha256(path), header, near)


def _frames(item: FoundFile) -> int:
    return min(item.header.frames, LARGEST_FRAMES_PER_FILE)


def _by_date(
    frames: Sequence[tuple[FoundFile, int]], patient_of: Callable[[tuple[FoundFile, int]], str]
) -> list[tuple[FoundFile, int]]:
    """Put the studies of each patient in the order of their dates, so that no date need be kept."""
    of_patient: dict[str, list[tuple[FoundFile, int]]] = {}
    for placed in frames:
        of_patient.setdefault(patient_of(placed), []).append(placed)
    for own in of_patient.values():
        own.sort(key=lambda placed: placed[0].header.study_order)
    turns = {key: iter(own) for key, own in of_patient.items()}
    return [next(turns[patient_of(placed)]) for placed in frames]


def _new_image(project: Project, item: FoundFile, frame: int, patient: str) -> NewImage:
    header = item.header
    study = header.study_uid or f"{patient}:pictures"
    series = header.series_uid or f"{study}:{item.path.parent}"
    position = header.position_along_normal_mm
    return NewImage(
        patient_key=patient,
        study_key=project.salted(f"study:{patient}:{study}"),
        series_key=project.salted(f"series:{patient}:{series}"),
        sha256=item.sha256,
        path=str(item.path.resolve()),
        frame=frame,
        modality=header.modality,
        body_part=header.body_part,
        rows=header.rows,
        columns=header.columns,
        position=float(frame) if position is None and header.frames > 1 else float(position or 0.0),
        near_hash=item.near_hash,
        burned_in_text=header.burned_in_text_likely,
    )


def one_id_on_all(found: Sequence[FoundFile]) -> bool:
    """Whether several DICOM studies carry one patient ID, or none, as anonymisers leave it."""
    dicom = [item.header for item in found if item.header.kind == "DICOM"]
    return len({h.study_uid for h in dicom}) > 1 and len({h.patient_id.strip() for h in dicom}) == 1


def unnamed_files(found: Sequence[FoundFile], rule: PatientRule) -> tuple[FoundFile, ...]:
    """Return the files of which the rule does not say who the patient is."""
    return tuple(item for item in found if item.patient(rule) is None)


def _warnings(found: Sequence[FoundFile], rule: PatientRule) -> tuple[str, ...]:
    warnings = []
    dicom = [item for item in found if item.header.kind == "DICOM"]
    studies = {item.header.study_uid for item in dicom}
    ids = {item.header.patient_id.strip() for item in dicom}
    if rule.kind in ("auto", "header") and one_id_on_all(found):
        shared = "the same patient ID" if ids != {""} else "an empty patient ID"
        warnings.append(
            f"All {len(studies)} studies carry {shared}, as anonymisers leave it;"
            + (" each study counts as one patient." if ids == {""} else " they count as one patient.")
            + " If that is wrong, take patients from the folder, a name pattern or a table."
        )
    unnamed = len(unnamed_files(found, rule))
    if unnamed:
        warnings.append(
            f"{unnamed} images do not say who the patient is; each counts as a patient of its own,"
            " look-alikes together. Give a name pattern or a table if several belong to one patient."
        )
    burned = sum(item.header.burned_in_text_likely for item in found)
    if burned:
        warnings.append(f"{burned} images may show text burned into the picture; check them for names.")
    return tuple(warnings)


def _groups(images: Sequence[NewImage]) -> tuple[tuple[str, int], ...]:
    counts = Counter(image.patient_key for image in images)
    example = {image.patient_key: Path(image.path).name for image in reversed(images)}
    return tuple((example[key], count) for key, count in counts.most_common())
