"""Regrouping images by another patient rule right after an import that used the last one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.project.changes import SetSeriesFlags, SetSeriesWindows, Together
from clipsvd_app.project.patient_changes import Regroup
from clipsvd_app.services.studies.found_files import FilesRead
from clipsvd_app.services.studies.import_plan import plan_groups
from clipsvd_app.services.studies.series_reports import judge_without

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.domain.project_values import NewImage
    from clipsvd_app.project import Project
    from clipsvd_app.services.studies.import_plan import ImportPlan
    from clipsvd_app.services.studies.patient_rules import PatientRule


@dataclass(frozen=True, slots=True)
class Added:
    """The files of an import whose images were new, and those images by content and frame.

    The headers in ``read`` name patients: they stay in memory until the next import and are never stored.
    """

    read: FilesRead
    frames: frozenset[tuple[str, int]]

    def ids(self, project: Project) -> frozenset[int]:
        """Return the images that are still in the project."""
        return frozenset(i.id for i in project.images() if (i.sha256, i.frame) in self.frames)


def added_by(read: FilesRead, plan: ImportPlan) -> Added:
    """Return what an import added."""
    frames = frozenset((image.sha256, image.frame) for image in plan.images)
    new = {sha256 for sha256, _frame in frames}
    return Added(replace(read, found=tuple(item for item in read.found if item.sha256 in new)), frames)


def again_sentence(plan: ImportPlan, rule: PatientRule) -> str:
    """Say how images were grouped by the last rule, which was applied without asking."""
    images, patients = len(plan.images), len({image.patient_key for image in plan.images})
    told = f"Patients identified by {rule.words}, as before: {counted(images, 'image')}"
    return f"{told}, {counted(patients, 'patient')}."


def plan_regrouping(
    project: Project,
    added: Added,
    rule: PatientRule,
    report: Callable[[int, int], None] | None = None,
) -> tuple[tuple[NewImage, ...], Together]:
    """Return the images as another rule groups them, and the change that regroups them; labels stay."""
    ids = added.ids(project)
    plan = plan_groups(project, added.read, rule, report, ids)
    images = tuple(image for image in plan.images if (image.sha256, image.frame) in added.frames)
    flags = judge_without(project, [image for image in project.images() if image.id in ids])
    flags |= {series.key: series.flags for series in plan.series}
    title = f"change patients of {counted(len(images), 'image')}"
    changes = (Regroup(images, title), SetSeriesFlags(flags), SetSeriesWindows(plan.windows))
    return images, Together(changes, title)
