"""ZIP archives of unknown origin, unpacked within bounds and nowhere but below the folder that is given.

What comes out are the user's own files with all that stands in their headers, so they belong to a project's
own folder, or are gone when the process ends; never to a cache.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import json
import re
import shutil
import tempfile
import unicodedata
import uuid
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from filelock import FileLock, Timeout

from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.domain.codec import from_json, to_json
from clipsvd_app.errors import UserError
from clipsvd_app.imaging import refusals
from clipsvd_app.imaging.hashing import file_sha256
from clipsvd_app.imaging.left_out import LeftOut
from clipsvd_app.imaging.zip_names import decode_names
from clipsvd_app.imaging.zip_reading import AGAIN, MemberTrouble, member_parts, overlapping, read_contents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from clipsvd_app.imaging.zip_reading import Member

MAX_FILES = 50_000
MAX_UNPACKED_BYTES = 8 * 1024**3
_MOST_INFLATION = 1100
_MOST_FOLDERS, _LONGEST_PATH_BYTES = 60, 3000
_LONGEST_PART_BYTES, _SHORT_PART_BYTES = 200, 48
_LONGEST_SHOWN = 80
_UNSAFE = re.compile(r'[<>:"|?*\x00-\x1f\x7f-\x9f\ud800-\udfff]')
# Windows opens a device in place of a file of these names, whatever extension they have.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
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
    """Where an archive was unpacked, what of it is left out, and what there is to say of its names."""

    folder: Path
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
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
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except (OSError, ValueError):
        return False


@cache
def passing_folder() -> Path:
    """Return a folder that is deleted when this process ends, or by a later one if this one is killed."""
    place, prefix = Path(tempfile.gettempdir()), "clipsvd-archives-"
    _sweep(place, prefix)
    folder, lock = _held_folder(place, prefix)
    atexit.register(_drop, folder, lock)
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
            f"{archive} does not say how its file names are encoded; they were read as {kept.assumed}."
            " Check the class names."
        )
    if kept.renamed:
        files = "One file" if kept.renamed == 1 else f"{kept.renamed} files"
        yield f"{files} of {archive} got new names, because theirs occur twice or are not valid everywhere."


def _recorded(record: Path) -> _Kept | None:
    try:
        return from_json(_Kept, json.loads(record.read_text(encoding="utf-8")))
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
        _sweep(target.parent, "unpacking-")
        draft, lock = _held_folder(target.parent, "unpacking-")
    try:
        with refusals.refusing(path):
            file = path.open("rb")
        with file:
            kept = _unpack(file, path.name, draft, max_bytes, check)
        with _writing_into(target.parent):
            _settle(draft, target, kept)
            record.write_text(json.dumps(to_json(kept)), encoding="utf-8")
    except MemberTrouble as error:
        raise UserError(f"{path.name} {error.what}.", remedy=error.remedy, code=error.code) from error
    finally:
        _drop(draft, lock)
    return kept


def _settle(draft: Path, target: Path, kept: _Kept) -> None:
    """Give the draft its name; a folder that is there already gets only the files that it lacks."""
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
        left_out.append(("", "damaged", f"lists {contents.lacking} files fewer than it states", AGAIN))
    for place, (member, name) in enumerate(zip(members, names.names, strict=True)):
        trouble = _trouble(member, name, max_bytes, is_doubled=place in doubled)
        if trouble is None:
            wanted.append((member, name))
        else:
            left_out.append((name, trouble.code, trouble.what, trouble.remedy))
    if members and all(member.is_encrypted for member in members):
        raise refusals.archive(Path(archive), encrypted=True)
    _refuse_too_much(archive, sum(member.size_bytes for member, _ in wanted), folder, max_bytes)
    files: dict[str, int] = {}
    renamed = 0
    for (member, name), path in zip(wanted, safe_paths([name for _, name in wanted]), strict=True):
        check()
        try:
            written = _written(folder, path, file, member, check)
        except MemberTrouble as trouble:
            left_out.append((name, trouble.code, trouble.what, trouble.remedy))
        else:
            files[written.as_posix()] = member.size_bytes
            renamed += written.parts != tuple(_parts(name))
    return _Kept(files, tuple(_printable(*line) for line in left_out), names.assumed, renamed)


def _printable(name: str, code: str, what: str, remedy: str) -> tuple[str, str, str, str]:
    return plain(name), code, what, remedy


def _trouble(member: Member, name: str, max_bytes: int, *, is_doubled: bool) -> MemberTrouble | None:
    """Say why a member is not even tried."""
    if member.is_encrypted:
        return MemberTrouble("zip_encrypted", "is encrypted", "Unpack the archive with its password first.")
    if member.is_link:
        return MemberTrouble("link", "is a link to another file", "Add the file that it points to.")
    if member.is_special:
        return MemberTrouble("device", "is a device or pipe, not a file", "Add the images by themselves.")
    if _leads_out(name):
        return MemberTrouble(
            "zip_traversal",
            "has a path that leads out of the archive",
            "Do not trust the archive: ask for the images again from their source.",
        )
    most = {0: member.packed_bytes, 8: member.packed_bytes * _MOST_INFLATION}.get(member.method)
    if is_doubled or (most is not None and member.size_bytes > most):
        return MemberTrouble("damaged", "is damaged", AGAIN)
    if member.size_bytes > max_bytes:
        return MemberTrouble(
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
            remedy="Free some space and add it again; nothing of it was kept.",
            code="disk_full",
        )


def _too_large(archive: str, needed: int, max_bytes: int) -> UserError:
    return UserError(
        f"{archive} unpacks to {_gigabytes(needed)}, more than this program takes ({_gigabytes(max_bytes)}).",
        remedy="Unpack it yourself and add the part you need.",
        code="zip_too_large",
    )


def _gigabytes(size: int) -> str:
    return f"{size / 1024**3:.1f} GB" if size >= 1024**3 // 10 else f"{size / 1024**2:.1f} MB"


def _parts(name: str) -> list[str]:
    return [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]


def _leads_out(name: str) -> bool:
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
    parts = _parts(name)
    path = PurePosixPath(
        *(_safe_part(part, _LONGEST_PART_BYTES) for part in parts[: _MOST_FOLDERS + 2] or ["_"])
    )
    is_long = len(parts) > _MOST_FOLDERS or len(str(path).encode()) > _LONGEST_PATH_BYTES
    return _short_path(name) if is_long else path


def _safe_part(part: str, longest: int) -> str:
    text = _UNSAFE.sub("_", part).rstrip(" .") or "_"
    if _DEVICE.fullmatch(text):
        text = f"_{text}"
    if len(text.encode()) <= longest:
        return text
    suffix = PurePosixPath(text).suffix
    suffix = suffix if len(suffix.encode()) <= 12 else ""
    stem = text.encode()[: longest - 9 - len(suffix.encode())].decode("utf-8", "ignore")
    return f"{stem.rstrip(' .')}~{_digest(part)}{suffix}"


def _short_path(name: str) -> PurePosixPath:
    """Return a path of three parts for one that a file system does not take: its last folder stays."""
    parts = _parts(name)
    folder = _safe_part(parts[-2], _SHORT_PART_BYTES) if len(parts) > 1 else "_"
    file = _safe_part(parts[-1], _SHORT_PART_BYTES) if parts else "_"
    return PurePosixPath("long paths", f"{_digest('/'.join(parts[:-1]))}", folder, file)


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:8]


def _written(
    folder: Path, place: PurePosixPath, file: BinaryIO, member: Member, check: Callable[[], None]
) -> PurePosixPath:
    """Write a member where it belongs, or under a short path where the file system refuses the long one."""
    error: OSError | None = None
    short = _short_path(place.as_posix())
    for path in (place, short.with_name(f"{_digest(place.as_posix())}-{short.name}")):
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
    raise MemberTrouble(
        "unwritable",
        f"cannot be written to the disk ({error.strerror or 'unknown reason'})",
        "Unpack the archive yourself and add the folder.",
    ) from error


def _write(target: Path, parts: Iterable[bytes], check: Callable[[], None]) -> None:
    """Write a new file; what cannot be written to its end is taken away again."""
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
        remedy="Free some space and add it again; nothing of it was kept.",
        code="disk_full",
    )


def _no_writing(folder: Path) -> UserError:
    return UserError(
        f"The archive cannot be unpacked into “{folder.parent.name}”, which cannot be written to.",
        remedy="Check the permissions of that folder, or unpack the archive yourself and add the folder.",
        code="read_only_folder",
    )


def _held_folder(parent: Path, prefix: str) -> tuple[Path, FileLock | None]:
    """Make a folder, with a lock beside it for as long as this process works in it."""
    folder = parent / f"{prefix}{uuid.uuid4().hex[:22]}"
    lock: FileLock | None = FileLock(f"{folder}.lock")
    try:
        assert lock is not None
        lock.acquire(timeout=0)
    except (OSError, NotImplementedError, Timeout):  # some network shares have no locks
        lock = None
    folder.mkdir(mode=0o700)
    return folder, lock


def _drop(folder: Path, lock: FileLock | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if lock is not None:
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)


def _sweep(parent: Path, prefix: str) -> None:
    """Delete the folders of processes that were killed: nobody holds their lock."""
    for left in parent.glob(f"{prefix}*.lock"):
        lock = FileLock(left)
        try:
            lock.acquire(timeout=0)
        except (OSError, NotImplementedError, Timeout):
            continue
        _drop(left.with_suffix(""), lock)
