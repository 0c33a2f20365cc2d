"""Untrusted text: what a document may contain, and how it is shown."""

from __future__ import annotations

import re
import unicodedata

# Control characters, direction marks, line separators, surrogates and byte order marks: with them a name
# could look like another one, or add lines to a card. Joiners are allowed, as some scripts need them.
HIDDEN = r"\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff"
_HIDDEN = re.compile(f"[{HIDDEN}]")


def plain(text: str) -> str:
    """Return text to display: on one line, without any control, format or direction character."""
    kept = "".join(" " if unicodedata.category(mark)[0] in "CZ" else mark for mark in text)
    return " ".join(kept.split())


def one_line(text: str) -> str:
    """Return text for a document: on one line, hidden characters replaced by blanks."""
    return " ".join(_HIDDEN.sub(" ", text).split())
