"""Paths as people write them, compared part by part."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path


def path_parts(text: str) -> tuple[str, ...]:
    """Return the parts of a path of any system in Unicode NFC; an absolute one begins with an empty part.

    macOS writes names decomposed, so the same name in a table could differ byte by byte. Parts "." and ".."
    say nothing of the folders above and are left out.
    """
    parts = [unicodedata.normalize("NFC", part) for part in re.split(r"[/\\\\]+", text)]
    absolute = not parts[0] or parts[0].endswith(":")
    kept = [part for part in parts if part not in ("", ".", "..")] or [""]
    return ("", *kept) if absolute else tuple(kept)


def ends_with(parts: tuple[str, ...], claim: tuple[str, ...]) -> bool:
    """Whether a path ends with all parts of another; an absolute claim must be the whole path."""
    return len(claim) <= len(parts) and parts[len(parts) - len(claim) :] == claim


def sha256_or_none(path: Path) -> str:
    """Return the hash of a file, empty where it cannot be read."""
    from clipsvd_app.imaging.files.hashes import file_sha256

    try:
        return file_sha256(path)
    except UserError:
        return ""
