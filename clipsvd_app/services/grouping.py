"""Who is the patient of an image: the header, the folder, a pattern in the name, or a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from clipsvd_app.errors import UserError
from clipsvd_app.services.tables import read_table

RuleKind = Literal["auto", "header", "folder", "regex", "csv"]
NEAR_BITS = 3
"""Perceptual hashes (64 bits) that differ in at most this many bits count as one patient."""


@dataclass(frozen=True, slots=True)
class PatientRule:
    """How patients are told apart. ``auto``: the header for DICOM, near-duplicates for pictures."""

    kind: RuleKind = "auto"
    pattern: re.Pattern[str] | None = None
    table: Mapping[str, str] | None = None

    def key(self, path: Path, header_id: str) -> str | None:
        """Return the patient's identity in the clear, or None when the rule does not say."""
        if self.kind == "folder":
            return f"folder:{path.parent}"
        if self.kind == "regex":
            assert self.pattern is not None
            found = self.pattern.search(path.name)
            return f"name:{found.group(1)}" if found else None
        if self.kind == "csv":
            assert self.table is not None
            listed = self.table.get(str(path)) or self.table.get(path.name)
            return f"table:{listed}" if listed else None
        return f"id:{header_id.strip()}" if header_id.strip() else None


def parse_rule(text: str) -> PatientRule:
    """Read ``header``, ``folder``, ``regex:RE`` or ``csv:FILE``; UserError says what is wrong with it."""
    kind, _, rest = text.partition(":")
    if text in ("auto", "header", "folder"):
        return PatientRule(kind=text)  # type: ignore[arg-type]
    if kind == "regex":
        return PatientRule("regex", pattern=_compiled(rest))
    if kind == "csv":
        return PatientRule("csv", table=_read_table(Path(rest)))
    raise UserError(
        f"“{text}” is no way to tell patients apart.",
        remedy="Use header, folder, regex:RE or csv:FILE.",
        code="patient_rule",
    )


def join_near_duplicates(hashes: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Give pictures that look alike, directly or over others between them, one patient key.

    hashes: perceptual hash (16 hex digits) by item. known: patient key by hash, of images already
    in the project. Returns a key by item: that of a known look-alike, else of the least item. The order of
    the items decides nothing.
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
            remedy="Write one that catches the patient in its first group, for example ^(\\d+)_.",
            code="patient_rule",
        ) from error
    if pattern.groups < 1:
        raise UserError(
            f"The pattern “{expression}” has no group.",
            remedy="Put the part that names the patient in parentheses, for example ^(\\d+)_.",
            code="patient_rule",
        )
    return pattern


def _read_table(path: Path) -> dict[str, str]:
    rows = [tuple(line.values())[:2] for line in read_table(path, ("path", "patient"))]
    return {key: patient for name, patient in rows for key in (name, str((path.parent / name).resolve()))}
