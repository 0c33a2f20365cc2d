"""ZIP archives of unknown origin, unpacked within bounds and nowhere but below the folder that is given.

What comes out are the user's own files with all that stands in their headers, so they belong to a project's
own folder, or are gone when the process ends; never to a cache.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.domain.records import Record, from_text, to_text
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.imaging.files.archive_paths import digest, leads_out, parts_of, safe_paths, short_path
from clipsvd_app.imaging.files.hashes import file_sha256
from clipsvd_app.imaging.files.held_folder import drop, held_folder, sweep
from clipsvd_app.imaging.files.left_out import LeftOut
from clipsvd_app.imaging.files.zip_names import decode_names
from clipsvd_app.imaging.files.zip_records import (
    AGAIN,
    MemberError,
    member_parts,
    overlapping,
    read_contents,
)
from clipsvd_app.imaging.guard import refusals
from clipsvd_app.imaging.opened import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from clipsvd_app.imaging.files.zip_records import Member

# More files, or more bytes, than one import is meant for: a bomb must not fill the disk.
MAX_FILES = 50_000
MAX_UNPACKED_BYTES = 8 * 1024**3
# Deflate cannot exceed 1,032 to 1; a member that claims more is not what its entry states.
_MOST_INFLATION = 1100
# Characters of a member's name in a sentence; its end is kept, which is the file name.
_LONGEST_SHOWN = 80
_FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NAME_REFUSED = frozenset(
    {
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.EINVAL,
        errno.EILSEQ,
        errno.ENOTDIR,
        errno.EEXIST,
        errno.EISDIR,
        errno.ELOOP,
    }
)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Where an archive was unpacked, what of it was left out, and notes on its names."""

    folder: Path
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


class _Kept(Record):
    """What is kept beside an unpacked archive. files: sizes by path; left_out: name, code, what, remedy."""

    files: dict[str, int]
    left_out: tuple[tuple[str, str, str, str], ...]
    assumed: str
    renamed: int


def is_zip(path: Path) -> bool:
    """Say whether a file is a ZIP archive, by its content."""
    try:
        if not path.is_file():  # a pipe would never answer
            return False
        with opened(path) as file:
            return file.read(4) == b"PK\x03\x04"
    except (OSError, ValueError):
        return False


@cache
def passing_folder() -> Path:
    """Return a folder that is deleted when this process ends, or by a later one if this one is killed."""
    place, prefix = Path(tempfile.gettempdir()), "clipsvd-archives-"
    sweep(place, prefix)
    folder, lock = held_folder(place, prefix)
    atexit.register(drop, folder, lock)
    return folder


def unpack_zip(
    path: Path,
    below: Path,
    *,
    max_bytes: int = MAX_UNPACKED_BYTES,
    check: Callable[[], None] = lambda: None,
) -> Unpacked:
    """Unpack an archive once into a folder named after its content.

    check: called often; what it raises stops the work, and nothing stays. Refuses archives without a list of
    contents, of more than 50,000 files, of more than ``max_bytes`` in all, and what the disk has no room for.
    Members that are damaged, encrypted, links, or lead out of the folder are left out, each with its reason.
    """
    with refusals.refusing(path):
        size = path.stat().st_size
    # Refused before it is hashed, which would take minutes.
    if size > 2 * max_bytes:
        raise _too_large(path.name, size, max_bytes)
    target = below / "archives" / file_sha256(path)[:32]
    record = target.with_suffix(".json")
    kept = _recorded(record)
    if kept is None or not _is_whole(target, kept):
        kept = _unpack_anew(path, target, record, max_bytes, check)
    return Unpacked(
        target,
        tuple(
            LeftOut(f"{path}/{name}" if name else str(path), code, f"{_of(name, path.name)} {what}. {remedy}")
            for name, code, what, remedy in kept.left_out
        ),
        tuple(_notes(path.name, kept)),
    )


