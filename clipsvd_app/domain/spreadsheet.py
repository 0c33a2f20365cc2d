"""Cells of a CSV file as spreadsheets may open it: none of them is taken for a formula."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# What Excel, LibreOffice and Google Sheets start a formula with; wide forms are the keyboard's in East Asia.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s?%?")


def csv_text(rows: Iterable[Sequence[object]], line_end: str = "\r\n") -> str:
    """Return rows as CSV (RFC 4180); texts that would be formulas start with an apostrophe."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=line_end).writerows([safe_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def safe_cell(cell: object) -> object:
    """Return a cell that no spreadsheet computes; numbers stay as they are."""
    if isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def plain_cell(text: str) -> str:
    """Return what a cell held before ``safe_cell``."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
