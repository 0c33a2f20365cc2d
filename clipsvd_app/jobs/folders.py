"""A job as a folder: ``request.json`` goes in, ``result.json`` and files come out, some of it earlier."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from clipsvd_app.domain.records import from_text, to_text
from clipsvd_app.domain.results.evaluation import Evaluation
from clipsvd_app.files import write_whole
from clipsvd_app.jobs.requests import Request

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
REQUEST_FILE, INTERIM_FILE, RESULT_FILE = "request.json", "interim.json", "result.json"
CURVE_FILE = "metrics.jsonl"
"""Every step of a training as it is taken: stage, done, total and what was measured."""


def write_request(folder: Path, request: Request) -> None:
    """Write ``request.json`` into a job folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / REQUEST_FILE).write_text(to_text(request), encoding="utf-8")


def read_request(folder: Path) -> Request:
    """Read ``request.json`` of a job folder."""
    request: Request = from_text(Request, (folder / REQUEST_FILE).read_bytes())
    return request


def forget_request(folder: Path) -> None:
    """Delete ``request.json``: it says where images lie, and nobody needs it once it was read."""
    (folder / REQUEST_FILE).unlink(missing_ok=True)


def write_result(folder: Path, result: object) -> None:
    """Write ``result.json`` whole or not at all; a result that could not be read again raises ValueError."""
    text = to_text(result).encode()
    # A number that is not finite is written as null; better no result than one that nobody can read.
    from_text(type(result), text)
    # Its presence means that the job is finished, so half of it must never be seen.
    write_whole(folder / RESULT_FILE, text)


def read_result(folder: Path, kind: type[T]) -> T:
    """Read ``result.json`` of a job folder as ``kind``."""
    return from_text(kind, (folder / RESULT_FILE).read_bytes())


def write_interim(folder: Path, evaluation: Evaluation) -> None:
    """Write ``interim.json`` whole or not at all: what a training knows before it is done."""
    write_whole(folder / INTERIM_FILE, to_text(evaluation).encode())


def read_interim(folder: Path) -> Evaluation:
    """Read what a training knows so far."""
    return from_text(Evaluation, (folder / INTERIM_FILE).read_bytes())
