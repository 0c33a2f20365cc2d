"""The letters at the edges of an image: the patient's sides (PS3.3 C.7.6.1.1.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.imaging.values import Edges

LEAST_SHARE = 0.1
"""The least cosine with an axis of the patient that names it: 6 degrees out of the plane of the others."""
_LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))  # towards smaller and larger x, y, z
_OPPOSITE = {letter: pair[not place] for pair in _LETTERS for place, letter in enumerate(pair)}
_LIMB = frozenset({"PR", "DI", "PA", "PL"})
# Dorsal is opposite to ventral on the trunk and to palmar or plantar on a limb, so it is handled separately.
_OPPOSITE_OF_ANIMAL = {
    "LE": "RT",
    "RT": "LE",
    "CR": "CD",
    "CD": "CR",
    "R": "CD",
    "M": "L",
    "L": "M",
    "PR": "DI",
    "DI": "PR",
    "PA": "D",
    "PL": "D",
    "V": "D",
    "D": "V",
}
_TERM_OF_ANIMAL = re.compile("LE|RT|CR|CD|PR|DI|PA|PL|D|V|R|M|L")


def letters_towards(direction: Sequence[float]) -> str:
    """Return the patient's sides that a unit vector points to, nearest first: "L", or "LA" if oblique."""
    by_share = sorted(range(3), key=lambda axis: -abs(direction[axis]))
    named = [axis for axis in by_share if abs(direction[axis]) >= LEAST_SHARE]
    return "".join(_LETTERS[axis][int(direction[axis] > 0)] for axis in named)


def edges_along(row: Sequence[float], column: Sequence[float]) -> Edges:
    """Return the patient's sides at left, top, right and bottom of an image.

    row, column: unit vectors of the patient along a row to the right and down a column.
    """
    back, up = ([-part for part in axis] for axis in (row, column))
    return letters_towards(back), letters_towards(up), letters_towards(row), letters_towards(column)


def edges_of_terms(terms: Sequence[str], *, quadruped: bool = False) -> Edges | None:
    """Return the sides that Patient Orientation names, None where it names none or contradicts itself.

    terms: towards the right of a row and towards the bottom of a column.
    """
    if len(terms) != 2:
        return None
    parts = [_parts(term.upper().strip(), quadruped=quadruped) for term in terms]
    if not all(parts) or set(parts[0]) & set(parts[1]):
        return None
    limb = any(part in _LIMB for term in parts for part in term)
    (right, left), (bottom, top) = (_pair(term, quadruped=quadruped, limb=limb) for term in parts)
    return left, top, right, bottom


def _parts(term: str, *, quadruped: bool) -> list[str]:
    """Split a term into its parts, [] where it is none: three at most, and no two of them opposite."""
    known = _TERM_OF_ANIMAL.findall(term) if quadruped else [part for part in term if part in _OPPOSITE]
    opposites = _OPPOSITE_OF_ANIMAL if quadruped else _OPPOSITE
    contradicts = any(opposites[part] in known for part in known)
    return [] if "".join(known) != term or len(known) > 3 or contradicts else known


def _pair(term: Sequence[str], *, quadruped: bool, limb: bool) -> tuple[str, str]:
    """Return a side as written and the one it faces, "" where the terms leave that open."""
    if not quadruped:
        return "".join(term), "".join(_OPPOSITE[part] for part in term)
    open_end = limb and "D" in term
    return "".join(term), "" if open_end else "".join(_OPPOSITE_OF_ANIMAL[part] for part in term)