def _of(member: str, archive: str) -> str:
    shown = plain(member)
    if len(shown) > _LONGEST_SHOWN:
        shown = "…" + shown[1 - _LONGEST_SHOWN :]
    return f"{shown} in {archive}" if shown else archive


def _notes(archive: str, kept: _Kept) -> Iterator[str]:
    if kept.assumed:
        yield (
            f"{archive} does not state the encoding of its file names; it was assumed to be {kept.assumed}."
            " Check the class names."
        )
    if kept.renamed:
        files = counted(kept.renamed, "file")
        yield (
            f"{files} of {archive} were renamed, because their names repeat or are not valid on all systems."
        )


def _recorded(record: Path) -> _Kept | None:
    try:
        return from_text(_Kept, record.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _is_whole(folder: Path, kept: _Kept) -> bool:
    try:
        return folder.is_dir() and all(
            (folder / name).stat().st_size == size for name, size in kept.files.items()
        )
    except (OSError, ValueError):
        return False


def _unpack_anew(path: Path, target: Path, record: Path, max_bytes: int, check: Callable[[], None]) -> _Kept:
    with _writing_into(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target.parent, "unpacking-")
        draft, lock = held_folder(target.parent, "unpacking-")
    try:
        with refusals.refusing(path):
            file = path.open("rb")
        with file:
            kept = _unpack(file, path.name, draft, max_bytes, check)
        with _writing_into(target.parent):
            _settle(draft, target, kept)
            record.write_text(to_text(kept), encoding="utf-8")
    except MemberError as error:
        raise UserError(f"{path.name} {error.what}.", remedy=error.remedy, code=error.code) from error
    finally:
        drop(draft, lock)
    return kept


def _settle(draft: Path, target: Path, kept: _Kept) -> None:
    """Give the draft its name; an existing folder gets only the files that it lacks."""
    if not target.exists():
        with contextlib.suppress(OSError):  # another process was quicker
            draft.replace(target)
            return
    for name, size in kept.files.items():
        place = target / name
        if not place.is_file() or place.stat().st_size != size:
            place.parent.mkdir(parents=True, exist_ok=True)
            (draft / name).replace(place)


def _unpack(file: BinaryIO, archive: str, folder: Path, max_bytes: int, check: Callable[[], None]) -> _Kept:
    contents = read_contents(file, archive, MAX_FILES)
    members = [member for member in contents.members if not member.is_folder]
    names = decode_names(members)
    doubled = overlapping(file, members)
    wanted: list[tuple[Member, str]] = []
    left_out: list[tuple[str, str, str, str]] = []
    if contents.lacking:
        left_out.append(
            ("", "damaged", f"lists {counted(contents.lacking, 'file')} fewer than stated", AGAIN)
        )
    for place, (member, name) in enumerate(zip(members, names.names, strict=True)):
        fault = _fault_of(member, name, max_bytes, is_doubled=place in doubled)
        if fault is None:
            wanted.append((member, name))
        else:
            left_out.append((name, fault.code, fault.what, fault.remedy))
    if members and all(member.is_encrypted for member in members):
        raise refusals.archive(Path(archive), encrypted=True)
    _refuse_too_much(archive, sum(member.size_bytes for member, _ in wanted), folder, max_bytes)
    files: dict[str, int] = {}
    renamed = 0
    for (member, name), path in zip(wanted, safe_paths([name for _, name in wanted]), strict=True):
        check()
        try:
            written = _written(folder, path, file, member, check)
        except MemberError as fault:
            left_out.append((name, fault.code, fault.what, fault.remedy))
        else:
            files[written.as_posix()] = member.size_bytes
            renamed += written.parts != tuple(parts_of(name))
    return _Kept(files, tuple(_printable(*line) for line in left_out), names.assumed, renamed)


def _printable(name: str, code: str, what: str, remedy: str) -> tuple[str, str, str, str]:
    return plain(name), code, what, remedy


def _fault_of(member: Member, name: str, max_bytes: int, *, is_doubled: bool) -> MemberError | None:
    """Return why a member is not even tried, None if it is."""
    if member.is_encrypted:
        return MemberError("zip_encrypted", "is encrypted", "Unpack the archive with its password.")
    if member.is_link:
        return MemberError("link", "is a link to another file", "Add the file itself.")
    if member.is_special:
        return MemberError("device", "is a device or pipe, not a file", "Add the image files themselves.")
    if leads_out(name):
        return MemberError(
            "zip_traversal",
            "has a path that leads outside the archive",
            "Do not trust this archive. Ask its source for the images again.",
        )
    most = {0: member.packed_bytes, 8: member.packed_bytes * _MOST_INFLATION}.get(member.method)
    if is_doubled or (most is not None and member.size_bytes > most):
        return MemberError("damaged", "is damaged", AGAIN)
    if member.size_bytes > max_bytes:
        return MemberError(
            "zip_too_large",
            f"is larger than {_gigabytes(max_bytes)} unpacked",
            "Unpack the archive yourself.",
        )
    return None


def _refuse_too_much(archive: str, needed: int, folder: Path, max_bytes: int) -> None:
    if needed > max_bytes:
        raise _too_large(archive, needed, max_bytes)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{archive} needs {_gigabytes(needed)} to unpack, and the disk has {_gigabytes(free)} left.",
            remedy="Free some space, then add it again. Nothing was kept.",
            code="disk_full",
        )


