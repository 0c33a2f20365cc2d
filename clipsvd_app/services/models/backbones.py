"""The available backbones: the embedded one and those that the user has added.

An added backbone is copied into a complete folder of the program's own, whatever form it came in, so that
clearing a download folder breaks nothing.
"""

from __future__ import annotations

import math
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.adapter_file.base_hash import canonical_sha256
from clipsvd_app.adapter_file.container import read_container
from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.backbone_record import read_record
from clipsvd_app.jobs.requests import AddBackboneRequest, BackboneRef
from clipsvd_app.resources import resource_path
from clipsvd_app.services.files.job_folders import new_job
from clipsvd_app.settings import cache_folder, data_folder, load_settings

if TYPE_CHECKING:
    from clipsvd_app.jobs.answers import AddBackboneResult
    from clipsvd_app.settings import Settings

DEMO = "demo"
WEIGHTS = "open_clip_model.safetensors"
# It becomes the name of the backbone's folder too.
LONGEST_NAME = 60
# A hub cache keeps each revision in a folder named by its commit hash.
_REVISION = re.compile("[0-9a-f]{40}")


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
        remedy=f"Choose one of {known}, or the folder of an open_clip model.",
        code="unknown_backbone",
    )


def find_by_hash(settings: Settings, sha256: str, name: str) -> BackboneRef:
    """Return the backbone with these weights; the error names the one that is missing."""
    for entry in available(settings):
        if entry.usable and (found := reference(entry)).sha256 == sha256:
            return found
    raise UserError(
        f"This adapter was made for the backbone “{plain(name)}” ({sha256[:12]}…), which is not here.",
        remedy="Add it in Settings, or set --backbone.",
        code="backbone_missing",
    )


def reference(entry: BackboneEntry) -> BackboneRef:
    """Return a backbone as a request describes it, with the hash of its weights."""
    if not entry.usable:
        raise UserError(
            f"The backbone “{entry.name}” has no weights in its folder.",
            remedy=f"Copy {WEIGHTS} and its configuration to its folder, or choose another backbone.",
            code="backbone_weights_missing",
        )
    return BackboneRef(entry.name, str(entry.folder), canonical_sha256(entry.folder / WEIGHTS))


def parameter_count(entry: BackboneEntry) -> int:
    """Return how many floating-point numbers the weights hold, read from the file's header only."""
    tensors = read_container(entry.folder / WEIGHTS).tensors.values()
    # F16, BF16, F32 and F64; integer tensors, such as position ids, are no parameters.
    return sum(math.prod(tensor.shape) for tensor in tensors if "F" in tensor.dtype)


def require_there(source: Path) -> None:
    """Refuse a path that leads nowhere, before anything heavy is loaded to look at it."""
    if not source.exists():
        raise UserError(
            f"“{source.name}” does not exist.",
            remedy="Choose the folder of an open_clip model, or its weights next to their tokenizer.",
            code="backbone_source",
        )


def prepare_add(source: Path, name: str) -> Path:
    """Write the job that checks ``source`` and copies it into the data folder; return the job's folder.

    source: a folder, or the weights file in one, which may still be downloading. Without a name it takes
    its folder's.
    """
    chosen = " ".join(name.split()) or suggested_name(source)
    if not chosen.isprintable() or len(chosen) > LONGEST_NAME:
        raise UserError(
            "A backbone's name is one line of at most 60 characters.",
            remedy="Choose a shorter name.",
            code="backbone_name",
        )
    known = {entry.name.casefold() for entry in available(load_settings())}
    if chosen.casefold() in known:
        raise UserError(
            f"There is already a backbone “{chosen}”.",
            remedy="Remove it first, or choose another name.",
            code="backbone_name_taken",
        )
    return new_job(AddBackboneRequest(str(source.absolute()), str(_free_folder(chosen)), chosen))


def record_added(settings: Settings, result: AddBackboneResult) -> Settings:
    """Return settings with what was added; the same weights added again keep their first name."""
    if any(Path(folder) == Path(result.folder) for _, folder in settings.backbones):
        return settings
    return settings.with_backbone(result.name, result.folder)


def remove(settings: Settings, name: str) -> Settings:
    """Return settings without a backbone; delete its folder and cached basis if the program made them.

    A folder that the settings only refer to stays as it is.
    """
    entry = next((entry for entry in available(settings) if entry.name == name), None)
    if entry is None or entry.embedded:
        fault = "is bundled and cannot be removed" if entry else "is not known"
        raise UserError(
            f"The backbone “{name}” {fault}.",
            remedy="Choose a backbone that you have added.",
            code="embedded_backbone" if entry else "unknown_backbone",
        )
    if entry.folder.parent == own_folder():
        # Read before the folder goes: the caches are named by the hash in it.
        record = read_record(entry.folder)
        shutil.rmtree(entry.folder, ignore_errors=True)
        if record is not None:
            _forget_basis(record.sha256)
    return replace(settings, backbones=tuple(kept for kept in settings.backbones if kept[0] != name))


def own_folder() -> Path:
    """Return the folder that holds the backbones written by the program."""
    return data_folder() / "backbones"


def suggested_name(source: Path) -> str:
    """Return a name for a source: its model's in a hub cache, else its folder's."""
    for part in reversed(source.absolute().parts):
        if part.startswith("models--"):
            return part.rpartition("--")[2][:LONGEST_NAME]
    is_file = source.suffix in (".bin", ".safetensors")
    folder = source.absolute().parent if is_file else source.absolute()
    named = folder.parent.parent if _REVISION.fullmatch(folder.name) else folder
    return named.name[:LONGEST_NAME] or "backbone"


def add_folder(settings: Settings, folder: Path, name: str = "") -> Settings:
    """Return settings that know the folder; refuses one without configuration or weights."""
    for needed in ("open_clip_config.json", WEIGHTS):
        if not (folder / needed).is_file():
            raise UserError(
                f"“{folder.name}” contains no {needed}.",
                remedy="Choose the folder of an open_clip model, with configuration, tokenizer and weights.",
                code="not_a_backbone",
            )
    chosen = name or folder.resolve().name
    if chosen == DEMO:
        raise UserError(f"The name “{DEMO}” is taken.", remedy="Choose another name.")
    return settings.with_backbone(chosen, str(folder.resolve()))


def _size(folder: Path) -> int:
    weights = folder / WEIGHTS
    return weights.stat().st_size if weights.is_file() else 0


def _free_folder(name: str) -> Path:
    """Return a new folder whose name every file system accepts."""
    stem = re.sub(r"[^\w.-]+", "-", name.casefold()).strip("-.") or "backbone"
    names = (stem, *(f"{stem}-{number}" for number in range(2, 1000)))
    return next(folder for name in names if not (folder := own_folder() / name).exists())


def _forget_basis(sha256: str) -> None:
    for cache in ("basis", "features"):
        for folder in (cache_folder() / cache).glob(f"{sha256}-*"):
            shutil.rmtree(folder, ignore_errors=True)
