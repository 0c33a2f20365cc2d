"""How the patient of an image is known: by header, folder, a pattern in the name, or a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.services.files.paths import ends_with, path_parts
from clipsvd_app.services.files.tables import PATH_NAMES, read_table

FIRST_PART = r"^([^_\-. ]+)"
NAMED_PATTERNS = {FIRST_PART: "the first part of the file name, up to “_”, “-”, “.” or a space"}
RuleKind = Literal["auto", "header", "folder", "regex", "csv"]
_NAMES = {
    "path": PATH_NAMES,
    "patient": (
        *("patient", "patientid", "subject", "subjectid", "participant", "participantid"),
        *("patientnumber", "patientno", "patientnr", "patientname", "pid", "mrn"),
    ),
}
NEAR_BITS = 3
"""Images whose perceptual hashes (64 bits) differ in at most this many bits count as one patient's."""


@dataclass(frozen=True, slots=True)
class PatientTable:
    """Patients by path: absolute, relative to the table, or any tail of a path.

    claims: (parts of the path, patient) by file name, the longest first. note: how the table was read.
    """

    by_path: Mapping[str, str]
    claims: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]
    note: str = ""

    def patient(self, path: Path) -> str:
        """Return the patient of a file, "" where the table does not list it."""
        place = true_folder(path.parent) / path.name
        if exact := self.by_path.get(str(place)):
            return exact
        line = self.line(path)
        return line[1] if line else ""

    def line(self, path: Path) -> tuple[tuple[str, ...], str] | None:
        """Return the line whose path is a tail of the file's, None where there is none."""
        parts = path_parts(str(true_folder(path.parent) / path.name))
        return next((line for line in self.claims.get(parts[-1], ()) if ends_with(parts, line[0])), None)


@lru_cache(maxsize=4096)
def true_folder(folder: Path) -> Path:
    """Return a folder's path without links; cached, as thousands of files share few folders."""
    return folder.resolve()


@dataclass(frozen=True, slots=True)
class PatientRule:
    """How patients are distinguished. ``auto``: the header for DICOM, near-duplicates for other images.

    levels: how many folders above the file the patient's folder is, 1 for its own.
    """

    kind: RuleKind = "auto"
    pattern: re.Pattern[str] | None = None
    table: PatientTable | None = None
    levels: int = 1

    @property
    def words(self) -> str:
        """What the rule uses, as the end of “patients distinguished by …”."""
        if self.kind == "folder":
            return "their folder" if self.levels == 1 else f"the folder {self.levels - 1} above their own"
        if self.kind == "regex" and self.pattern is not None:
            known = NAMED_PATTERNS.get(self.pattern.pattern)
            return known or f"what “{self.pattern.pattern}” finds in the file name"
        return "a table" if self.kind == "csv" else "the patient ID in their headers"

    def folder(self, path: Path) -> Path:
        """Return the patient's folder, by its path without links however it was given."""
        own = true_folder(path.parent)
        return own if self.levels == 1 else own.parents[min(self.levels - 1, len(own.parents)) - 1]

    def key(self, path: Path, header_id: str) -> str | None:
        """Return the patient's identity in plain text, or None when the rule does not give one."""
        if self.kind == "folder":
            return f"folder:{self.folder(path)}"
        if self.kind == "regex":
            assert self.pattern is not None
            found = self.pattern.search(path.name)
            return f"name:{found.group(1)}" if found and found.group(1) else None
        if self.kind == "csv":
            assert self.table is not None
            listed = self.table.patient(path)
            return f"table:{listed}" if listed else None
        return f"id:{header_id.strip()}" if header_id.strip() else None


def parse_rule(text: str) -> PatientRule:
    """Read ``header``, ``folder``, ``folder:LEVELS``, ``regex:RE`` or ``csv:FILE``.

    UserError says what is wrong with it.
    """
    kind, _, rest = text.partition(":")
    if kind == "folder" and rest.isascii() and rest.isdigit() and int(rest) > 0:
        return PatientRule("folder", levels=int(rest))
    if text in ("auto", "header", "folder"):
        return PatientRule(kind=text)  # type: ignore[arg-type]
    if kind == "regex":
        return PatientRule("regex", pattern=_compiled(rest))
    if kind == "csv":
        return PatientRule("csv", table=_read_table(Path(rest)))
    raise UserError(
        f"“{text}” is not a patient rule.",
        remedy="Use header, folder, folder:2 (the folder above it), regex:RE or csv:FILE.",
        code="patient_rule",
    )


def join_near_duplicates(hashes: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Give images that look alike, directly or through a chain of others, one patient key.

    hashes: perceptual hash (16 hex digits) by item. known: patient key by hash, of images already
    in the project. Returns a key by item: that of a known look-alike, else of the chain's first item in
    sorted order, so that the order of the arguments does not matter.
    """
    items, values = sorted(hashes), np.array([int(hashes[i], 16) for i in sorted(hashes)], dtype=np.uint64)
    firsts = np.arange(len(items))
    for row, value in enumerate(values):
        near = firsts[np.bitwise_count(values ^ value) <= NEAR_BITS]
        firsts[np.isin(firsts, near)] = near.min(initial=row)
    keys = {first: f"picture:{items[first]}" for first in firsts.tolist()}
    for text in sorted(known, reverse=True):
        near = firsts[np.bitwise_count(values ^ np.uint64(int(text, 16))) <= NEAR_BITS]
        keys |= dict.fromkeys(near.tolist(), known[text])
    return {item: keys[first] for item, first in zip(items, firsts.tolist(), strict=True)}


def _compiled(expression: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise UserError(
            f"“{expression}” is not a valid pattern ({error}).",
            remedy="Write one whose first group is the patient, for example ^(\\d+)_.",
            code="patient_rule",
        ) from error
    if pattern.groups < 1:
        raise UserError(
            f"The pattern “{expression}” has no group.",
            remedy="Put the patient part in parentheses, for example ^(\\d+)_.",
            code="patient_rule",
        )
    return pattern


def _read_table(path: Path) -> PatientTable:
    read = read_table(path, _NAMES, ("path", "patient"))
    beside = path.absolute().parent
    by_path: dict[str, str] = {}
    claims: dict[str, dict[tuple[str, ...], str]] = {}
    twice: list[str] = []
    for line in read.rows:
        name, patient = line["path"], line["patient"]
        if not name or not patient:
            continue
        parts = path_parts(name)
        if claims.setdefault(parts[-1], {}).setdefault(parts, patient) != patient:
            twice.append(name)
        by_path[str((beside / name.replace("\\", "/")).resolve())] = patient
    if twice:
        raise UserError(
            f"The table “{path.name}” assigns {counted(len(twice), 'file')} to two patients, such as"
            f" “{twice[0]}”.",
            remedy="Assign one patient to every file.",
            code="patient_rule",
        )
    longest_first = {
        name: tuple(sorted(found.items(), key=lambda line: -len(line[0]))) for name, found in claims.items()
    }
    return PatientTable(by_path, longest_first, read.note)
