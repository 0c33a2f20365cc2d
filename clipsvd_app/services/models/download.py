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
LEAVE_WITHIN_S = 3.0
# The hub's library sends no word about its use, and streams plain files that can be resumed.
_CHILD = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "PYTHONUNBUFFERED": "1",
}


class Arrived(Protocol):
    """Where the fetch says how far it is; raises Cancelled when the user asked to stop."""

    def __call__(self, file: str, done_bytes: int, total_bytes: int) -> None:
        """Tell how many of all bytes are here."""


def published(name: str, revision: str = "") -> Published:
    """Return the model of this name; another revision than the known one comes without known hashes."""
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
    """Return where a model's files are gathered; they stay there when a fetch ends too soon."""
    return cache_folder() / "fetch" / f"{model.name}-{model.revision[:12]}"


def has_begun(model: Published) -> bool:
    """Tell whether an earlier fetch left something to go on with."""
    folder = folder_of(model)
    return folder.is_dir() and any(path.stat().st_size for path in folder.iterdir())


def forget(model: Published) -> None:
    """Delete what was gathered of a model, once it is added."""
    shutil.rmtree(folder_of(model), ignore_errors=True)
    _lock_file(folder_of(model)).unlink(missing_ok=True)


def endpoint() -> str:
    """Return the hub's address: the public one unless HF_ENDPOINT names a mirror."""
    return (os.environ.get(ENDPOINT_VARIABLE) or HUB).rstrip("/")


def host() -> str:
    """Return the hub's name, as people know it."""
    return urlsplit(endpoint()).hostname or endpoint()


def fetch(model: Published, arrived: Arrived) -> Path:
    """Fetch a model and return the folder with its files; a fetch that was cut off goes on.

    Refuses, with one sentence each, what the network, the disk or a wrong hash brings about.
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
    """Start the process and give what it says; leaving the block ends it."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "clipsvd_app.network.fetching"],
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
    """Close its input, at which it leaves; a deaf one is killed."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(LEAVE_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
