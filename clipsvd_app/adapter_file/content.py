"""A whole adapter in memory, and the checks that every adapter must pass."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipsvd_app.adapter_file.class_head import HeadTensors, require_sound_head
from clipsvd_app.adapter_file.container import refuse
from clipsvd_app.adapter_file.document import (
    FORMAT,
    FORMAT_WITH_HEAD,
    AdapterClass,
    AdapterDocument,
    Canaries,
    HeadedDocument,
    Training,
)

# These limits are part of the formats (docs/sigma-adapter.md): with others, this reader and those of other
# authors would disagree on which files are valid. Loading an adapter embeds all its prompts, hence a limit on
# them.
PROBE_ROWS = 8
LARGEST_RANK = 65_536
LARGEST_CHANGE_IN_RMS = 10.0
LARGEST_PROMPTS = 1024
# As in the published schema.
_NAME = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """One adapted matrix, named by its path in the open_clip model.

    sigma, sigma_base: (r,) fp32, in the order of the base spectrum. probe: (8,) fp32, R W' r.
    """

    name: str
    sigma: NDArray[np.float32]
    sigma_base: NDArray[np.float32]
    probe: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class AdapterContent:
    """The content of an adapter file; spectra are in the order of their names.

    The document is a ``HeadedDocument`` if there is a head, and only then.
    """

    document: AdapterDocument
    spectra: tuple[Spectrum, ...]
    head: HeadTensors | None = None

    @property
    def format(self) -> int:
        """The format of the file."""
        return FORMAT if self.head is None else FORMAT_WITH_HEAD

    @property
    def head_start(self) -> str:
        """The method on frozen features that the head started from; empty without a head."""
        return self.document.head.start if isinstance(self.document, HeadedDocument) else ""

    @property
    def singular_values(self) -> int:
        """How many singular values were trained."""
        return sum(spectrum.sigma.size for spectrum in self.spectra)

    @property
    def trained_numbers(self) -> int:
        """How many numbers were trained: singular values, and those of the head."""
        return self.singular_values + (0 if self.head is None else self.head.size)


def require_sound(content: AdapterContent) -> None:
    """Refuse an adapter whose numbers or parts contradict the format."""
    document = content.document
    require_matching_classes(document.classes, document.canaries, document.training)
    if not content.spectra:
        refuse("it contains no singular values")
    if len({spectrum.name for spectrum in content.spectra}) != len(content.spectra):
        refuse("a matrix appears twice")
    for spectrum in content.spectra:
        require_sound_spectrum(spectrum)
    if isinstance(document, HeadedDocument) != (content.head is not None):
        refuse("its description and its tensors disagree on whether it has a class head")
    if content.head is not None:
        require_sound_head(content.head, len(document.classes))


def require_matching_classes(
    classes: tuple[AdapterClass, ...], canaries: Canaries, training: Training
) -> None:
    """Refuse equal class names, too many prompts, and canaries or counts that do not match the classes."""
    names = [entry.name for entry in classes]
    if len(set(names)) != len(names):
        refuse("two of its classes have the same name")
    if any(len(canary.logits) != len(names) for canary in canaries.items):
        refuse("a canary does not have one logit for each class")
    if len(training.images_per_class) != len(names):
        refuse("its training counts do not match its classes")
    if sum(len(entry.prompts) for entry in classes) > LARGEST_PROMPTS:
        refuse(f"its classes have more than {LARGEST_PROMPTS:,} prompts")


def require_sound_spectrum(spectrum: Spectrum) -> None:
    """Refuse wrong shapes, non-finite numbers, negative sigma, and implausible changes."""
    name = spectrum.name
    if not _NAME.fullmatch(name) or len(name) > 200:
        refuse(f"“{name[:80]}” is not the name of a matrix")
    parts = {"sigma": spectrum.sigma, "sigma_base": spectrum.sigma_base, "probe": spectrum.probe}
    rank = spectrum.sigma.shape
    if len(rank) != 1 or not 1 <= rank[0] <= LARGEST_RANK or spectrum.sigma_base.shape != rank:
        refuse(f"the singular values of “{name}” do not have matching lengths")
    if spectrum.probe.shape != (PROBE_ROWS,):
        refuse(f"the probe of “{name}” does not have {PROBE_ROWS} numbers")
    for part, values in parts.items():
        if values.dtype != np.float32:
            refuse(f"“{name}.{part}” is not stored in fp32")
        if not np.isfinite(values).all():
            refuse(f"“{name}.{part}” contains a number that is not finite")
    if (spectrum.sigma < 0).any() or (spectrum.sigma_base < 0).any():
        refuse(f"“{name}” has a negative singular value")
    base = spectrum.sigma_base.astype(np.float64)
    largest = float(np.abs(spectrum.sigma - base).max())
    if largest > LARGEST_CHANGE_IN_RMS * float(np.sqrt(np.mean(base**2))):
        refuse(f"the singular values of “{name}” are implausibly far from those of the base model")
