"""Files that were replaced under the name of an image: told by the hash that was taken when it was added."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clipsvd_app.domain.study import ProjectImage


def changed_images(images: Iterable[ProjectImage], most_bytes: float = math.inf) -> frozenset[int]:
    """Return the images whose file is there and is another one than was added.

    A file is read only where its state on the disk is not known, and most_bytes at most of such files: the
    engine looks again at each that it reads. Safe to call from a thread.
    """
    from clipsvd_app.imaging.files.known_hashes import is_hash_known

    images = tuple(images)
    left, other = most_bytes, set()
    for path, sha in {(image.path, image.sha256) for image in images}:
        file = Path(path)
        if not file.is_file():
            continue
        left -= 0 if is_hash_known(file) else file.stat().st_size
        if left >= 0 and not holds(file, sha):
            other.add((path, sha))
    return frozenset(image.id for image in images if (image.path, image.sha256) in other)


def holds(path: Path, sha256: str) -> bool:
    """Whether a file is there, can be read, and has this content."""
    from clipsvd_app.imaging.files.known_hashes import known_sha256

    try:
        return path.is_file() and known_sha256(path) == sha256
    except (UserError, OSError):
        return False


def changed_sentence(changed: int, total: int) -> str:
    """Say how many files are other ones than were labelled, empty where none is."""
    if not changed:
        return ""
    which = "is not the file that was" if changed == 1 else "are not the files that were"
    return f"{changed:,} of {counted(total, 'image')} {which} added: replaced under the same name."
