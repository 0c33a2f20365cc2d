"""Files that were replaced under the name of an image, found by the hash stored when it was added."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.words.notes import replaced_words
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clipsvd_app.domain.project_values import ProjectImage


def changed_images(images: Iterable[ProjectImage], most_bytes: float = math.inf) -> frozenset[int]:
    """Return the images whose file exists but is not the one that was added.

    Only files with no known hash for their present size and time are read, and of these at most
    ``most_bytes`` in all: the engine checks each file again when it reads it. Safe to call from a thread.
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
    """Whether a file exists, can be read, and has this content."""
    from clipsvd_app.imaging.files.known_hashes import known_sha256

    try:
        return path.is_file() and known_sha256(path) == sha256
    except (UserError, OSError):
        return False


def changed_sentence(changed: int, total: int) -> str:
    """Say how many files were replaced, "" where none was."""
    return replaced_words(changed, total) if changed else ""
