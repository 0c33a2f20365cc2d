"""Where a model's files lie: in a folder, a Hugging Face snapshot or cache, or beside the weights named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from clipsvd_app.engine.backbone.folder import WEIGHT_FILES
from clipsvd_app.errors import UserError

_CONFIG = "open_clip_config.json"
_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")


@dataclass(frozen=True, slots=True)
class Source:
    """The folder of configuration and tokenizer, and the weights."""

    folder: Path
    weights: Path


def locate(path: Path) -> Source:
    """Find the files of a model under a path that the user named; a hub cache may use links."""
    if path.is_file():
        if path.suffix not in _SUFFIXES:
            _refuse(path, "is not a weights file")
        return Source(path.parent, path)
    if not path.is_dir():
        _refuse(path, "does not exist")
    folder = _snapshot(_model_in_cache(path))
    return Source(folder, _weights(folder))


def _model_in_cache(path: Path) -> Path:
    """Step from a whole hub cache, or its ``hub`` folder, to the one open_clip model in it."""
    inner = path / "hub" if (path / "hub").is_dir() else path
    models = [model for model in inner.glob("models--*") if _holds_open_clip(model)]
    if len(models) > 1:
        names = ", ".join(sorted(model.name for model in models)[:3])
        _refuse(path, f"contains several models ({names}); choose one of their folders")
    return models[0] if models else path


def _holds_open_clip(model: Path) -> bool:
    return any(model.glob(f"snapshots/*/{_CONFIG}"))


def _snapshot(path: Path) -> Path:
    """Step from ``models--org--name`` to its main revision, else to the newest that is there."""
    snapshots = path / "snapshots"
    if not snapshots.is_dir():
        return path
    main = path / "refs" / "main"
    named = snapshots / main.read_text(encoding="utf-8").strip() if main.is_file() else snapshots
    candidates = sorted(
        (folder for folder in snapshots.iterdir() if folder.is_dir()),
        # The revision that refs/main names wins, then one with weights, then the newest.
        key=lambda folder: (folder == named, _has_weights(folder), folder.stat().st_mtime),
    )
    complete = [folder for folder in candidates if _has_weights(folder)]
    if not candidates:
        _refuse(path, "contains no download")
    return (complete or candidates)[-1]


def _has_weights(folder: Path) -> bool:
    return any((folder / name).is_file() for name in WEIGHT_FILES)


def _weights(folder: Path) -> Path:
    """Return the weights by their usual names, else the only file that can be weights."""
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
        if (folder / name).is_symlink():
            _refuse(folder, f"is an incomplete download: {name} is missing")
    others = [file for file in folder.iterdir() if file.suffix in _SUFFIXES and file.is_file()]
    if len(others) != 1:
        found = "no weights" if not others else "several files of weights"
        _refuse(folder, f"contains {found}; {WEIGHT_FILES[0]} or {WEIGHT_FILES[2]} is needed")
    return others[0]


def _refuse(path: Path, fault: str) -> NoReturn:
    raise UserError(
        f"“{path.name}” {fault}.",
        remedy="Choose the folder of an open_clip model, or its weights next to their tokenizer.",
        code="backbone_source",
    )
