"""Phrases for the text tower alone: combinations of medical terms, which no picture needs to go with."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from . import phantoms, phrasing
from .canvas import pick

if TYPE_CHECKING:
    import numpy as np

HERE = Path(__file__).parent
CORPUS = HERE.parents[1] / "resources" / "corpus"
PLAIN = (
    "{f}",
    "{q} {f}",
    "{f} in {s}",
    "{q} {f} in {s}",
    "{q} and {r} {f}",
    "{f} of {s} with {g}",
    "{g}",
    "{m}",
    "{m} of {s}",
    "{m} showing {f}",
    "{m} with {q} {f}",
    "{m} with {f} in {s}",
    "{m} without {f}",
    "no {f}",
    "no evidence of {f}",
    "{s}",
    "{q} {s}",
    "{f} or {h}",
    "{f} with {g}",
    "{e}",
)


@cache
def terms() -> dict[str, tuple[str, ...]]:
    """Read the lists of terms: findings, sites, qualities, signs, everyday."""
    found: dict[str, tuple[str, ...]] = {}
    for line in (HERE / "lexicon.txt").read_text().splitlines():
        if line.startswith("# "):
            name = line[2:]
        else:
            found[name] = tuple(term.strip() for term in line.split(";"))
    return found


def phrases(rng: np.random.Generator, count: int) -> list[str]:
    """Return every term and corpus phrase once, then combinations and captions up to count, no two equal."""
    lists = terms()
    found = dict.fromkeys(term for terms_ in lists.values() for term in terms_)
    found |= dict.fromkeys(corpus().values())
    found |= dict.fromkeys((HERE / "medical_words.txt").read_text().split())
    while len(found) < count // 2:
        found[_combined(rng, lists)] = None
    while len(found) < count:
        picture = phantoms.draw(rng)
        for _ in range(4):
            found[phrasing.caption(rng, picture.modality, picture.statements)] = None
    return list(found)[:count]


def single_words() -> list[str]:
    """Return every word of the terms, once."""
    return list(dict.fromkeys(word for found in terms().values() for term in found for word in term.split()))


def _combined(rng: np.random.Generator, lists: dict[str, tuple[str, ...]]) -> str:
    findings, qualities = lists["findings"], lists["qualities"]
    return pick(rng, PLAIN).format(
        f=pick(rng, findings),
        h=pick(rng, findings),
        q=pick(rng, qualities),
        r=pick(rng, qualities),
        s=pick(rng, lists["sites"]),
        g=pick(rng, lists["signs"]),
        e=pick(rng, lists["everyday"]),
        m=pick(rng, phrasing.MODALITIES[pick(rng, tuple(phrasing.MODALITIES))]),
    )


def corpus() -> dict[str, str]:
    """Return the text of every phrase of the program's corpus by its id."""
    found: dict[str, str] = {}
    for path in sorted(CORPUS.glob("*.csv")):
        with path.open(newline="") as lines:
            found |= {row["id"]: row["text"] for row in csv.DictReader(lines)}
    return found
