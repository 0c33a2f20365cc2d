"""Standard output and errors that take any text, whatever code page they were opened with."""

from __future__ import annotations

import codecs
import io
import os
import sys

# What the program itself writes beyond ASCII, for code pages that lack it.
_PLAIN = {
    "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "−": "-", "…": "...", "·": ".", "×": "x",
    "✓": "+", "✗": "x", "─": "-", "│": "|", "→": "->", "≥": ">=", "≤": "<=", "±": "+-",
    "\N{NO-BREAK SPACE}": " ",
}  # fmt: skip
_HANDLER = "clipsvd-plain"


def use_readable_streams() -> None:
    """Let no character end the program: plain forms of our own signs, escapes of what else does not fit.

    A program without a console (pythonw) has no streams at all and gets silent ones.
    """
    codecs.register_error(_HANDLER, _plain)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - for good
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def is_unicode(stream: object) -> bool:
    """Tell whether a stream writes Unicode; one in memory does."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return codecs.lookup(encoding).name.startswith("utf")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    plain = (_PLAIN.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in text)
    return "".join(plain), error.end
