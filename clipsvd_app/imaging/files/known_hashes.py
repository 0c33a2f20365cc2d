"""Hashes of files that were read before; a file is read again only when its state on the disk has changed."""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
import time
from typing import TYPE_CHECKING

from clipsvd_app import settings
from clipsvd_app.imaging.files.hashes import file_sha256
from clipsvd_app.imaging.guard import refusals

if TYPE_CHECKING:
    from pathlib import Path

_UNSURE_S = 3.0
"""More recent changes are not trusted: time stamps may be two seconds coarse (FAT)."""
# Half a million lines; then the file starts again, which only costs hashing.
_LARGEST_NOTES_BYTES = 64 << 20
_LINE = re.compile(rb"^([0-9a-f]{64}) ([0-9a-f]{64})$", re.MULTILINE)


def known_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, from memory or the cache folder while the file is as it was.

    Size, time of change, time of the last change of its entry and number on the disk must all be the same.
    Neither a path nor a time is kept, only a hash of them. Refuses what ``file_sha256`` refuses.
    """
    before = _state(path)
    if before is None:
        return file_sha256(path)
    state, changed_s = before
    if kept := _NOTES.recall(state):
        return kept
    found = file_sha256(path)
    if _state(path) == before and time.time() - changed_s > _UNSURE_S:
        _NOTES.keep(state, found)
    return found


def is_hash_known(path: Path) -> bool:
    """Whether ``known_sha256`` would answer without reading the file."""
    state = _state(path)
    return state is not None and bool(_NOTES.recall(state[0]))


def require_content(path: Path, sha256: str) -> None:
    """Refuse a file that is another one than was added; an empty hash says nothing."""
    if sha256 and known_sha256(path) != sha256:
        raise refusals.replaced(path)


def _state(path: Path) -> tuple[str, float] | None:
    """Return the state of a file as a hash, and when it last changed."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    facts = (str(path.absolute()), status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    state = hashlib.sha256(repr(facts).encode(errors="surrogatepass")).hexdigest()
    return state, max(status.st_mtime, status.st_ctime)


class _Notes:
    """State and hash, a line each, in one file that all processes of the program add to.

    Malformed lines are ignored: a fault in the file only costs time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        self._file: Path | None = None
        self._read_bytes = 0

    def recall(self, state: str) -> str:
        with self._lock:
            if state not in self._known:
                self._read_on()
            return self._known.get(state, "")

    def keep(self, state: str, sha256: str) -> None:
        # A note that cannot be written costs hashing the file again, no more.
        with self._lock, contextlib.suppress(OSError):
            self._known[state] = sha256
            file = self._place()
            file.parent.mkdir(parents=True, exist_ok=True)
            too_large = file.is_file() and file.stat().st_size > _LARGEST_NOTES_BYTES
            with file.open("wb" if too_large else "ab") as stream:
                stream.write(f"{state} {sha256}\n".encode())

    def _read_on(self) -> None:
        """Read the lines that were added since, by this process or another."""
        file = self._place()
        with contextlib.suppress(OSError):
            size = file.stat().st_size
            if size == self._read_bytes:
                return
            with file.open("rb") as stream:
                stream.seek(self._read_bytes if size > self._read_bytes else 0)
                added = stream.read()
                self._read_bytes = stream.tell()
            self._known |= {state.decode(): sha.decode() for state, sha in _LINE.findall(added)}

    def _place(self) -> Path:
        file = settings.cache_folder() / "hashes" / "files.txt"
        if file != self._file:
            self._file, self._read_bytes, self._known = file, 0, {}
        return file


_NOTES = _Notes()
