"""Giving images their classes: one by one, from folders, or from a table."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.classes import ClassSpec, class_from_name
from clipsvd_app.errors import UserError
from clipsvd_app.project.changes import AddClass, SetLabels
from clipsvd_app.services.grouping import read_csv_pairs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clipsvd_app.domain.study import ProjectImage
    from clipsvd_app.project import Project

WORTH_HAVING = 16
"""Examples per class up to which the published curves still rise steeply (K = 16)."""


@dataclass(frozen=True, slots=True)
class LabelReport:
    """How many images of each class were labelled, and the lines that fitted no image."""

    labelled: tuple[tuple[str, int], ...]
    unmatched: tuple[str, ...]


def parse_class(text: str) -> ClassSpec:
    """Read ``NAME`` or ``NAME=PROMPT``."""
    name, equals, prompt = text.partition("=")
    return ClassSpec(" ".join(name.split()), (prompt.strip(),)) if equals else class_from_name(name)


def set_labels(image_ids: Iterable[int], class_id: int | None, class_name: str = "") -> SetLabels:
    """Return the change that puts images into a class, or takes their labels away."""
    chosen = dict.fromkeys(image_ids, class_id)
    noun = "image" if len(chosen) == 1 else f"{len(chosen)} images"
    return SetLabels(chosen, f"label {noun} “{class_name}”" if class_id is not None else f"unlabel {noun}")


def label_from_folders(project: Project) -> LabelReport:
    """Label every image by the name of its folder; classes are made as needed."""
    wanted = {image.id: Path(image.path).parent.name for image in project.images()}
    return _label_by_name(project, wanted, ())


def label_from_table(project: Project, table: Path) -> LabelReport:
    """Label by a table ``path,class``; a path may be absolute, relative to the table, or a file name."""
    images = project.images()
    by_path: dict[str, list[ProjectImage]] = {}
    for image in images:
        for key in (image.path, Path(image.path).name):
            by_path.setdefault(key, []).append(image)
    wanted: dict[int, str] = {}
    unmatched = []
    for name, class_name in read_csv_pairs(table, "class"):
        resolved = str((table.parent / name).resolve())
        matches = by_path.get(resolved) or by_path.get(name) or by_path.get(Path(name).name)
        if not matches or len({match.path for match in matches}) > 1:
            unmatched.append(name)
        else:
            wanted |= {match.id: class_name for match in matches}
    return _label_by_name(project, wanted, tuple(unmatched))


def class_counts(images: Sequence[ProjectImage]) -> Counter[int]:
    """Return labelled images by class id."""
    return Counter(image.class_id for image in images if image.class_id is not None)


def patient_counts(images: Sequence[ProjectImage]) -> Counter[int]:
    """Return labelled patients by class id."""
    pairs = {(image.class_id, image.patient_key) for image in images if image.class_id is not None}
    return Counter(class_id for class_id, _ in pairs if class_id is not None)


def hint(count: int) -> str:
    """Say how many more examples of a class are worth having."""
    if count >= WORTH_HAVING:
        return "enough to start"
    return f"{WORTH_HAVING - count} more worth having"


def _label_by_name(project: Project, wanted: Mapping[int, str], unmatched: tuple[str, ...]) -> LabelReport:
    if not wanted:
        raise UserError(
            "No image of the project fits what was given.",
            remedy="Add the images first (clipsvd add), and check the names in the table.",
            code="nothing_to_label",
        )
    _add_missing_classes(project, wanted.values())
    ids = {known.name.casefold(): known.id for known in project.classes()}
    project.apply(SetLabels({image: ids[name.casefold()] for image, name in wanted.items()}, "label images"))
    counts = Counter(wanted.values())
    return LabelReport(tuple(sorted(counts.items())), unmatched)


def _add_missing_classes(project: Project, names: Iterable[str]) -> None:
    known = {existing.name.casefold() for existing in project.classes()}
    for name in sorted(set(names)):
        if name.casefold() not in known:
            project.apply(AddClass(class_from_name(name)))
            known.add(name.casefold())
