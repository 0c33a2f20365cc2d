"""Opening a file for reading: readers of a held file share one opening."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

# Before Python 3.12, only the system's own class of Path can be subclassed.
if sys.platform == "win32":
    from pathlib import WindowsPath as _SystemPath
else:
    from pathlib import PosixPath as _SystemPath

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader
    from pathlib import Path


class _HeldFile(_SystemPath):
    """A path that keeps its file open once a reader has asked for it."""

    stream: BufferedReader | None = None


@contextmanager
def held(path: Path) -> Iterator[Path]:
    """Return a path whose file is opened once, however many readers are given it within the block.

    For one thread: the readers share the place in the file, and one must be done before the next begins.
    """
    file = _HeldFile(path)
    try:
        yield file
    finally:
        if file.stream is not None:
            file.stream.close()


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Open a file at its beginning; that of a held path is opened only the first time."""
    if not isinstance(path, _HeldFile):
        with path.open("rb") as file:
            yield file
        return
    if path.stream is None:
        path.stream = path.open("rb")
    path.stream.seek(0)
    yield path.stream
