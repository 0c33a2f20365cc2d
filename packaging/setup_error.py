"""What can go wrong while setting up, each in one sentence with its remedy."""

from __future__ import annotations

import re
from dataclasses import dataclass


class SetupError(Exception):
    """Set-up cannot go on; the user can mend it."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class _Cause:
    pattern: re.Pattern[str]
    message: str
    remedy: str


def _cause(pattern: str, message: str, remedy: str) -> _Cause:
    return _Cause(re.compile(pattern, re.IGNORECASE), message, remedy)


# In this order: without a network pip ends with "No matching distribution" too.
_CAUSES = (
    _cause(
        r"No space left on device|\[Errno 28\]|not enough (free )?space",
        "The disk is full.",
        "Free at least 6 GB where this folder, the temporary folder and pip's cache lie, then run it again.",
    ),
    _cause(
        r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError",
        "The package registry's certificate is not trusted here.",
        "Set PIP_CERT to your institution's certificate file (ask your IT department), then run it again.",
    ),
    _cause(
        r"name resolution|getaddrinfo failed|NewConnectionError|NameResolutionError|Network is unreachable"
        r"|Connection refused|ConnectTimeout|ReadTimeout|ProxyError"
        r"|Name or service not known|nodename nor servname"
        r"|Connection broken|ConnectionResetError",
        "The package registry cannot be reached.",
        "Check the network (behind a proxy, set HTTPS_PROXY), then run it again.",
    ),
    _cause(
        r"No matching distribution found for (?P<what>\S+)",
        "There is no {what} for this Python and system.",
        "Use Python 3.11, 3.12 or 3.13 in 64 bit, delete the folder .venv, then run it again.",
    ),
    _cause(
        r"Permission denied|\[Errno 13\]|\[WinError 5\]|Access is denied",
        "A file of the set-up cannot be written.",
        "Close every program that uses .venv, check that this folder is yours, then run it again.",
    ),
)


def diagnose(log: str) -> SetupError:
    """Say in one sentence why pip failed, judged by its output."""
    for cause in _CAUSES:
        found = cause.pattern.search(log)
        if found is not None:
            return SetupError(cause.message.format(**found.groupdict()), remedy=cause.remedy)
    return SetupError(
        f"The packages could not be installed: {_last_error(log)}",
        remedy="Read .venv/setup.log; deleting the folder .venv and running it again starts afresh.",
    )


def _last_error(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["pip said nothing."])[-1]
