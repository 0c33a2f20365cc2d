"""Labels as a table: written for other programs, and read back or made elsewhere.

An image is named by the hash of its file and its frame, because a path may hold a patient's name; paths
are written only when asked for. The project's own labels have no reader; a second reader's carry theirs.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError
from clipsvd_app.project.table_changes import LabelByName
from clipsvd_app.services.labelling import LabelReport, nothing_to_label
from clipsvd_app.services.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clipsvd_app.domain.study import Mark, ProjectImage
    from clipsvd_app.project import Project

COLUMNS = ("sha256", "frame", "class", "mark", "reader", "labelled_at")
_MARKS: tuple[Mark, ...] = ("uncertain", "excluded")


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """What a table says of the project's images. Nothing is changed until ``change`` is applied."""

    change: LabelByName
    report: LabelReport


def write_labels(project: Project, file: Path, *, with_paths: bool = False) -> int:
    """Write every image with its label and every reading; returns the number of lines.

    An existing file is replaced in one step, or kept as it was when the disk is full.
    """
    rows = _rows(project, with_paths=with_paths)
    header = (*COLUMNS, "path") if with_paths else COLUMNS
    try:
        descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
        with os.fdopen(descriptor, "w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([header, *rows])
        Path(temporary).replace(file)
    except OSError as error:
        raise UserError(
            f"“{file.name}” cannot be written.",
            remedy="Choose a folder of yours with free space.",
            code="table_not_written",
        ) from error
    return len(rows)


def plan_labels(project: Project, table: Path) -> LabelPlan:
    """Read a table of labels; UserError when it fits no image.

    Columns: ``class`` and ``path``, or ``sha256`` with ``frame``; ``mark`` and ``reader`` where there are
    some. A path may be whole, relative to the table, or a file name. Lines without class and mark say
    nothing.
    """
    lines = read_table(table, ("path", "class"))
    if lines and "class" not in lines[0]:
        raise UserError(
            f"The table “{table.name}” has no column “class”.",
            remedy="Name its columns path,class, or write one with clipsvd labels to see the form.",
            code="table_unreadable",
        )
    finder = _Finder(project.images(), table.parent)
    names: dict[int, str] = {}
    marks: dict[int, Mark] = {}
    readings: dict[str, dict[int, str]] = {}
    unmatched = []
    for line in lines:
        name, mark, reader = line["class"], _mark(line.get("mark", ""), table), line.get("reader", "")
        if not name and not mark:
            continue
        if not (found := finder.images(line)):
            unmatched.append(line.get("path") or line.get("sha256", ""))
            continue
        if name:
            (readings.setdefault(reader, {}) if reader else names).update(dict.fromkeys(found, name))
        if mark and not reader:
            marks |= dict.fromkeys(found, mark)
    if not (names or marks or readings):
        raise nothing_to_label()
    counts = Counter(names.values())
    return LabelPlan(
        LabelByName(names, marks, readings), LabelReport(tuple(sorted(counts.items())), tuple(unmatched))
    )


class _Finder:
    """Finds the images that a line of a table means."""

    def __init__(self, images: Sequence[ProjectImage], beside: Path) -> None:
        self._beside = beside
        self._by_path: dict[str, list[ProjectImage]] = {}
        self._by_hash: dict[str, list[ProjectImage]] = {}
        for image in images:
            self._by_hash.setdefault(image.sha256, []).append(image)
            for key in (image.path, Path(image.path).name):
                self._by_path.setdefault(key, []).append(image)

    def images(self, line: Mapping[str, str]) -> list[int]:
        """Return the images of a line, none when it fits none or files of several places."""
        if sha256 := line.get("sha256"):
            found, frame = self._by_hash.get(sha256, []), line.get("frame", "")
            return [image.id for image in found if not frame or str(image.frame) == frame]
        name = next((line[key] for key in ("path", "file", "image") if line.get(key)), "")
        keys = (str((self._beside / name).resolve()), name, Path(name).name)
        matches = next((self._by_path[key] for key in keys if key in self._by_path), [])
        return [match.id for match in matches] if len({match.path for match in matches}) == 1 else []


def _mark(text: str, table: Path) -> Mark:
    if not text:
        return ""
    for known in _MARKS:
        if text.casefold() == known:
            return known
    raise UserError(
        f"The table “{table.name}” has the mark “{text}”.",
        remedy="A mark is empty, uncertain or excluded.",
        code="table_unreadable",
    )


def _rows(project: Project, *, with_paths: bool) -> list[tuple[str, ...]]:
    images, names = project.images(), {known.id: known.name for known in project.classes()}
    times = {(event.image_id, event.reader): event.at for event in project.label_log()}
    by_id = {image.id: image for image in images}

    def row(image: ProjectImage, class_id: int | None, mark: str, reader: str) -> tuple[str, ...]:
        name = "" if class_id is None else names[class_id]
        at = times.get((image.id, reader), "") if name or mark else ""
        path = (image.path,) if with_paths else ()
        return (image.sha256, str(image.frame), name, mark, reader, at, *path)

    own: Iterable[tuple[str, ...]] = (row(image, image.class_id, image.mark, "") for image in images)
    second = (row(by_id[r.image_id], r.class_id, "", r.reader) for r in project.readings())
    return [*own, *second]
