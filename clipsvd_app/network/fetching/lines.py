"""The request to the fetching process, and the lines of its answer."""

from __future__ import annotations

from clipsvd_app.domain.records import Record, from_text, to_text
from clipsvd_app.network.fetching.published import Published


class FetchRequest(Record):
    """Fetch a model into ``folder``, from the hub at ``endpoint``."""

    published: Published
    folder: str
    endpoint: str


class FetchProgress(Record, tag_field="event", tag="progress"):
    """How many of all bytes have arrived; sent several times a second, also while nothing arrives."""

    file: str
    done_bytes: int
    total_bytes: int


class FetchDone(Record, tag_field="event", tag="done"):
    """Every file is in the folder and has the right hash."""


class FetchFailed(Record, tag_field="event", tag="failed"):
    """Why the fetch failed, in one sentence with a remedy; what has arrived is kept."""

    code: str
    message: str
    remedy: str


FetchEvent = FetchProgress | FetchDone | FetchFailed


def encode(message: FetchEvent | FetchRequest) -> str:
    """Return one JSON line, newline included."""
    return to_text(message) + "\n"


def decode_request(line: str) -> FetchRequest:
    """Read a request; ValueError if it is none."""
    return from_text(FetchRequest, line)


def decode_event(line: str) -> FetchEvent:
    """Read one line of the fetching process; ValueError if it is none."""
    event: FetchEvent = from_text(FetchEvent, line)
    return event
