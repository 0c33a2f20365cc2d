"""Which backbones there are: the embedded one and the folders that the user has added."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.adapter_file.base_hash import canonical_sha256
from clipsvd_app.adapter_file.container import read_container
from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.errors import UserError
from clipsvd_app.jobs import BackboneRef
from clipsvd_app.resources import resource_path

if TYPE_CHECKING:
    from clipsvd_app.settings import Settings

DEMO = "demo"
WEIGHTS = "open_clip_model.safetensors"


@dataclass(frozen=True, slots=True)
class BackboneEntry:
    """One backbone; ``size_bytes`` is 0 when its weights are missing."""

    name: str
    folder: Path
    embedded: bool
    size_bytes: int

    @property
    def usable(self) -> bool:
        """True when its weights are where they should be."""
        return self.size_bytes > 0


def available(settings: Settings) -> tuple[BackboneEntry, ...]:
    """Return the embedded backbone first, then the user's own."""
    own = ((name, Path(folder), False) for name, folder in settings.backbones)
    return tuple(
        BackboneEntry(name, folder, embedded, _size(folder))
        for name, folder, embedded in ((DEMO, resource_path("backbones", DEMO), True), *own)
    )


def find(settings: Settings, name_or_folder: str) -> BackboneRef:
    """Return the backbone of this name, or the one in this folder."""
    for entry in available(settings):
        if entry.name == name_or_folder:
            return reference(entry)
    folder = Path(name_or_folder)
    if folder.is_dir():
        return reference(BackboneEntry(folder.resolve().name, folder.resolve(), False, _size(folder)))
    known = ", ".join(entry.name for entry in available(settings))
    raise UserError(
        f"There is no backbone “{name_or_folder}”.",
        remedy=f"Use one of {known}, or give the folder of an open_clip model.",
        code="unknown_backbone",
    )


def find_by_hash(settings: Settings, sha256: str, name: str) -> BackboneRef:
    """Return the backbone with these weights; the error names the one that is asked for."""
    for entry in available(settings):
        if entry.usable and (found := reference(entry)).sha256 == sha256:
            return found
    raise UserError(
        f"This adapter was made for the backbone “{plain(name)}” ({sha256[:12]}…), which is not here.",
        remedy="Add its folder in the settings, or name it with --backbone.",
        code="backbone_missing",
    )


def reference(entry: BackboneEntry) -> BackboneRef:
    """Return what a request says of a backbone, with the hash of its weights."""
    if not entry.usable:
        raise UserError(
            f"The backbone “{entry.name}” has no weights at its place.",
            remedy=f"Put {WEIGHTS} and its configuration into its folder, or choose another backbone.",
            code="backbone_weights_missing",
        )
    return BackboneRef(entry.name, str(entry.folder), canonical_sha256(entry.folder / WEIGHTS))


def parameter_count(entry: BackboneEntry) -> int:
    """Return how many numbers the weights hold, from the header of their file alone."""
    tensors = read_container(entry.folder / WEIGHTS).tensors.values()
    return sum(math.prod(tensor.shape) for tensor in tensors if "F" in tensor.dtype)


def add_folder(settings: Settings, folder: Path, name: str = "") -> Settings:
    """Return settings that know the folder; refuses one without configuration or weights."""
    for needed in ("open_clip_config.json", WEIGHTS):
        if not (folder / needed).is_file():
            raise UserError(
                f"“{folder.name}” holds no {needed}.",
                remedy="Choose an open_clip model's folder with configuration, tokenizer and weights.",
                code="not_a_backbone",
            )
    chosen = name or folder.resolve().name
    if chosen == DEMO:
        raise UserError(f"The name “{DEMO}” is taken.", remedy="Give the backbone another name.")
    return settings.with_backbone(chosen, str(folder.resolve()))


def _size(folder: Path) -> int:
    weights = folder / WEIGHTS
    return weights.stat().st_size if weights.is_file() else 0
