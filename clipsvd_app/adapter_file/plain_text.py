"""Text from strangers: what may stand in a document, and how it is shown."""

from __future__ import annotations

import re
import unicodedata

# Control characters, marks that turn the reading direction, line separators, surrogates, byte order marks.
# A document may hold none of them; joiners that some scripts need are not among them.
HIDDEN = r"\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff"
_HIDDEN = re.compile(f"[{HIDDEN}]")


def plain(text: str) -> str:
    """Return text for showing: on one line, without any control, format or direction character."""
    kept = "".join(" " if unicodedata.category(mark)[0] in "CZ" else mark for mark in text)
    return " ".join(kept.split())


def one_line(text: str) -> str:
    """Return text as a document may hold it: on one line, hidden characters replaced by blanks."""
    return " ".join(_HIDDEN.sub(" ", text).split())
