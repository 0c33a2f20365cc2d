"""The tensors of a checkpoint: read without running anything that it holds, and fitted name by name."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors import SafetensorError, safe_open

from clipsvd_app.adapter_file.container import read_container
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor, nn

State = dict[str, "Tensor"]
# A table of 0, 1, 2, … that transformers stored until 2023 and now makes by itself.
_KNOWN_SURPLUS = frozenset({"text.transformer.embeddings.position_ids"})
_REMEDY = "Download the folder again, with configuration and weights of one version."


def read_state(path: Path) -> State:
    """Read a checkpoint, safetensors or ``.bin``, mapped into memory where the file allows.

    A ``.bin`` is a pickle: it is read by torch's restricted reader, and refused if it asks for anything
    but tensors. A training checkpoint gives its ``state_dict``, without the prefix of parallel training.
    """
    stored = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    if isinstance(inner := stored.get("state_dict"), dict):
        stored = inner
    state = {name: value for name, value in stored.items() if isinstance(value, torch.Tensor)}
    if not state or len(state) != len(stored):
        raise _refusal(path, "holds no table of tensors", "Choose an open_clip checkpoint.")
    prefix = "module."
    if all(name.startswith(prefix) for name in state):
        state = {name.removeprefix(prefix): value for name, value in state.items()}
    return {name: value for name, value in state.items() if name not in _KNOWN_SURPLUS}


def fit_state(model: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """Put the tensors of a checkpoint into a model in fp32, or say in one sentence what does not fit."""
    if difference := describe_difference(model.state_dict(), state):
        raise UserError(
            f"The weights of the backbone “{name}” do not fit its configuration: {difference}.",
            remedy=_REMEDY,
            code="backbone_weights",
        )
    model.load_state_dict({key: tensor.float() for key, tensor in state.items()}, assign=True)


def describe_difference(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """Say how the tensors found differ from those wanted; empty when they fit."""
    shapes = sorted(key for key in wanted.keys() & found.keys() if wanted[key].shape != found[key].shape)
    missing, surplus = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    if shapes:
        key = shapes[0]
        return f"“{key}” is {_shape(found[key])} where {_shape(wanted[key])} is expected{_more(shapes)}"
    if missing:
        return f"“{missing[0]}” is missing{_more(missing)}"
    if surplus:
        return f"“{surplus[0][:120]}” has no place in it{_more(surplus)}"
    return ""


def _read_safetensors(path: Path) -> dict[str, Any]:
    read_container(path)
    try:
        with safe_open(path, framework="pt", device="cpu") as stored:
            return {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - it is no mapping
    except (SafetensorError, OSError) as error:
        raise _refusal(path, "cannot be read as safetensors", _REMEDY) from error


def _read_pickle(path: Path) -> dict[str, Any]:
    try:
        stored = _load_tensors_only(path)
    except pickle.UnpicklingError as error:
        raise _refusal(
            path,
            "holds program code or objects beside its tensors, which is never run",
            "Get the model as safetensors, or as a plain state dict from its publisher.",
        ) from error
    except (RuntimeError, ValueError, EOFError, OSError, KeyError) as error:
        raise _refusal(path, "is damaged or is no checkpoint", _REMEDY) from error
    return cast("dict[str, Any]", stored) if isinstance(stored, dict) else {}


def _load_tensors_only(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except RuntimeError as error:
        if "mmap" not in str(error):
            raise
        # Files of before torch 1.6 are no archives and cannot be mapped.
        return torch.load(path, map_location="cpu", weights_only=True)


def _refusal(path: Path, fault: str, remedy: str) -> UserError:
    return UserError(f"“{path.name}” {fault}.", remedy=remedy, code="backbone_weights")


def _shape(tensor: Tensor) -> str:
    return " × ".join(map(str, tensor.shape)) or "one number"


def _more(names: list[str]) -> str:
    return f", and {len(names) - 1} more differ" if len(names) > 1 else ""
