"""Fetching a published model in a process of its own, the only one that may use the network."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from msgspec.structs import replace

from clipsvd_app.errors import UserError
from clipsvd_app.network.fetching.lines import (
    FetchDone,
    FetchEvent,
    FetchFailed,
    FetchRequest,
    decode_event,
    encode,
)
from clipsvd_app.network.fetching.published import PUBLISHED
from clipsvd_app.settings import cache_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clipsvd_app.network.fetching.published import Published

HUB = "https://huggingface.co"
ENDPOINT_VARIABLE = "HF_ENDPOINT"
# The child ends by itself once its input is closed; one that hangs in a library is killed after this time.
LEAVE_WITHIN_S = 3.0
# huggingface_hub is kept from reporting its use and from sending a token of the user's. Without Xet, its
# other transfer, it streams plain files that can be resumed.
_CHILD = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "PYTHONUNBUFFERED": "1",
}


class Arrived(Protocol):
    """Called with the progress of a fetch; raises Cancelled to stop it."""

    def __call__(self, file: str, done_bytes: int, total_bytes: int) -> None:
        """Report how many of all bytes have arrived."""


def published(name: str, revision: str = "") -> Published:
    """Return the model of this name; of another revision than the pinned one no hashes are known."""
    if name not in PUBLISHED:
        raise UserError(
            f"There is no model “{name}” to download.",
            remedy=f"Choose one of {', '.join(sorted(PUBLISHED))}.",
            code="unknown_model",
        )
    known = PUBLISHED[name]
    if revision in ("", known.revision):
        return known
    if not re.fullmatch("[0-9a-f]{40}", revision):
        raise UserError(
            f"“{revision}” is not a revision. A revision has 40 hexadecimal digits.",
            remedy="Copy the full commit hash from the model's page, or omit --revision.",
            code="bad_revision",
        )
    return replace(known, revision=revision, pinned=False)


def folder_of(model: Published) -> Path:
    """Return where a model's files are downloaded to; they stay there when a fetch is interrupted."""
    return cache_folder() / "fetch" / f"{model.name}-{model.revision[:12]}"


def has_begun(model: Published) -> bool:
    """Whether an earlier fetch left something to resume."""
    folder = folder_of(model)
    return folder.is_dir() and any(path.stat().st_size for path in folder.iterdir())


def forget(model: Published) -> None:
    """Delete the downloaded files of a model, once it is added."""
    shutil.rmtree(folder_of(model), ignore_errors=True)
    _lock_file(folder_of(model)).unlink(missing_ok=True)


def endpoint() -> str:
    """Return the hub's address: the public one unless HF_ENDPOINT names a mirror."""
    return (os.environ.get(ENDPOINT_VARIABLE) or HUB).rstrip("/")


def host() -> str:
    """Return the hub's name, as people know it."""
    return urlsplit(endpoint()).hostname or endpoint()


def fetch(model: Published, arrived: Arrived) -> Path:
    """Fetch a model and return the folder with its files; an interrupted fetch is resumed.

    Raises UserError for failures of the network and the disk, and for a wrong hash.
    """
    folder = folder_of(model)
    _make(folder)
    with _alone(folder), _child(FetchRequest(model, str(folder), endpoint())) as lines:
        for event in lines:
            if isinstance(event, FetchDone):
                return folder
            if isinstance(event, FetchFailed):
                raise UserError(event.message, remedy=event.remedy, code=event.code)
            arrived(event.file, event.done_bytes, event.total_bytes)
    raise UserError(
        "The download stopped unexpectedly.",
        remedy="Download again to resume.",
        code="fetch_lost",
    )


def _lock_file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"“{folder}” could not be created ({error.strerror}).",
            remedy="Check the permissions, or set CLIPSVD_HOME to another folder.",
            code="fetch_not_writable",
        ) from error


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second window or command from writing into the same files."""
    lock = FileLock(_lock_file(folder), timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise UserError(
            "Another window or command is already downloading this model.",
            remedy="Wait until it has finished, or cancel it.",
            code="fetch_under_way",
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _child(request: FetchRequest) -> Iterator[Iterator[FetchEvent]]:
    """Start the process and yield its events; leaving the block ends it."""
    process = subprocess.Popen(
        # -P: without it, modules in the current folder would be imported before the program's own.
        [sys.executable, "-P", "-m", "clipsvd_app.network.fetching"],
        # The child ends when its input closes, and so with this process, however that ends.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if os.environ.get("CLIPSVD_DEBUG") else subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env=os.environ | _CHILD,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        # A child that failed at its start has closed the pipe; that shows when its output is read.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(encode(request))
            process.stdin.flush()
        yield _events(process.stdout)
    finally:
        _end(process)


def _events(lines: IO[str]) -> Iterator[FetchEvent]:
    for line in lines:
        with contextlib.suppress(ValueError):  # a foreign library wrote to the wrong place
            yield decode_event(line)


def _end(process: subprocess.Popen[str]) -> None:
    """Close the child's input, at which it exits; one that does not is killed."""
    assert process.stdin is not None
    assert process.stdout is not None
    # Closing flushes; a child that is gone has closed the other end.
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(LEAVE_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
