"""Silence for libraries whose warnings quote the content of files, patient data among it."""

from __future__ import annotations

import threading
import warnings


class _Quiet:
    """Ignore warnings while any thread is inside; the last one to leave restores the filters.

    catch_warnings alone is not safe with threads: it would restore the filters of whichever thread came last.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._filters = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._depth == 0:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")
            self._depth += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._filters.__exit__(None, None, None)


quiet = _Quiet()
