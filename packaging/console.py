"""What set-up says while it works: one line a step."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from setup_error import SetupError

WIDTH = 100


class Console:
    """Writes steps and notes; on a terminal the running step also shows what it is at."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream

    def note(self, text: str) -> None:
        """Say one thing."""
        self._write(f"{text}\n")

    def error(self, error: SetupError) -> None:
        """Say what went wrong and what to do."""
        self._write(f"error: {error.message}\n  {error.remedy}\n")

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[Callable[[str], None]]:
        """Announce a step, then its duration; yields a function that shows what the step is at."""
        started = time.monotonic()
        live = self._stream.isatty()
        self._write(f"{text} ..." if live else f"{text} ...\n")
        try:
            yield (lambda detail: self._write(f"\r\033[K{text}: {detail}"[:WIDTH])) if live else _silent
        finally:
            seconds = time.monotonic() - started
            self._write(f"\r\033[K{text}: {seconds:.0f} s\n" if live else f"  {seconds:.0f} s\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _silent(detail: str) -> None:
    pass
