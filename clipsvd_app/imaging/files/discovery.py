"""Finding image files in what a user drops: files, folders, ZIP archives and DICOMDIRs."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.imaging.files.archives import is_zip, passing_folder, unpack_zip
from clipsvd_app.imaging.files.dicomdir import is_directory_index, read_listing
from clipsvd_app.imaging.files.left_out import LeftOut
from clipsvd_app.imaging.guard import refusals
from clipsvd_app.imaging.opened import held
from clipsvd_app.imaging.signature import kind_of, read_head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


# A name cut into numbers and what stands between them.
NameRuns: TypeAlias = tuple[tuple[int, int, str], ...]

# Files that lie beside images; one with an image inside is taken all the same.
_BESIDE_IMAGES = re.compile(
    r"\.(bat|bin|bval|bvec|cfg|clipsvd|css|csv|dat|db|docx?|exe|html?|inf|ini|ipynb|js|json|log|mat|md|npy|npz|ods"
    r"|pdf|pptx?|py|raw|rtf|safetensors|sh|tsv|txt|url|xlsx?|xml|ya?ml)",
    re.IGNORECASE,
)
_OWN_FILES = re.compile(r"\.clipsvd(-wal|-shm|-journal|\.lock)?$|\.sigma\.safetensors$")
_SYSTEM_FILES = frozenset(
    {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", ".ds_store", ".localized", "lockfile", "version"}
)
_SYSTEM_FOLDERS = ("__macosx", "$recycle.bin", "system volume information")


@dataclass(frozen=True, slots=True)
class Findings:
    """All that lies under some paths: the files worth reading, and everything else with its reason.

    notes: sentences on archives and indexes that concern no single file.
    """

    files: tuple[Path, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...] = ()


def find_files(paths: Sequence[Path], *, unpack_into: Path | None = None) -> tuple[Path, ...]:
    """Return the files worth reading, as `look_through` finds them."""
    return look_through(paths, unpack_into=unpack_into).files


def look_through(
    paths: Sequence[Path], *, unpack_into: Path | None = None, check: Callable[[], None] = lambda: None
) -> Findings:
    """Find the files worth reading, each once: the user's own order, folders walked in natural order.

    Files named directly are kept whatever they are, so that each can be refused by name. In folders,
    hidden files, indexes and text beside images are left out. ZIP archives are unpacked below
    `unpack_into` (by default a folder that goes with this process), and a DICOMDIR stands for the files
    that it lists. check: called often; what it raises stops the search.
    """
    search = _Search(unpack_into, check)
    for path in paths:
        search.take(Path(path))
    return search.findings()


def natural_key(path: Path) -> tuple[tuple[NameRuns, str], ...]:
    """Sort "slice 2" before "slice 10", folder by folder."""
    return tuple((_runs(Path(part).stem), Path(part).suffix.casefold()) for part in path.parts)


def _runs(name: str) -> NameRuns:
    runs = re.split(r"([0-9]+)", name.casefold())
    return tuple((0, int(run), "") if re.fullmatch("[0-9]+", run) else (1, 0, run) for run in runs if run)


class _Search:
    """Gathers what is found, each path once, however often it is named."""

    def __init__(self, unpack_into: Path | None, check: Callable[[], None]) -> None:
        self._unpack_into, self._check = unpack_into, check
        self._files: dict[str, Path] = {}
        self._left: dict[str, LeftOut] = {}
        self._notes: dict[str, None] = {}
        self._opened: set[str] = set()
        self._unpacked: set[Path] = set()

    def findings(self) -> Findings:
        """Return what was gathered."""
        left = tuple(item for key, item in self._left.items() if key not in self._files)
        return Findings(tuple(self._files.values()), left, tuple(self._notes))

    def take(self, path: Path) -> None:
        """Look at what was named directly."""
        if _mode(path) == stat.S_IFDIR:
            self._walk(path, in_archive=False)
            return
        with held(path) as file:
            is_archive, is_index = is_zip(file), is_directory_index(file)
        if is_archive:
            self._open(path)
        elif is_index:
            self._read_index(path)
        else:
            self._add(path)

    def _add(self, path: Path) -> None:
        if not _is_text(path):
            error = refusals.name_not_text(path)
            self._leave(path, error.code, str(error))
            return
        self._files.setdefault(_absolute(path), path)

    def _leave(self, path: Path, reason: str, sentence: str = "") -> None:
        self._left.setdefault(_absolute(path), LeftOut(_shown(path), reason, sentence))

    def _open(self, archive: Path) -> None:
        if _absolute(archive) in self._opened:
            return
        self._opened.add(_absolute(archive))
        try:
            unpacked = unpack_zip(archive, self._unpack_into or passing_folder(), check=self._check)
        except UserError as error:
            self._leave(archive, error.code, str(error))
            return
        for place, left in enumerate(unpacked.left_out):
            self._left[f"{_absolute(archive)}/{place}"] = left  # members may share a name
        self._notes |= dict.fromkeys(unpacked.notes)
        if unpacked.folder in self._unpacked:
            for parent, _, names in os.walk(unpacked.folder):
                for name in names:
                    self._leave(archive / Path(parent, name).relative_to(unpacked.folder), "copy")
            return
        self._unpacked.add(unpacked.folder)
        if not self._walk(unpacked.folder, in_archive=True) and not unpacked.left_out:
            self._leave(
                archive, "nothing_found", f"{archive.name} contains no files. Choose another archive."
            )

    def _read_index(self, index: Path) -> None:
        try:
            listing = read_listing(index)
        except UserError as error:
            self._leave(index, error.code, str(error))
            return
        self._leave(index, "index_file")
        for file in listing.files:
            self._add(file)
        for left in listing.left_out:
            self._left.setdefault(left.path, left)
        if unlisted := _count_unlisted(index, listing.files):
            files = counted(unlisted, "file")
            self._notes[
                f"{files} beside {index.name} {'is' if unlisted == 1 else 'are'} not listed in it."
                f" Add the folder to include them."
            ] = None

    def _walk(self, folder: Path, *, in_archive: bool) -> int:
        """Walk a folder without following links to folders; archives inside archives stay closed.

        Returns how many files there are.
        """
        found = sorted(
            _files_below(folder, self._leave, self._check),
            key=lambda item: natural_key(item[0].relative_to(folder)),
        )
        for file, reason in found:
            self._check()
            if reason:
                self._leave(file, reason)
                if reason == "index_file":
                    self._check_index(file)
            elif not in_archive and file.suffix.lower() == ".zip" and is_zip(file):
                self._open(file)
            else:
                self._take_from_folder(file)
        return len(found)

    def _take_from_folder(self, file: Path) -> None:
        mode = _mode(file)
        if mode == stat.S_IFREG:
            self._add(file)
        elif mode is None:
            error = refusals.missing(file) if not file.is_symlink() else refusals.broken_link(file)
            self._leave(file, error.code, str(error))
        else:
            error = refusals.not_an_image(file, "a device or pipe, not a file")
            self._leave(file, "device", str(error))

    def _check_index(self, index: Path) -> None:
        """Of an index inside a folder only what it lists and is not there is of interest."""
        if is_directory_index(index):
            try:
                listing = read_listing(index)
            except UserError:
                return
            for left in listing.left_out:
                self._left.setdefault(left.path, left)


def _files_below(
    folder: Path, leave: Callable[[Path, str, str], None], check: Callable[[], None]
) -> Iterator[tuple[Path, str]]:
    """Yield every file with the quiet reason to leave it out, "" where it is worth reading."""
    seen: set[tuple[int, int]] = set()
    inherited: dict[str, str] = {}

    def cannot_list(error: OSError) -> None:
        leave(*_unlisted_folder(error))

    for parent, folders, names in os.walk(folder, onerror=cannot_list):
        check()
        reason = inherited.pop(parent, "")
        for name in list(folders):
            path = Path(parent, name)
            if path.is_symlink() or _was_seen(path, seen):
                folders.remove(name)
                leave(*_linked_folder(path, folder))
            elif inner := reason or _folder_reason(name):
                inherited[str(path)] = inner
        for name in names:
            path = Path(parent, name)
            yield path, reason or _quiet_reason(path)


def _was_seen(folder: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether a folder was walked already, as through a junction or a mount that leads back."""
    try:
        status = folder.stat()
    except OSError:
        return False
    key = (status.st_dev, status.st_ino)
    if key in seen:
        return True
    if status.st_ino:
        seen.add(key)
    return False


