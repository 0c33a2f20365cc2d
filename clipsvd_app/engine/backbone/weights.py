"""The tensors of a checkpoint: read without running anything that it holds, fitted name by name, written."""

from __future__ import annotations

import json
import pickle
import struct
import warnings
import zipfile
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors import SafetensorError, safe_open

from clipsvd_app.adapter_file.base_hash import hash_tensors
from clipsvd_app.adapter_file.container import read_container
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

State = dict[str, "Tensor"]
# A table of 0, 1, 2, … that transformers stored until 2023 and now makes by itself.
_KNOWN_SURPLUS = frozenset({"text.transformer.embeddings.position_ids"})
_DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_LFS_POINTER = b"version https://git-lfs"
# First bytes of what torch.save writes: a ZIP archive since torch 1.6, a bare pickle before.
_ARCHIVE, _PICKLE = b"PK\x03\x04", b"\x80"
_REMEDY = "Download the folder again, with configuration and weights of one version."
OPEN_CLIP_RELEASE = "Download the open_clip release of the model, a folder with open_clip_config.json."


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
        raise _refusal(path, "contains no tensors", "Choose an open_clip checkpoint.")
    # What torch's DataParallel writes before every name.
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


def write_state(
    path: Path, state: Mapping[str, Tensor], on_bytes: Callable[[int], None] | None = None
) -> None:
    """Write tensors as safetensors in their own number types, one after the other.

    on_bytes: called with the bytes written so far, after each tensor; what it raises ends the writing.
    Tensors that share memory are written in full, so that each name has its own.
    """
    # Large number types first: then every tensor begins at a multiple of the size of its numbers.
    names = sorted(state, key=lambda name: (-state[name].element_size(), name))
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name in names:
        begin, end = end, end + state[name].nbytes
        dtype, shape = _DTYPES[state[name].dtype], list(state[name].shape)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    # safetensors asks for tensors aligned to 8 bytes; blanks after JSON are allowed.
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in names:
            raw = state[name].detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            file.write(raw.numpy().data)
            if on_bytes is not None:
                on_bytes(header[name]["data_offsets"][1])


def state_sha256(state: Mapping[str, Tensor], on_bytes: Callable[[int], None] | None = None) -> str:
    """Return the canonical hash of tensors in memory; ``on_bytes`` as in ``write_state``."""
    floats = {name: tensor for name, tensor in state.items() if tensor.is_floating_point()}
    done = 0

    def pieces(name: str) -> list[NDArray[np.float32]]:
        nonlocal done
        done += floats[name].nbytes
        if on_bytes is not None:
            on_bytes(done)
        return [floats[name].detach().float().numpy().ravel()]

    return hash_tensors({name: tuple(tensor.shape) for name, tensor in floats.items()}, pieces)


def describe_difference(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """Return how the tensors found differ from those wanted; empty when they fit."""
    shapes = sorted(key for key in wanted.keys() & found.keys() if wanted[key].shape != found[key].shape)
    missing, surplus = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    if shapes:
        key = shapes[0]
        return f"“{key}” is {_shape(found[key])} where {_shape(wanted[key])} is expected{_more(shapes)}"
    if missing:
        return f"“{missing[0]}” is missing{_more(missing)}"
    if surplus:
        return f"“{surplus[0][:120]}” is unexpected{_more(surplus)}"
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
        _require_pickle(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stored = _load_tensors_only(path)
    except pickle.UnpicklingError as error:
        raise _refusal(
            path,
            "contains program code or objects, which are never run",
            "Download the model as safetensors, or as a plain state dict.",
        ) from error
    except (RuntimeError, ValueError, EOFError, OSError, KeyError) as error:
        raise _refusal(path, "is damaged or not a checkpoint", _REMEDY) from error
    return cast("dict[str, Any]", stored) if isinstance(stored, dict) else {}


def _require_pickle(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(len(_LFS_POINTER))
    if start == _LFS_POINTER:
        raise _refusal(path, "is a Git LFS pointer, not the weights", "Run “git lfs pull” in its folder.")
    if not start.startswith((_ARCHIVE, _PICKLE)):
        raise _refusal(path, "is damaged or not a checkpoint", _REMEDY)
    if _is_torchscript(path):
        raise _refusal(
            path,
            "is a TorchScript archive, a compiled program that is never run",
            OPEN_CLIP_RELEASE,
        )


def _is_torchscript(path: Path) -> bool:
    """Whether an archive is of torch.jit, which has a table of constants, and not of torch.save."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):  # before torch 1.6 a checkpoint was a bare pickle
        return False


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
