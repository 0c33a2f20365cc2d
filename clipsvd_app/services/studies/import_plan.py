"""From dropped paths to images of the project, with a sentence for everything refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.account import Account
from clipsvd_app.domain.project_values import NewImage
from clipsvd_app.domain.view import Window
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.imaging.files.left_out import LeftOut, quiet_words
from clipsvd_app.project.changes import (
    AddImages,
    Change,
    SetPaths,
    SetSeriesFlags,
    SetSeriesWindows,
    Together,
)
from clipsvd_app.project.table_changes import LabelByContent
from clipsvd_app.services.studies.copies import SetCopies, copy_warnings, places_of_known, with_copies
from clipsvd_app.services.studies.found_files import one_id_on_all, read_files, unnamed_files
from clipsvd_app.services.studies.look_alikes import under_two_patients
from clipsvd_app.services.studies.patient_rules import PatientRule, join_near_duplicates, true_folder
from clipsvd_app.services.studies.rule_doubts import grouping_doubts, patients_of_folders
from clipsvd_app.services.studies.series_reports import SeriesFile, SeriesReport, arrange, warning
from clipsvd_app.services.studies.series_windows import windows_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.project import Project
    from clipsvd_app.services.studies.found_files import FilesRead, FoundFile

# Each frame is a row of the project and a tile of the pool; a cine loop has hundreds, a whole slide tens of
# thousands. The rest is counted as left out, with a sentence.
LARGEST_FRAMES_PER_FILE = 2000


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would add. Nothing is changed until the plan is applied."""

    images: tuple[NewImage, ...]
    files: int
    account: Account
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    """Sentences on archives and indexes."""
    warnings: tuple[str, ...]
    doubts: tuple[str, ...]
    """Those of the warnings that concern who the patients are."""
    patients: tuple[tuple[str, int], ...]
    """Images by patient group, largest first: (an example with its folder, images)."""
    series: tuple[SeriesReport, ...] = ()
    """The series of the files, each with what is irregular about it; of other images only if noted."""
    windows: Mapping[str, Window | None] = field(default_factory=dict)
    """By series key: the window of slices whose files give none."""
    moved: Mapping[int, str] = field(default_factory=dict)
    """The new paths of known images that are no longer where they were."""
    read: tuple[tuple[str, int], ...] = ()
    """Hash and frame of every image that was found, new or known."""
    copies: Mapping[str, Sequence[str]] | None = None
    """Where copies of images are, earlier and new ones together; None if there are no new ones."""

    @property
    def known(self) -> int:
        """How many images the project has already."""
        return self.account.known

    @property
    def refused(self) -> tuple[LeftOut, ...]:
        """What was left out with a sentence of its own."""
        return tuple(item for item in self.left_out if item.sentence)


def plan_import(
    project: Project,
    paths: Sequence[Path],
    rule: PatientRule | None = None,
    report: Callable[[int, int], None] | None = None,
) -> ImportPlan:
    """Read the headers under ``paths`` and plan what is added, refused and grouped."""
    read = read_files(paths, report, project.images_folder)
    return plan_groups(project, read, rule or PatientRule(), report)


def plan_groups(
    project: Project,
    read: FilesRead,
    rule: PatientRule,
    report: Callable[[int, int], None] | None = None,
    anew: frozenset[int] = frozenset(),
) -> ImportPlan:
    """Plan what is added when ``rule`` distinguishes patients; only reads the project.

    anew: images of the project to treat as new.

    report: called with (slices read, slices to read) while windows are found; raises Cancelled to stop.
    """
    frames = [(item, frame) for item in read.found for frame in range(_frames(item))]
    before = tuple(image for image in project.images() if image.id not in anew)
    known = {(image.sha256, image.frame) for image in before}
    new = [(item, frame) for item, frame in frames if (item.sha256, frame) not in known]
    # Reversed twice: of several copies, a dict built backwards keeps the first, and the order is restored.
    unique = list({(item.sha256, frame): (item, frame) for item, frame in reversed(new)}.values())[::-1]
    placed = [*read.found, *(item for item in read.others if item.patient(rule) is not None)]
    patients = patient_keys(project, placed, rule, before)
    series, positions = arrange(project, _series_files(project, placed, patients))
    moved, copied = places_of_known(before, read.found)
    of_rule = _patient_warnings(read.found, rule)
    of_folders = grouping_doubts(before, read.found, rule, patients)
    images = tuple(
        _new_image(project, item, frame, patients[item.sha256], positions.get((item.sha256, frame)))
        for item, frame in _by_date(unique, lambda owned: patients[owned[0].sha256])
    )
    return ImportPlan(
        images=images,
        files=len(read.found),
        account=_account(read, frames=len(frames), new=len(new), taken=len(images)),
        left_out=(*read.left_out, *_later_frames(read.found)),
        notes=read.notes,
        warnings=(
            *of_rule,
            *_warnings(read.found, series),
            *of_folders,
            *_doubled(images, before),
            *copy_warnings(copied),
        ),
        doubts=(*of_rule, *of_folders),
        patients=_groups(images),
        series=series,
        windows=windows_of(
            project, images, report, {item.path.resolve() for item in read.found if item.gives_window}
        ),
        moved=moved,
        read=tuple((item.sha256, frame) for item, frame in frames),
        copies=with_copies(project, copied) if copied else None,
    )


