"""Tables that people bring: CSV with commas, semicolons or tabs, with or without a line of names."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FIRST_NAMES = frozenset({"path", "file", "image", "sha256"})


def read_table(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Return the lines of a table by column name, in lower case; without names they are ``columns``.

    Raises UserError for a file that is no UTF-8 table or has a line with fewer cells than ``columns``.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            first = stream.readline()
            stream.seek(0)
            found = csv.reader(stream, delimiter=_delimiter(first))
            rows = [[cell.strip() for cell in row] for row in found if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            f"The table “{path.name}” cannot be read.",
            remedy=f"Give a UTF-8 CSV file with the columns {','.join(columns)}.",
            code="table_unreadable",
        ) from error
    if any(len(row) < len(columns) for row in rows):
        raise UserError(
            f"The table “{path.name}” has a line with fewer than {len(columns)} columns.",
            remedy=f"Every line needs {','.join(columns)}.",
            code="table_unreadable",
        )
    named = bool(rows) and rows[0][0].lower() in _FIRST_NAMES
    names = [cell.lower() for cell in rows[0]] if named else list(columns)
    return [dict(zip(names, row, strict=False)) for row in rows[named:]]


def _delimiter(line: str) -> str:
    """Return what parts the cells of the first line: a semicolon where Excel speaks German or French."""
    return max(",;\t", key=line.count)