def _too_large(archive: str, needed: int, max_bytes: int) -> UserError:
    return UserError(
        f"{archive} unpacks to {_gigabytes(needed)}, more than the limit of {_gigabytes(max_bytes)}.",
        remedy="Unpack it yourself, and add the part that you need.",
        code="zip_too_large",
    )


def _gigabytes(size: int) -> str:
    return f"{size / 1024**3:.1f} GB" if size >= 1024**3 // 10 else f"{size / 1024**2:.1f} MB"


def _written(
    folder: Path, place: PurePosixPath, file: BinaryIO, member: Member, check: Callable[[], None]
) -> PurePosixPath:
    """Write a member where it belongs, or under a short path where the file system refuses the long one."""
    error: OSError | None = None
    short = short_path(place.as_posix())
    for path in (place, short.with_name(f"{digest(place.as_posix())}-{short.name}")):
        target = folder / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _write(target, member_parts(file, member), check)
        except OSError as refused:
            error = refused
            if refused.errno not in _NAME_REFUSED:
                break
        else:
            return path
    assert error is not None
    if error.errno in _FULL_DISK:
        raise _no_room() from error
    if error.errno in _FORBIDDEN:
        raise _no_writing(folder.parent) from error
    raise MemberError(
        "unwritable",
        f"cannot be written to the disk ({error.strerror or 'unknown reason'})",
        "Unpack the archive yourself, and add the folder.",
    ) from error


def _write(target: Path, parts: Iterable[bytes], check: Callable[[], None]) -> None:
    """Write a new file; one that cannot be written completely is deleted."""
    with target.open("xb") as sink:
        try:
            for part in parts:
                check()
                sink.write(part)
            sink.flush()
        except BaseException:
            sink.close()
            with contextlib.suppress(OSError):
                target.unlink()
            raise


@contextlib.contextmanager
def _writing_into(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise (_no_room() if error.errno in _FULL_DISK else _no_writing(folder)) from error


def _no_room() -> UserError:
    return UserError(
        "The disk is full, so the archive was not unpacked.",
        remedy="Free some space, then add it again. Nothing was kept.",
        code="disk_full",
    )


def _no_writing(folder: Path) -> UserError:
    return UserError(
        f"The archive could not be unpacked: you do not have permission to write to “{folder.parent.name}”.",
        remedy="Check the permissions of this folder, or unpack the archive yourself and add its folder.",
        code="read_only_folder",
    )
