"""Labels as a table: written for other programs, and read back or made elsewhere.

An image is identified by the hash of its file and its frame, because a path may hold a patient's name; paths
are written only when asked for. The project's own labels have an empty reader, a second reader's their name.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.spreadsheet import csv_text
from clipsvd_app.errors import UserError
from clipsvd_app.project.table_changes import LabelByName
from clipsvd_app.services.files.outputs import write_whole
from clipsvd_app.services.files.paths import ends_with, path_parts, sha256_or_none
from clipsvd_app.services.files.tables import PATH_NAMES, read_table
from clipsvd_app.services.labels.labels import (
    Claims,
    LabelPlan,
    LabelReport,
    finished_plan,
    nothing_to_label,
)
from clipsvd_app.services.studies.copies import copies

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clipsvd_app.domain.project_values import Mark, ProjectImage
    from clipsvd_app.project import Project

COLUMNS = ("sha256", "frame", "class", "mark", "reader", "labelled_at")
_NAMES = {
    "path": PATH_NAMES,
    "sha256": ("sha256",),
    "frame": ("frame",),
    "class": ("class", "label", "classname", "category"),
    "mark": ("mark",),
    "reader": ("reader",),
}
_MARKS: tuple[Mark, ...] = ("uncertain", "excluded")


def write_labels(project: Project, file: Path, *, with_paths: bool = False) -> int:
    """Write every image with its label, and every reading; return the number of lines.

    An existing file is replaced in one step, or stays as it was if that fails, as on a full disk.
    """
    rows = _rows(project, with_paths=with_paths)
    header = (*COLUMNS, "path") if with_paths else COLUMNS
    write_whole(file, csv_text([header, *rows]).encode())
    return len(rows)


def plan_labels(project: Project, table: Path, *, new_classes: bool = False) -> LabelPlan:
    """Read a table of labels; UserError when it fits no image.

    Columns: ``class`` and ``path``, or ``sha256`` with ``frame``; ``mark`` and ``reader`` are optional. A
    path may be absolute, relative to the table, or any tail of the image's path. Lines without class and mark
    are skipped; an image with contradictory lines stays as it is. ``new_classes`` also accepts names that
    differ from another by a letter.
    """
    read = read_table(table, _NAMES, ("path", "class"), instead={"path": "sha256"})
    finder = _Finder(project, table.absolute().parent)
    claims: dict[str, Claims] = {}
    marks: dict[int, set[Mark]] = {}
    unmatched: list[str] = []
    ambiguous: list[str] = []
    for line in read.rows:
        name, mark, reader = line["class"], _mark(line.get("mark", ""), table), line.get("reader", "")
        if not name and not mark:
            continue
        found = finder.images(line)
        if not found:
            fits_several = found is None
            (ambiguous if fits_several else unmatched).append(line.get("path") or line.get("sha256", ""))
            continue
        if name:
            claims.setdefault(reader, Claims()).add(found, name)
        if mark and not reader:
            for image_id in found:
                marks.setdefault(image_id, set()).add(mark)
    if not (claims or marks or ambiguous):
        raise nothing_to_label()
    twice = {image_id for claimed in claims.values() for image_id in claimed.contradictory()}
    twice |= {image_id for image_id, given in marks.items() if len(given) > 1}
    agreed = {reader: claimed.agreed() for reader, claimed in claims.items()}
    change = LabelByName(
        {image_id: name for image_id, name in agreed.pop("", {}).items() if image_id not in twice},
        {image_id: next(iter(given)) for image_id, given in marks.items() if image_id not in twice},
        agreed,
    )
    report = LabelReport(
        (),
        tuple(unmatched),
        tuple(ambiguous),
        tuple(Path(image.path).name for image in project.images(sorted(twice))),
        note=read.note,
    )
    return finished_plan(project, change, report, new_classes=new_classes)


class _Finder:
    """Finds the images that a line of a table refers to."""

    def __init__(self, project: Project, beside: Path) -> None:
        self._beside = beside
        self._by_hash: dict[str, list[ProjectImage]] = {}
        self._by_path: dict[str, list[ProjectImage]] = {}
        self._by_name: dict[str, list[tuple[tuple[str, ...], ProjectImage]]] = {}
        elsewhere = copies(project)
        for image in project.images():
            self._by_hash.setdefault(image.sha256, []).append(image)
            for path in (image.path, *elsewhere.get(image.sha256, ())):
                self._by_path.setdefault(path, []).append(image)
                parts = path_parts(path)
                self._by_name.setdefault(parts[-1], []).append((parts, image))

    def images(self, line: Mapping[str, str]) -> list[int] | None:
        """Return the images that a line fits, an empty list for none; None when it fits several files."""
        if sha256 := line.get("sha256", "").lower():
            found = self._by_hash.get(sha256, [])
        else:
            found = self._at(line.get("path", ""))
        if len({image.sha256 for image in found}) > 1:
            return None
        frame = line.get("frame", "")
        return [image.id for image in found if not frame or str(image.frame) == frame]

    def _at(self, name: str) -> list[ProjectImage]:
        if not name:
            return []
        place = (self._beside / name.replace("\\", "/")).resolve()
        if exact := self._by_path.get(str(place)) or self._by_path.get(name):
            return exact
        if place.is_file():  # another file than the project's, unless it is a copy
            return self._by_hash.get(sha256_or_none(place), [])
        claim = path_parts(name)
        fits = [image for parts, image in self._by_name.get(claim[-1], []) if ends_with(parts, claim)]
        return list({image.id: image for image in fits}.values())


def _mark(text: str, table: Path) -> Mark:
    if not text:
        return ""
    for known in _MARKS:
        if text.casefold() == known:
            return known
    raise UserError(
        f"The table “{table.name}” has an unknown mark “{text}”.",
        remedy="Use uncertain, excluded, or leave it empty.",
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
