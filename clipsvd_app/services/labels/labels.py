"""Giving images their classes: one by one, from folders, or from a table."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.classes import ClassSpec, class_from_name, class_key, clean_name
from clipsvd_app.domain.spelling import is_slip
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.project.changes import SetLabels, SetMarks, Together
from clipsvd_app.project.table_changes import LabelByName
from clipsvd_app.services.studies.copies import folders_of
from clipsvd_app.services.studies.look_alikes import opposite_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clipsvd_app.domain.project_values import Mark, ProjectImage
    from clipsvd_app.project import Project

# A single "=" that is no part of >=, <=, != or ==.
_PROMPT_FOLLOWS = re.compile(r"(?<![<>!=≤≥])=(?!=)")
WORTH_HAVING = 16
"""Examples per class up to which the published curves still rise steeply (K = 16, the most they show)."""
_RARE = 5
"""A new name this many times rarer than one that differs by a letter is taken for a typing error of it."""


@dataclass(frozen=True, slots=True)
class LabelReport:
    """What labels from folders or a table would do, and which are left out and why.

    labelled: images by class. unmatched: lines that fit no image. ambiguous: lines that fit images of
    several files. contradictory: images that are given several classes. slips: (name, class that was
    probably meant, images). new_classes: names that become classes. replaced, unmarked: images that lose
    another label or a mark. kept: images whose label or mark stays although their folder differs.
    opposite: look-alike pairs that would have different labels. note: how the table was read.
    """

    labelled: tuple[tuple[str, int], ...]
    unmatched: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    contradictory: tuple[str, ...] = ()
    slips: tuple[tuple[str, str, int], ...] = ()
    new_classes: tuple[str, ...] = ()
    replaced: int = 0
    unmarked: int = 0
    kept: int = 0
    opposite: int = 0
    note: str = ""

    def sentences(self) -> tuple[str, ...]:
        """Return what the user should know before the labels are applied, one sentence each."""
        said = [
            self.note,
            _such_as(self.unmatched, "line matches no image", "lines match no image"),
            _such_as(
                self.ambiguous,
                "line matches images in several folders and was skipped",
                "lines match images in several folders and were skipped",
            ),
            _such_as(
                self.contradictory,
                "image has several classes and was not changed",
                "images have several classes and were not changed",
            ),
            *(
                f"“{name}” ({counted(count, 'image')}) is probably a misspelling of “{meant}” and"
                f" was skipped."
                for name, meant, count in self.slips
            ),
            f"New classes: {', '.join(self.new_classes)}." if self.new_classes else "",
            f"{counted(self.replaced, 'image')} had a different label before." if self.replaced else "",
            f"{counted(self.unmarked, 'image')} lost a previous mark." if self.unmarked else "",
            counted(
                self.kept,
                "image with another label or a mark was not changed.",
                "images with another label or a mark were not changed.",
            )
            if self.kept
            else "",
            f"{counted(self.opposite, 'pair of images looks', 'pairs of images look')} almost"
            f" identical but have different labels."
            if self.opposite
            else "",
        ]
        return tuple(sentence for sentence in said if sentence)


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """The labels that folders or a table give. Nothing is changed until ``change`` is applied."""

    change: LabelByName
    report: LabelReport


@dataclass(slots=True)
class Claims:
    """Which classes are given to which images, by all lines or folders together."""

    of_image: dict[int, dict[str, str]] = field(default_factory=dict)

    def add(self, image_ids: Iterable[int], name: str) -> None:
        """Note a class for images; an empty name is ignored."""
        for image_id in image_ids if class_key(name) else ():
            self.of_image.setdefault(image_id, {}).setdefault(class_key(name), clean_name(name))

    def agreed(self) -> dict[int, str]:
        """Return the class of every image that has exactly one."""
        return {
            image: next(iter(names.values())) for image, names in self.of_image.items() if len(names) == 1
        }

    def contradictory(self) -> list[int]:
        """Return the images that have several classes."""
        return [image_id for image_id, names in self.of_image.items() if len(names) > 1]


def parse_class(text: str) -> ClassSpec:
    """Read ``NAME`` or ``NAME=PROMPT``; the signs ``>=``, ``<=``, ``!=`` and ``==`` belong to the name."""
    name, *prompt = _PROMPT_FOLLOWS.split(text, maxsplit=1)
    return ClassSpec(clean_name(name), (prompt[0].strip(),)) if prompt else class_from_name(name)


def set_labels(image_ids: Iterable[int], class_id: int | None, class_name: str = "") -> SetLabels:
    """Return the change that puts images into a class, or takes their labels away."""
    chosen = dict.fromkeys(image_ids, class_id)
    noun = "image" if len(chosen) == 1 else counted(len(chosen), "image")
    return SetLabels(chosen, f"label {noun} “{class_name}”" if class_id is not None else f"unlabel {noun}")


def set_marks(image_ids: Iterable[int], mark: Mark) -> SetMarks:
    """Return the change that marks images, or takes their marks away."""
    chosen = dict.fromkeys(image_ids, mark)
    noun = "image" if len(chosen) == 1 else counted(len(chosen), "image")
    return SetMarks(chosen, f"mark {noun} as {mark}" if mark else f"unmark {noun}")


def clear_labels(images: Sequence[ProjectImage]) -> Together:
    """Return the change that leaves images with neither label nor mark."""
    labels = set_labels((image.id for image in images), None)
    marks = SetMarks({image.id: "" for image in images if image.mark}, labels.title)
    return Together((marks, labels), labels.title)


def plan_folders(project: Project, *, overwrite: bool = False, new_classes: bool = False) -> LabelPlan:
    """Plan to label images by the names of their folders; images with a label or mark keep it.

    ``overwrite`` replaces labels and marks by the folder's name. ``new_classes`` also accepts names that
    differ from another by a letter. An image in folders of several names gets no label.
    """
    images = project.images()
    if not images:
        raise nothing_to_label()
    claims = Claims()
    for image_id, names in folders_of(project, images).items():
        for name in names:
            claims.add([image_id], name)
    if not claims.of_image:
        raise nothing_to_label()
    wanted = claims.agreed()
    decided = {} if overwrite else {image.id for image in images if image.class_id is not None or image.mark}
    free = {image_id: name for image_id, name in wanted.items() if image_id not in decided}
    known = {entry.id: class_key(entry.name) for entry in project.classes()}
    kept = sum(
        image.id in decided
        and (bool(image.mark) or known[image.class_id or 0] != class_key(wanted[image.id]))
        for image in images
        if image.id in wanted
    )
    by_id = {image.id: image for image in images}
    contradictory = tuple(Path(by_id[image_id].path).name for image_id in claims.contradictory())
    report = LabelReport((), contradictory=contradictory, kept=kept)
    return finished_plan(project, LabelByName(free), report, new_classes=new_classes)


def label_from_folders(project: Project) -> LabelReport:
    """Label every image that has neither label nor mark by the name of its folder."""
    plan = plan_folders(project)
    project.apply(plan.change)
    return plan.report


def finished_plan(
    project: Project, change: LabelByName, report: LabelReport, *, new_classes: bool
) -> LabelPlan:
    """Leave out probable typing errors, and count what a change does to labels, marks and classes."""
    known = {class_key(entry.name): entry.name for entry in project.classes()}
    named = [*change.name_by_image.items(), *(e for read in change.readings.values() for e in read.items())]
    counts = Counter(class_key(name) for _, name in named)
    # Reversed, so that of several spellings the first one in the table is kept.
    written = {class_key(name): known.get(class_key(name), name) for _, name in reversed(named)}
    slips = {} if new_classes else _slips(counts, written, known)

    def taken(names: Mapping[int, str]) -> dict[int, str]:
        return {i: written[class_key(name)] for i, name in names.items() if class_key(name) not in slips}

    names = taken(change.name_by_image)
    readings = {reader: taken(read) for reader, read in change.readings.items()}
    images = project.images()
    classes = {entry.id: entry.name for entry in project.classes()}
    before = {image.id: classes[image.class_id] for image in images if image.class_id is not None}
    marked = {image.id for image in images if image.mark}
    after = before | names
    used = {
        class_key(name) for name in [*names.values(), *(n for r in readings.values() for n in r.values())]
    }
    return LabelPlan(
        LabelByName(names, change.mark_by_image, readings, change.title),
        replace(
            report,
            labelled=tuple(sorted(Counter(names.values()).items())),
            slips=tuple((written[key], slips[key], counts[key]) for key in slips),
            new_classes=tuple(sorted(written[key] for key in used - known.keys())),
            replaced=sum(before.get(image_id, name) != name for image_id, name in names.items()),
            unmarked=len((marked & names.keys()) - change.mark_by_image.keys()),
            opposite=opposite_labels(images, after, new={*names}),
        ),
    )


def nothing_to_label() -> UserError:
    """Return the refusal where no image of the project fits what was given."""
    return UserError(
        "No image of the project matches.",
        remedy="Add the images first (clipsvd add), or check the names in the table.",
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
    return f"{WORTH_HAVING - count} more recommended"


def _slips(counts: Mapping[str, int], written: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Return, by the key of each probable typing error, the name that was meant."""
    slips = {}
    for key in sorted(counts.keys() - known.keys()):
        better = [name for other, name in known.items() if is_slip(key, other)]
        better += [
            written[other] for other in counts if counts[other] >= _RARE * counts[key] and is_slip(key, other)
        ]
        if better:
            slips[key] = better[0]
    return slips


def _such_as(names: Sequence[str], one: str, many: str) -> str:
    if not names:
        return ""
    return f"{counted(len(names), one, many)}, such as “{names[0]}”."
