"""``python -m clipsvd_app.network.fetching``: one request as a line on stdin, progress as lines on stdout.

The process ends when stdin ends: closing it cancels the fetch, and the process cannot outlive its parent.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import threading
from typing import TYPE_CHECKING, TextIO

from clipsvd_app.errors import UserError
from clipsvd_app.network.fetching.lines import (
    FetchDone,
    FetchEvent,
    FetchFailed,
    FetchProgress,
    FetchRequest,
    decode_request,
    encode,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# Five lines a second, also while nothing arrives: with each, the parent can cancel.
TELL_EVERY_S = 0.2
# 128 + SIGINT, the shell's exit status of an interrupted command.
CANCELLED = 130


def main() -> int:
    """Fetch what stdin asks for; returns 0 when every file is there and 1 when not."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which then closes stdin
    for offline in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        os.environ.pop(offline, None)  # the one process that may go online, and only when asked to
    request = decode_request(sys.stdin.readline())
    threading.Thread(target=_leave_with, args=(sys.stdin,), daemon=True).start()
    teller = _Teller(FetchProgress("", 0, 0))
    with teller.telling():
        end = _fetch(request, teller)
    teller.send(end)
    return 0 if isinstance(end, FetchDone) else 1


def _fetch(request: FetchRequest, teller: _Teller) -> FetchEvent:
    try:
        _fetch_or_raise(request, teller)
    except UserError as error:
        return FetchFailed(error.code, error.message, error.remedy)
    return FetchDone()


def _fetch_or_raise(request: FetchRequest, teller: _Teller) -> None:
    import httpx2
    from huggingface_hub.utils import get_session

    from clipsvd_app.network.fetching import download, failures

    try:
        get_session()
    except (ValueError, ImportError, httpx2.InvalidURL) as error:
        raise failures.bad_proxy() from error
    try:
        download.fetch(request, shutil.disk_usage(request.folder).free, teller.tell)
    except (httpx2.HTTPError, OSError) as error:
        raise failures.in_words(error, request.endpoint) from error


class _Teller:
    """Sends the progress at a steady pace, so that the parent can cancel also while nothing arrives."""

    def __init__(self, now: FetchProgress) -> None:
        self._now = now
        self._done = threading.Event()

    def tell(self, file: str, done_bytes: int, total_bytes: int) -> None:
        """Set the progress that is sent next."""
        self._now = FetchProgress(file, done_bytes, total_bytes)

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Send progress from a thread until the block ends, and then once more."""
        thread = threading.Thread(target=self._tell_until_done, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()
            self.send(self._now)

    def send(self, event: FetchEvent) -> None:
        """Write one line."""
        sys.stdout.write(encode(event))
        sys.stdout.flush()

    def _tell_until_done(self) -> None:
        while not self._done.wait(TELL_EVERY_S):
            self.send(self._now)


def _leave_with(stdin: TextIO) -> None:
    """End the process when stdin ends; what has arrived is already on disk.

    ``os._exit`` because the main thread may be waiting for the network, which nothing else interrupts.
    """
    stdin.read()
    os._exit(CANCELLED)


if __name__ == "__main__":
    sys.exit(main())
