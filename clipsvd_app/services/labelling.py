"""Giving images their classes: one by one, from folders, or from a table."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.classes import ClassSpec, class_from_name, clean_name
from clipsvd_app.errors import UserError
from clipsvd_app.project.changes import SetLabels, SetMarks, Together
from clipsvd_app.project.table_changes import LabelByName

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clipsvd_app.domain.study import Mark, ProjectImage
    from clipsvd_app.project import Project

_PROMPT_FOLLOWS = re.compile(r"(?<![<>!=≤≥])=(?!=)")
WORTH_HAVING = 16
"""Examples per class up to which the published curves still rise steeply (K = 16)."""


@dataclass(frozen=True, slots=True)
class LabelReport:
    """How many images of each class were labelled, and the lines that fitted no image."""

    labelled: tuple[tuple[str, int], ...]
    unmatched: tuple[str, ...]


def parse_class(text: str) -> ClassSpec:
    """Read ``NAME`` or ``NAME=PROMPT``; the equals signs of ``>=``, ``<=``, ``!=``, ``==`` are the name's."""
    name, *prompt = _PROMPT_FOLLOWS.split(text, maxsplit=1)
    return ClassSpec(clean_name(name), (prompt[0].strip(),)) if prompt else class_from_name(name)


def set_labels(image_ids: Iterable[int], class_id: int | None, class_name: str = "") -> SetLabels:
    """Return the change that puts images into a class, or takes their labels away."""
    chosen = dict.fromkeys(image_ids, class_id)
    noun = "image" if len(chosen) == 1 else f"{len(chosen)} images"
    return SetLabels(chosen, f"label {noun} “{class_name}”" if class_id is not None else f"unlabel {noun}")


def set_marks(image_ids: Iterable[int], mark: Mark) -> SetMarks:
    """Return the change that marks images, or takes their marks away."""
    chosen = dict.fromkeys(image_ids, mark)
    noun = "image" if len(chosen) == 1 else f"{len(chosen)} images"
    return SetMarks(chosen, f"mark {noun} as {mark}" if mark else f"unmark {noun}")


def clear_labels(images: Sequence[ProjectImage]) -> Together:
    """Return the change that leaves images with neither label nor mark."""
    labels = set_labels((image.id for image in images), None)
    marks = SetMarks({image.id: "" for image in images if image.mark}, labels.title)
    return Together((marks, labels), labels.title)


def label_from_folders(project: Project) -> LabelReport:
    """Label every image by the name of its folder; classes are made as needed."""
    wanted = {image.id: Path(image.path).parent.name for image in project.images()}
    if not wanted:
        raise nothing_to_label()
    project.apply(LabelByName(wanted))
    return LabelReport(tuple(sorted(Counter(wanted.values()).items())), ())


def nothing_to_label() -> UserError:
    """Say that no image of the project fits what was given."""
    return UserError(
        "No image of the project fits what was given.",
        remedy="Add the images first (clipsvd add), and check the names in the table.",
        code="nothing_to_label",
    )


def class_counts(images: Sequence[ProjectImage]) -> Counter[int]:
    """Return labelled images by class id."""
    return Counter(image.example_of for image in images if image.example_of is not None)


def patient_counts(images: Sequence[ProjectImage]) -> Counter[int]:
    """Return labelled patients by class id."""
    pairs = {(image.example_of, image.patient_key) for image in images if image.example_of is not None}
    return Counter(class_id for class_id, _ in pairs if class_id is not None)


def hint(count: int) -> str:
    """Say how many more examples of a class are worth having."""
    if count >= WORTH_HAVING:
        return "enough to start"
    return f"{WORTH_HAVING - count} more worth having"
