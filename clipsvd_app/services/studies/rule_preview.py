"""The patients into which a rule would group an import's files, shown before anything is added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.services.studies.found_files import one_id_on_all, unnamed_files
from clipsvd_app.services.studies.import_plan import patient_keys
from clipsvd_app.services.studies.rule_doubts import grouping_doubts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.project import Project
    from clipsvd_app.services.studies.found_files import FilesRead, FoundFile
    from clipsvd_app.services.studies.patient_rules import PatientRule

# File names shown of each group: enough to recognise it by in one line.
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class PatientGroup:
    """Files that would count as one patient: what they share, how many there are, and some of their names."""

    title: str
    files: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupPreview:
    """All groups, largest first, with a sentence that sums them up and warnings."""

    groups: tuple[PatientGroup, ...]
    sentence: str
    warning: str


def preview_groups(
    project: Project, read: FilesRead, rule: PatientRule, anew: frozenset[int] = frozenset()
) -> GroupPreview:
    """Return which files would count as one patient; only reads, and stores nothing.

    anew: images of the project to treat as new.
    """
    before = tuple(image for image in project.images() if image.id not in anew)
    keys = patient_keys(project, read.found, rule, before)
    members: dict[str, list[FoundFile]] = {}
    for item in read.found:
        members.setdefault(keys[item.sha256], []).append(item)
    ordered = sorted(members.values(), key=lambda group: -len(group))
    groups = tuple(_group(place, group, rule) for place, group in enumerate(ordered, 1))
    sentence = f"{counted(len(read.found), 'file')}, {counted(len(groups), 'patient')}"
    doubts = grouping_doubts(before, read.found, rule, keys)
    warning = _warning(read.found, rule, len(groups))
    return GroupPreview(groups, sentence, " ".join(part for part in (warning, *doubts) if part))


def must_ask(read: FilesRead, rule: PatientRule) -> bool:
    """Whether the rule does not tell the patients, so that the user should be asked.

    That is so for images without any identity, and where all studies have one ID.
    """
    if rule.kind in ("auto", "header") and one_id_on_all(read.found):
        return True
    return len(unnamed_files(read.found, rule)) > 1


def is_doubtful(project: Project, read: FilesRead, rule: PatientRule) -> bool:
    """Whether a rule that was chosen for other files groups these differently from their folders."""
    if rule.kind in ("auto", "header"):
        return False
    before = project.images()
    keys = patient_keys(project, read.found, rule, before)
    return bool(grouping_doubts(before, read.found, rule, keys))


def _group(place: int, members: Sequence[FoundFile], rule: PatientRule) -> PatientGroup:
    return PatientGroup(
        _title(place, members[0], rule), len(members), tuple(item.path.name for item in members[:_EXAMPLES])
    )


def _title(place: int, item: FoundFile, rule: PatientRule) -> str:
    """Return the group's name for the screen: words of the rule, never a header's, which name the patient."""
    named = rule.key(item.path, item.header.patient_id)
    if named is None:
        return f"Study {place}" if item.header.study_uid else f"Picture {place}"
    if rule.kind == "folder":
        return rule.folder(item.path).name
    return named.partition(":")[2] if rule.kind in ("regex", "csv") else f"Patient {place}"


def _warning(found: Sequence[FoundFile], rule: PatientRule, patients: int) -> str:
    unnamed = len(unnamed_files(found, rule))
    if rule.kind in ("auto", "header"):
        if one_id_on_all(found):
            return (
                "All studies have the same patient ID, which is typical of anonymised data. They"
                " may be different patients."
            )
        if unnamed:
            return (
                f"{counted(unnamed, 'file does', 'files do')} not identify the patient. Each"
                f" counts as one patient, look-alikes together; if several belong to one patient,"
                f" estimates will be too optimistic."
            )
    elif unnamed:
        return f"The rule does not apply to {counted(unnamed, 'file')}; each counts as one patient."
    if patients == 1 and len(found) > 1:
        return "There is only one patient, so there will be no estimate."
    return ""