def _account(read: FilesRead, *, frames: int, new: int, taken: int) -> Account:
    """Count what was found a second time, from the files themselves, so that an error in either shows."""
    left_out = Counter({"copy": new - taken})
    for item in (*read.left_out, *_later_frames(read.found)):
        left_out[item.reason] += item.count
    found = sum(item.header.frames for item in read.found) + sum(item.count for item in read.left_out)
    return Account(found, taken, frames - new, dict(+left_out))


def _later_frames(found: Sequence[FoundFile]) -> tuple[LeftOut, ...]:
    return tuple(
        LeftOut(
            str(item.path),
            "too_many_frames",
            f"{item.path.name} has {item.header.frames:,} frames, of which only the first"
            f" {LARGEST_FRAMES_PER_FILE:,} are added. Split the file to add the others.",
            item.header.frames - LARGEST_FRAMES_PER_FILE,
        )
        for item in found
        if item.header.frames > LARGEST_FRAMES_PER_FILE
    )


def patient_keys(
    project: Project, found: Sequence[FoundFile], rule: PatientRule, before: Sequence[ProjectImage]
) -> dict[str, str]:
    """Return the salted patient key by file hash; look-alikes without an identity share one.

    before: the images that the project has, whose patients files may belong to.
    """
    true_folder.cache_clear()  # a link may lead elsewhere than at the last import
    said = {item.sha256: item.patient(rule) for item in found}
    named = {sha: project.salted(patient) for sha, patient in said.items() if patient is not None}
    if rule.kind == "folder":
        named |= patients_of_folders(before, found, rule)
    unnamed = {item.sha256: item.near_hash for item in found if said[item.sha256] is None}
    hashes = _hashes_to_join(project, before)
    joined = join_near_duplicates(unnamed, hashes)
    known = set(hashes.values())
    return named | {sha: key if key in known else project.salted(key) for sha, key in joined.items()}


def _hashes_to_join(project: Project, before: Sequence[ProjectImage]) -> dict[str, str]:
    """Return the patient key by perceptual hash of the images whose patient a look-alike may join.

    A DICOM image that names its patient is not among them: its look-alikes are reported, not merged.
    """
    hashed = [image for image in before if image.near_hash]
    unnamed = {project.salted(f"picture:{image.sha256}") for image in hashed}
    return {
        image.near_hash: image.patient_key
        for image in hashed
        if not image.modality or image.patient_key in unnamed
    }


def _doubled(images: Sequence[NewImage], before: Sequence[ProjectImage]) -> tuple[str, ...]:
    count = under_two_patients(images, before)
    if not count:
        return ()
    which = counted(count, "image shows", "images show")
    return (
        f"{which} the same content as an image of another patient. Check whether they are the same patient.",
    )


def apply_import(project: Project, plan: ImportPlan) -> Together:
    """Return the change that carries the plan out."""
    title = f"add {counted(len(plan.images), 'image')}"
    flags = SetSeriesFlags({report.key: report.flags for report in plan.series})
    windows = SetSeriesWindows(plan.windows)
    return Together((AddImages(plan.images, title), flags, windows, *_of_known(plan)), title)


def labelled_import(
    project: Project, plan: ImportPlan, labels: Mapping[tuple[str, int], str]
) -> Together | None:
    """Return the change that carries out the plan and labels its images, None where there is nothing to do.

    labels: the class's name by content and frame; missing classes are made, existing labels stay.
    """
    changes = apply_import(project, plan) if plan.images else known_changes(project, plan)
    if not labels:
        return changes
    title = changes.title if plan.images and changes is not None else "label images by their folders"
    own = () if changes is None else changes.changes
    return Together((*own, LabelByContent(labels, title)), title)


def known_changes(project: Project, plan: ImportPlan) -> Together | None:
    """Return what a plan changes of the project's own images and series, None where that is nothing."""
    flags = _new_flags(project, plan)
    changes = (*([flags] if flags else []), *_of_known(plan))
    title = "find moved images" if plan.moved else "note copies" if plan.copies else "flag series"
    return Together(changes, title) if changes else None


def _of_known(plan: ImportPlan) -> tuple[Change, ...]:
    moved = (SetPaths(plan.moved),) if plan.moved else ()
    return moved if plan.copies is None else (*moved, SetCopies(plan.copies))


def _new_flags(project: Project, plan: ImportPlan) -> SetSeriesFlags | None:
    known, keys = project.series_flags(), {key: number for number, key in project.series_keys().items()}
    changed = {
        report.key: report.flags
        for report in plan.series
        if report.key in keys and report.flags != known.get(keys[report.key], ())
    }
    return SetSeriesFlags(changed) if changed else None


