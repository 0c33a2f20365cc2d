"""Values of a backbone folder's JSON files, checked for their type or refused in one sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path


def json_object(folder: Path, name: str) -> dict[str, Any]:
    """Read a file that holds one JSON object."""
    try:
        value = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise refusal(folder, f"has no readable {name}") from error
    if not isinstance(value, dict):
        raise refusal(folder, f"has no readable {name}")
    return value


def object_in(folder: Path, parent: dict[str, Any], key: str) -> dict[str, Any]:
    """Return an object inside another."""
    value = parent.get(key)
    if not isinstance(value, dict):
        raise refusal(folder, f"lacks “{key}” in its configuration")
    return value


def count_in(
    folder: Path, parent: dict[str, Any], key: str, default: int | None = None, least: int = 1
) -> int:
    """Return a whole number of at least ``least``; a key that is missing or null gives the default."""
    value = parent.get(key)
    value = default if value is None else value
    # Not isinstance: JSON's true is an int in Python.
    if type(value) is not int or value < least:
        raise refusal(folder, f"states no usable “{key}” in its configuration")
    return value


def refusal(folder: Path, lack: str, code: str = "backbone_config") -> UserError:
    """Return the error that says what a folder lacks."""
    return UserError(
        f"The backbone “{folder.name}” {lack}.",
        remedy="Choose a complete open_clip folder: configuration, weights, vocabulary and config.json.",
        code=code,
    )