def _folder_reason(name: str) -> str:
    if name.lower().startswith(_SYSTEM_FOLDERS):
        return "system_file"
    return "hidden_file" if name.startswith(".") else ""


def _quiet_reason(file: Path) -> str:
    """Return why a file of a folder is left out without a sentence of its own, "" where it is not."""
    name = file.name.lower()
    if name in _SYSTEM_FILES or name.startswith("._"):
        return "system_file" if name.startswith(".") or not _holds_image(file) else ""
    if name.startswith("."):
        return "hidden_file"
    if _OWN_FILES.search(name):
        return "own_file"
    if name == "dicomdir":
        return "index_file"
    return "other_file" if _BESIDE_IMAGES.fullmatch(file.suffix) and not _holds_image(file) else ""


def _holds_image(file: Path) -> bool:
    try:
        return kind_of(read_head(file)) is not None
    except UserError:
        return False


def _linked_folder(path: Path, walked: Path) -> tuple[Path, str, str]:
    try:
        is_inside = path.resolve().is_relative_to(walked.resolve())
    except (OSError, RuntimeError):  # a link that points to itself
        is_inside = True
    sentence = f"{_shown(path.name)} is a link to a folder, which is not followed. Add the folder itself."
    return path, "folder_link", "" if is_inside else sentence


def _unlisted_folder(error: OSError) -> tuple[Path, str, str]:
    path = Path(os.fsdecode(error.filename or ""))
    if isinstance(error, PermissionError):
        return path, "no_permission", str(refusals.no_permission(path))
    return path, "unreadable", str(refusals.unreadable(path))


def _count_unlisted(index: Path, listed: Sequence[Path]) -> int:
    """Count the files in the folders of an index that look like images and are not listed."""
    known = {_absolute(file) for file in listed} | {_absolute(index)}
    count = 0
    for folder in dict.fromkeys([index.parent, *(file.parent for file in listed)]):
        try:
            beside = list(folder.iterdir())
        except OSError:
            continue
        files = [file for file in beside if _absolute(file) not in known]
        count += sum(_mode(file) == stat.S_IFREG and not _quiet_reason(file) for file in files)
    return count


def _mode(path: Path) -> int | None:
    """Return the kind of file that a path leads to, None where it leads nowhere that can be asked."""
    try:
        return stat.S_IFMT(path.stat().st_mode)
    except PermissionError:
        return stat.S_IFREG  # there, and refused by name when it is read
    except (OSError, ValueError):
        return None


def _absolute(path: Path) -> str:
    return str(path.absolute())


def _is_text(path: Path) -> bool:
    return not re.search("[\ud800-\udfff]", str(path))


def _shown(path: object) -> str:
    return re.sub("[\ud800-\udfff]", "\ufffd", str(path))
