"""ZIP archives of unknown origin, unpacked within bounds and nowhere but below the folder that is given.

What comes out are the user's own files with all that stands in their headers, so they belong to a project's
own folder, or are gone when the process ends; never to a cache.
"""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
import zipfile
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError
from clipsvd_app.imaging import refusals
from clipsvd_app.imaging.hashing import file_sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILES = 50_000
MAX_UNPACKED_BYTES = 8 * 1024**3
_CHUNK = 1024**2
_UNSAFE = re.compile(r'[<>:"|?*\x00-\x1f]')
_LINK = 0o120000
_FILE_TYPE = 0o170000


def is_zip(path: Path) -> bool:
    """Say whether a file is a ZIP archive, by its content."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False


@cache
def passing_folder() -> Path:
    """Return a folder that is deleted when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="clipsvd-archives-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def unpack_zip(path: Path, below: Path, *, max_bytes: int = MAX_UNPACKED_BYTES) -> Path:
    """Unpack an archive once into a folder named after its content, and return that folder.

    Refuses damaged and encrypted archives, names that lead out of the folder, more than 50,000 files,
    and more than `max_bytes` in all, counted while unpacking. Links and archives within are left out.
    """
    target = below / "archives" / file_sha256(path)[:32]
    if target.is_dir():
        return target
    with refusals.refusing(path):
        target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix="unpacking-", dir=target.parent))
    try:
        _unpack(path, draft, max_bytes)
        if not target.is_dir():
            draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def _unpack(path: Path, folder: Path, max_bytes: int) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = list(_checked_members(path, archive))
            left = min(max_bytes, shutil.disk_usage(folder).free)
            for member, relative in members:
                left -= _unpack_member(archive, member, folder / relative, left)
                if left < 0:
                    raise _too_much(path)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise refusals.damaged(path) from error


def _checked_members(path: Path, archive: zipfile.ZipFile) -> Iterator[tuple[zipfile.ZipInfo, Path]]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) > MAX_FILES:
        raise _too_much(path)
    for member in members:
        if member.flag_bits & 0x1:
            raise UserError(
                f"{path.name} is encrypted.",
                remedy="Unpack it with its password first.",
                code="zip_encrypted",
            )
        if (member.external_attr >> 16) & _FILE_TYPE == _LINK:
            continue
        yield member, safe_relative_path(path, member.filename)


def safe_relative_path(archive: Path, name: str) -> Path:
    """Return a member's name as a path below the folder; refuses absolute names and ".."."""
    whole = name.replace("\\", "/")
    parts = [part for part in whole.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or whole.startswith("/") or re.match(r"[A-Za-z]:", whole):
        raise UserError(
            f"{archive.name} holds names that lead out of its own folder.",
            remedy="Do not trust it: ask for the images again from their source.",
            code="zip_traversal",
        )
    return Path(*(_UNSAFE.sub("_", part)[:200].rstrip(" .") or "_" for part in parts))


def _unpack_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: int) -> int:
    """Write one member and return its true size; stops as soon as it is larger than what is left."""
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(member) as source, target.open("wb") as sink:
        while written <= left and (chunk := source.read(_CHUNK)):
            sink.write(chunk)
            written += len(chunk)
    return written


def _too_much(path: Path) -> UserError:
    return UserError(
        f"{path.name} unpacks to more than this program or this disk takes.",
        remedy="Unpack it yourself and add the part you need.",
        code="zip_too_large",
    )
