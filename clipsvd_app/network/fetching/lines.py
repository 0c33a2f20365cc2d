"""What the fetching process is asked, and the lines that it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from clipsvd_app.domain.codec import from_json, to_json
from clipsvd_app.jobs.parsing import json_object, pick
from clipsvd_app.network.fetching.published import Published


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """Fetch a model into ``folder``, from the hub at ``endpoint``."""

    published: Published
    folder: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """How many of all bytes are here; told several times a second, also while nothing arrives."""

    file: str
    done_bytes: int
    total_bytes: int
    event: Literal["progress"] = "progress"


@dataclass(frozen=True, slots=True)
class FetchDone:
    """Every file is in the folder and has the hash that it should have."""

    event: Literal["done"] = "done"


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """Why it ended, in one sentence with a remedy; what has arrived stays."""

    code: str
    message: str
    remedy: str
    event: Literal["failed"] = "failed"


FetchEvent = FetchProgress | FetchDone | FetchFailed
_EVENTS: dict[str, type[FetchEvent]] = {
    "progress": FetchProgress,
    "done": FetchDone,
    "failed": FetchFailed,
}


def encode(message: FetchEvent | FetchRequest) -> str:
    """Return one JSON line, newline included."""
    return json.dumps(to_json(message), separators=(",", ":")) + "\n"


def decode_request(line: str) -> FetchRequest:
    """Read what is asked; CodecError if it is no request."""
    return from_json(FetchRequest, json_object(line))


def decode_event(line: str) -> FetchEvent:
    """Read one line of the fetching process; CodecError if it is none."""
    value = json_object(line)
    return from_json(pick(_EVENTS, value.get("event")), value)
