"""Decoding of untrusted bytes in child processes with limits: a hostile file costs one worker, no more."""

from __future__ import annotations

import atexit
import functools
import multiprocessing
import signal
import sys
import threading
from concurrent.futures import CancelledError
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pebble import ProcessPool

T = TypeVar("T")

# Several times what sound files take: a TIFF of 64 megapixels is shown after 7.6 s and may compute for 14.
CPU_S = 1.0
CPU_S_PER_MEGAPIXEL = 0.2
# Beyond what the libraries take: the largest volume that is read (768 MB) peaks at 1.6 GB.
MEMORY_BYTES = 1792 * 1024**2
# For systems that cannot bound computing time, and for what waits without computing.
TIME_LIMIT_S = 20.0
# Of address space, of which Python and its libraries take more than they use.
MEMORY_LIMIT_BYTES = 6 * 1024**3
# As many as the window has threads that read files; each may take the memory above.
WORKERS = 2


class DecodeError(Exception):
    """The worker could not decode: it failed, died, or ran out of time or memory."""


class FatalFileError(DecodeError):
    """The worker crashed on its input, and would do so again."""


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: str


class DecodePool:
    """Long-lived decoding processes, started on first use; `close` ends them."""

    def __init__(self, time_limit_s: float = TIME_LIMIT_S, workers: int = WORKERS) -> None:
        self._time_limit_s = time_limit_s
        self._workers = workers
        self._lock = threading.Lock()
        self._pool: ProcessPool | None = None
        self._fatal: set[tuple[str, int, int]] = set()

    def run_on_file(self, path: Path, function: Callable[..., T], *arguments: object) -> T:
        """Return ``function(str(path), *arguments)`` as `run` does; no file may crash a second worker."""
        try:
            file = _file_key(path)
        except OSError as error:
            raise DecodeError("the file is gone") from error
        if file in self._fatal:
            raise FatalFileError("the file has cost a worker before")
        try:
            return self.run(function, str(path), *arguments)
        except FatalFileError:
            self._fatal.add(file)
            raise

    def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Return ``function(*arguments)`` computed in a worker; raise DecodeError when that fails.

        A UserError raised there is raised here: the worker knew the reason.
        function: a module's function, so that the worker can import it; it gets plain values.
        """
        try:
            return self._run(function, arguments)
        except BrokenProcessPool:
            self.close()
        try:  # idle workers may have been killed from outside; new ones deserve one trial
            return self._run(function, arguments)
        except BrokenProcessPool as error:
            self.close()
            raise DecodeError("the workers do not start") from error

    def _run(self, function: Callable[..., T], arguments: tuple[object, ...]) -> T:
        from pebble import ProcessExpired

        pool = self._started()
        try:
            result = pool.schedule(
                _contained, args=(function, arguments), timeout=self._time_limit_s
            ).result()
        except CancelledError as error:  # another thread has closed the pool meanwhile
            raise BrokenProcessPool from error
        except TimeoutError as error:
            raise DecodeError("out of time") from error
        except ProcessExpired as error:
            died = FatalFileError if _by_its_own_signal(error.exitcode) else DecodeError
            raise died("the worker died") from error
        if isinstance(result, UserError):
            raise result
        if isinstance(result, _Failure):
            raise DecodeError(result.reason)
        return cast("T", result)

    def close(self) -> None:
        """End the workers; the next `run` starts new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()
            pool.join()

    def _started(self) -> ProcessPool:
        from pebble import ProcessPool

        with self._lock:
            if self._pool is None or not self._pool.active:
                self._pool = ProcessPool(
                    max_workers=self._workers,
                    initializer=_limit_this_process,
                    initargs=(MEMORY_LIMIT_BYTES,),
                    # A forked child would inherit locks that other threads of the window hold at that moment.
                    context=multiprocessing.get_context("spawn"),
                )
            return self._pool


@functools.cache
def shared_pool() -> DecodePool:
    """Return the one pool of this process."""
    pool = DecodePool()
    atexit.register(pool.close)
    return pool


class LastFile(Generic[T]):
    """Within a worker: keeps the result of `read` for the last file, which is not read again in scrolling."""

    def __init__(self, read: Callable[[str], T]) -> None:
        self._read = read
        self._kept: dict[tuple[str, int, int], T] = {}

    def make_room(self, path: str) -> None:
        """Drop another file, before the memory for this one is limited."""
        if _file_key(path) not in self._kept:
            self._kept.clear()

    def forget(self) -> None:
        """Drop the file, so that it is read again."""
        self._kept.clear()

    def of(self, path: str) -> T:
        """Return the result for a file, now or from before."""
        self.make_room(path)
        key = _file_key(path)
        if key not in self._kept:
            self._kept[key] = self._read(path)
        return self._kept[key]


@contextmanager
def bounded(megapixels: float) -> Iterator[None]:
    """Within a worker: end this process when the block computes for longer than the pixels explain.

    megapixels: how much the file's header says they are. It also fails the block when it takes more than
    1.75 GiB beyond what the process holds already. Computing time, not the clock, so that a busy computer
    refuses nothing. Systems without such limits keep the pool's time limit only.
    """
    try:
        import resource
        from signal import ITIMER_PROF, setitimer
    except ImportError:
        # Windows has no module resource and no setitimer.
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    setitimer(ITIMER_PROF, CPU_S + CPU_S_PER_MEGAPIXEL * megapixels)
    _limit_memory(_address_space() + MEMORY_BYTES)
    try:
        yield
    finally:
        setitimer(ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, before)


def _file_key(path: str | Path) -> tuple[str, int, int]:
    status = Path(path).stat()
    return str(path), status.st_mtime_ns, status.st_size


def _by_its_own_signal(exit_code: int) -> bool:
    """Say whether a worker crashed or ran out of computing time; False if it was ended from outside."""
    return exit_code < 0 and -exit_code not in (signal.SIGTERM, getattr(signal, "SIGKILL", 9))


def _address_space() -> int:
    import psutil

    return int(psutil.Process().memory_info().vms)


def _contained(function: Callable[..., Any], arguments: tuple[object, ...]) -> Any:  # noqa: ANN401
    """Run in the worker; return every failure as a plain value, since not every exception can be pickled."""
    try:
        return function(*arguments)
    except UserError as error:
        return error.with_traceback(None)
    except BaseException as error:  # noqa: BLE001 - a Rust panic is no Exception, and cannot be pickled
        return _Failure(type(error).__name__)


def _limit_this_process(memory_limit_bytes: int) -> None:
    """Bound the worker's memory, silence its libraries, and import nothing from the working directory."""
    import logging
    import os
    import warnings

    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    here = str(Path.cwd())
    # A folder "dl" in the working directory would be imported in place of what gdcm looks for.
    sys.path[:] = [entry for entry in sys.path if entry not in ("", ".", here)]
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    _limit_memory(memory_limit_bytes)


def _limit_memory(limit_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit; the time limit still holds there.
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = limit_bytes if hard == resource.RLIM_INFINITY else min(limit_bytes, hard)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError):  # macOS refuses some limits
        return
