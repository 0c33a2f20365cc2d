"""Files that are written whole or not at all, and caches that keep to a size.

A draft has a name of its own, so that two windows that write one file at once both leave a whole one.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_CACHED_BYTES = {
    "thumbnails": 2 * 1024**3,
    "features": 1024**3,
    "explanations": 512 * 1024**2,
    "base_hashes": 1024**2,
}
_ORDINARY_RIGHTS = 0o644  # a draft is made for its owner only


@contextlib.contextmanager
def draft_of(target: Path) -> Iterator[Path]:
    """Give an empty file beside ``target`` that replaces it when the block ends; an error deletes it."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        draft.chmod(_ORDINARY_RIGHTS)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def write_whole(target: Path, raw: bytes, *, lasting: bool = True) -> None:
    """Replace a file by these bytes; what is ``lasting`` is on disk before it has its name."""
    with draft_of(target) as draft, draft.open("wb") as file:
        file.write(raw)
        if lasting:
            file.flush()
            os.fsync(file.fileno())


def keep(target: Path, raw: bytes) -> None:
    """Write a cache entry whole or not at all; one that cannot be written only costs time."""
    with contextlib.suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, raw, lasting=False)


def prune(folder: Path, most_bytes: int) -> None:
    """Delete the entries below a folder that were longest not written, until it holds at most this much."""
    entries = []
    for file in folder.rglob("*") if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            if file.is_file():
                state = file.stat()
                entries.append((state.st_mtime_ns, state.st_size, file))
    over = sum(size for _, size, _ in entries) - most_bytes
    for _, size, file in sorted(entries, key=lambda entry: entry[0]):
        if over <= 0:
            return
        with contextlib.suppress(OSError):
            file.unlink()
            over -= size


def prune_caches(folder: Path) -> None:
    """Keep every cache below the cache folder to its size; what an older version made goes by its age."""
    for name, most_bytes in MOST_CACHED_BYTES.items():
        prune(folder / name, most_bytes)


def file_state(path: Path) -> tuple[int, int, int, int]:
    """Return what changes whenever a file is written or replaced: size, both times of change, and its number.

    The first time can be set back by a copy or an archive, the second cannot on POSIX systems.
    """
    state = path.stat()
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino
