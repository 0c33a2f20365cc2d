"""Hostile adapter files by a seeded generator; numpy and the program's own writer are all it needs."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import hostile_containers
import hostile_documents
from hostile_parts import good_parts, joined

if TYPE_CHECKING:
    from pathlib import Path

SPOILS = (*hostile_containers.SPOILS, *hostile_documents.SPOILS)


def write_hostile_files(folder: Path, count: int, seed: int = 0) -> list[Path]:
    """Write ``count`` files, none of which may be opened, and return their paths."""
    chance = random.Random(seed)
    paths = _write_places(folder)
    for number in range(count - len(paths)):
        spoil = SPOILS[number % len(SPOILS)]
        path = folder / f"{number:03d}_{spoil.__name__}.sigma.safetensors"
        path.write_bytes(spoil(chance, good_parts()))
        paths.append(path)
    return paths


def _write_places(folder: Path) -> list[Path]:
    """Write what is no ordinary file, files too large to read, and names that hide something."""
    names = [
        "folder",
        "pipe",
        "loop",
        "dangling",
        "to_folder",
        "to_device",
        "large",
        "turned\u202e",
        "two\nlines",
        "gone",
    ]
    paths = {name: folder / f"{name}.sigma.safetensors" for name in names}
    paths["folder"].mkdir()
    os.mkfifo(paths["pipe"])
    paths["loop"].symlink_to(paths["loop"])
    paths["dangling"].symlink_to(folder / "nowhere")
    paths["to_folder"].symlink_to(folder)
    paths["to_device"].symlink_to("/dev/zero")
    with paths["large"].open("wb") as file:
        file.truncate(16_000_001)
    paths["turned\u202e"].write_bytes(b"junk" * 10)
    paths["two\nlines"].write_bytes(joined(b"{}", b""))
    return list(paths.values())
