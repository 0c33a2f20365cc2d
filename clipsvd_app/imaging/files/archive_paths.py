"""Paths for the members of an archive: below its folder, valid on every system, all different."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Below Linux's limits of 4,096 bytes a path and 255 a name, with room for the folder and for " (2)".
_MOST_FOLDERS, _LONGEST_PATH_BYTES = 60, 3000
_LONGEST_PART_BYTES, _SHORT_PART_BYTES = 200, 48
_UNSAFE = re.compile(r'[<>:"|?*\x00-\x1f\x7f-\x9f\ud800-\udfff]')
# Windows opens a device in place of a file of these names, whatever extension they have.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE)


def parts_of(name: str) -> list[str]:
    """Return a name's folders and file name, whichever way its separators lean."""
    return [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]


def leads_out(name: str) -> bool:
    """Say whether a name is absolute or climbs out of its archive."""
    whole = name.replace("\\", "/")
    return ".." in whole.split("/") or whole.startswith("/") or bool(re.match(r"[A-Za-z]:/", whole))


def safe_paths(names: Sequence[str]) -> list[PurePosixPath]:
    """Return a path for each member's name: below the folder, valid on every system, and no two the same.

    Two are the same where only case or the Unicode form differs, or where one is a folder of the other.
    """
    paths = [_safe_path(name) for name in names]
    taken = {_key(folder) for path in set(paths) for folder in path.parents}
    numbers: dict[str, int] = {}
    free = []
    for path in paths:
        place, key = path, _key(path)
        while _key(place) in taken:
            numbers[key] = numbers.get(key, 1) + 1
            place = path.with_name(f"{path.stem} ({numbers[key]}){path.suffix}")
        taken.add(_key(place))
        free.append(place)
    return free


def _key(path: PurePosixPath) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", str(path)).casefold())


def _safe_path(name: str) -> PurePosixPath:
    parts = parts_of(name)
    path = PurePosixPath(
        *(_safe_part(part, _LONGEST_PART_BYTES) for part in parts[: _MOST_FOLDERS + 2] or ["_"])
    )
    is_long = len(parts) > _MOST_FOLDERS or len(str(path).encode()) > _LONGEST_PATH_BYTES
    return short_path(name) if is_long else path


def _safe_part(part: str, longest: int) -> str:
    text = _UNSAFE.sub("_", part).rstrip(" .") or "_"
    if _DEVICE.fullmatch(text):
        text = f"_{text}"
    if len(text.encode()) <= longest:
        return text
    suffix = PurePosixPath(text).suffix
    # Longer "suffixes" are the end of a sentence with a full stop, not an extension.
    suffix = suffix if len(suffix.encode()) <= 12 else ""
    # 9 characters for "~" and the digest, which keeps shortened names apart.
    stem = text.encode()[: longest - 9 - len(suffix.encode())].decode("utf-8", "ignore")
    return f"{stem.rstrip(' .')}~{digest(part)}{suffix}"


def short_path(name: str) -> PurePosixPath:
    """Return a short path for one that a file system does not accept; its last folder is kept.

    The last folder may be the class or the patient.
    """
    parts = parts_of(name)
    folder = _safe_part(parts[-2], _SHORT_PART_BYTES) if len(parts) > 1 else "_"
    file = _safe_part(parts[-1], _SHORT_PART_BYTES) if parts else "_"
    return PurePosixPath("long paths", f"{digest('/'.join(parts[:-1]))}", folder, file)


def digest(text: str) -> str:
    """Return eight characters that stand for a text in a name."""
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
