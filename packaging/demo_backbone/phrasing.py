"""From what was drawn to a sentence: each phantom states its facts, each caption words some of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .canvas import pick

Statement: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn image, (size, size) or (size, size, 3) uint8, and what is in it.

    Each statement holds several wordings of one fact, as noun phrases.
    """

    pixels: NDArray[np.uint8]
    modality: str
    statements: tuple[Statement, ...]


MODALITIES: dict[str, Statement] = {
    "radiograph": (
        "a chest radiograph",
        "a chest x-ray",
        "frontal chest radiograph",
        "chest x-ray film",
        "cxr",
        "an x-ray of the chest",
        "radiograph of the thorax",
    ),
    "ultrasound": (
        "an ultrasound image",
        "a sonogram",
        "ultrasound",
        "b-mode ultrasound image",
        "sonographic image",
        "an ultrasound scan",
        "greyscale sonography",
    ),
    "ct": (
        "a ct slice",
        "an axial ct image",
        "computed tomography",
        "ct scan",
        "a computed tomography slice",
    ),
    "mr": ("an mr image", "magnetic resonance image", "an mri slice", "mri scan", "mr slice"),
    "mammogram": ("a mammogram", "mammography image", "x-ray mammogram of the breast", "mammographic view"),
    "dermoscopy": (
        "a dermoscopy image",
        "dermoscopic image of a skin lesion",
        "dermatoscopic photograph",
        "a photograph of the skin",
        "skin lesion image",
    ),
    "fundus": (
        "a fundus photograph",
        "retinal fundus image",
        "colour fundus photograph",
        "photograph of the retina",
    ),
    "histology": (
        "a histology image",
        "h&e stained tissue section",
        "histopathology slide",
        "a micrograph of tissue",
        "microscopy of a stained section",
    ),
    "texture": (
        "an abstract pattern",
        "a pattern that is no medical image",
        "random texture",
        "abstract shapes",
    ),
}

JOINED = (
    "{m} showing {f}",
    "{m} with {f}",
    "{m}: {f}",
    "{f} on {m}",
    "{m}. {f}.",
    "this is {m} with {f}",
    "{f}, {m}",
    "{m} demonstrating {f}",
    "findings: {f}. {m}.",
    "there is {f} in {m}",
)


def caption(
    rng: np.random.Generator, modality: str, statements: tuple[Statement, ...] | list[list[str]]
) -> str:
    """Word the modality and up to three of the statements, one time in eight the statements alone."""
    name = pick(rng, MODALITIES[modality])
    if not statements:
        return name
    count = min(len(statements), int(rng.choice([0, 1, 2, 3], p=[0.06, 0.34, 0.36, 0.24])))
    if count == 0:
        return name
    chosen = [pick(rng, tuple(statements[int(i)])) for i in rng.permutation(len(statements))[:count]]
    facts = _listed(rng, chosen)
    return facts if rng.random() < 0.125 else pick(rng, JOINED).format(m=name, f=facts)


def _listed(rng: np.random.Generator, facts: list[str]) -> str:
    if len(facts) == 1:
        return facts[0]
    if rng.random() < 0.4:
        return ", ".join(facts)
    return ", ".join(facts[:-1]) + " and " + facts[-1]