def summary(plan: ImportPlan) -> str:
    """Return one line on what an import did."""
    patients = len({image.patient_key for image in plan.images})
    parts = [f"{counted(len(plan.images), 'image')} of {counted(patients, 'patient')} added"]
    if plan.known:
        parts.append(counted(plan.known, "was already known", "were already known"))
    if plan.moved:
        parts.append(f"{counted(len(plan.moved), 'image')} found at a new location")
    files = sum(item.count == 1 for item in plan.refused)
    if files:
        parts.append(f"{counted(files, 'file')} refused")
    rest = sum(plan.account.left_out.values()) - files
    if rest:
        parts.append(f"{rest:,} left out")
    return ", ".join(parts) + "."


def left_out_words(plan: ImportPlan) -> str:
    """Return one sentence on what was left out without a sentence of its own, "" where nothing was."""
    words = quiet_words(plan.account.left_out)
    return f"Left out: {words}." if words else ""


def _series_files(
    project: Project, placed: Sequence[FoundFile], patients: dict[str, str]
) -> list[SeriesFile]:
    """Return the files of DICOM series, and other images of a folder where part of a file is left out."""
    files = [
        SeriesFile(_series_key(project, item, patients[item.sha256]), item.sha256, item.header)
        for item in {item.sha256: item for item in placed}.values()
    ]
    noted = {file.key for file in files if file.header.notes}
    return [
        file
        for file in files
        if (file.header.kind == "DICOM" and file.header.series_uid)
        or (file.header.kind != "DICOM" and file.key in noted)
    ]


def _series_key(project: Project, item: FoundFile, patient: str) -> str:
    study = item.header.study_uid or f"{patient}:pictures"
    series = item.header.series_uid or f"{study}:{item.path.parent}"
    return project.salted(f"series:{patient}:{series}")


def _frames(item: FoundFile) -> int:
    return min(item.header.frames, LARGEST_FRAMES_PER_FILE)


def _by_date(
    frames: Sequence[tuple[FoundFile, int]], patient_of: Callable[[tuple[FoundFile, int]], str]
) -> list[tuple[FoundFile, int]]:
    """Put the studies of each patient in the order of their dates, so that no date need be stored.

    Only the places of one patient's frames are exchanged; the patients stay in the order found.
    """
    of_patient: dict[str, list[tuple[FoundFile, int]]] = {}
    for owned in frames:
        of_patient.setdefault(patient_of(owned), []).append(owned)
    for own in of_patient.values():
        own.sort(key=lambda owned: owned[0].header.study_order)
    turns = {key: iter(own) for key, own in of_patient.items()}
    return [next(turns[patient_of(owned)]) for owned in frames]


def _new_image(
    project: Project, item: FoundFile, frame: int, patient: str, position: float | None
) -> NewImage:
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


def _patient_warnings(found: Sequence[FoundFile], rule: PatientRule) -> tuple[str, ...]:
    warnings = []
    dicom = [item for item in found if item.header.kind == "DICOM"]
    studies = {item.header.study_uid for item in dicom}
    ids = {item.header.patient_id.strip() for item in dicom}
    if rule.kind in ("auto", "header") and one_id_on_all(found):
        shared = "the same patient ID" if ids != {""} else "an empty patient ID"
        warnings.append(
            f"All {len(studies):,} studies have {shared}, which is typical of anonymised data;"
            + (" each study counts as one patient." if ids == {""} else " they count as one patient.")
            + " If this is wrong, identify patients by folder, file name or table."
        )
    unnamed = len(unnamed_files(found, rule))
    if unnamed:
        which = counted(unnamed, "image does", "images do")
        warnings.append(
            f"{which} not identify the patient; each counts as one patient, look-alikes together. If"
            f" several belong to one patient, use a name pattern or a table."
        )
    return tuple(warnings)


def _warnings(found: Sequence[FoundFile], series: Sequence[SeriesReport]) -> tuple[str, ...]:
    warnings = []
    burned = sum(item.header.burned_in_text_likely for item in found)
    if burned:
        which = counted(burned, "image")
        warnings.append(f"{which} may contain burned-in text; check for names.")
    beyond = sum(item.header.frames - _frames(item) for item in found)
    if beyond:
        which = counted(beyond, "frame is", "frames are")
        warnings.append(
            f"{which} left out: only the first {LARGEST_FRAMES_PER_FILE:,} frames of a file are"
            f" added. Split the file to add the rest."
        )
    irregular = warning(series)
    return (*warnings, irregular) if irregular else tuple(warnings)


def _groups(images: Sequence[NewImage]) -> tuple[tuple[str, int], ...]:
    counts = Counter(image.patient_key for image in images)
    example = {image.patient_key: "/".join(Path(image.path).parts[-2:]) for image in reversed(images)}
    return tuple((example[key], count) for key, count in counts.most_common())
