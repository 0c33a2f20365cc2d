"""Reading users' tables: commas, semicolons or tabs, with or without a header line, in any encoding."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.domain.spreadsheet import plain_cell
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    Names = Mapping[str, Sequence[str]]

PATH_NAMES = ("path", "file", "filename", "filepath", "image", "imagepath", "imagename", "imagefile", "img")
# Excel reads a first line such as "sep=;" as the separator and shows no row for it.
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
# Rows looked at for each separator: enough to see how many columns there are without reading a long table
# three times.
_TRIED_ROWS = 50
_MARKS_OF_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# Control characters other than tab and line ends, of ASCII and Latin-1: in them a binary file, or text in the
# wrong encoding, shows.
_NOT_IN_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x80-\x9f]")


@dataclass(frozen=True, slots=True)
class Table:
    """Lines of a table by column.

    Requested columns have the names they were requested by, all others their own in lower case.
    ``note`` says how the file was read where that was a guess, else it is empty.
    """

    rows: tuple[dict[str, str], ...]
    columns: frozenset[str]
    note: str = ""


def read_table(
    path: Path, names: Names, needed: Sequence[str], instead: Mapping[str, str] | None = None
) -> Table:
    """Read a table and find its columns by their names.

    names: what each column may be called, letters and digits in lower case, the best first. A first line
    without any of these names is data: then the columns are ``needed``, in that order, and no others.
    instead: columns that may replace a needed one.

    Raises UserError, with the line number where there is one, for a file that is no table, for two
    differing columns that both match a name, and for lines with too many or too few cells.
    """
    text, note = _text_of(path)
    rows = _rows(path, text, {name for known in names.values() for name in known})
    if not rows:
        raise _unreadable(path, "is empty", f"Add the columns {','.join(needed)}.")
    heading = [_plain_name(cell) for cell in rows[0][1]]
    known = {name for group in names.values() for name in group}
    named = any(name in known for name in heading)
    if not named and len(rows[0][1]) != len(needed):
        raise _unreadable(
            path,
            f"has {counted(len(rows[0][1]), 'column')} and no header line",
            f"Add a header line, such as {','.join(needed)}.",
        )
    columns = [cell.strip().lower() for cell in rows[0][1]] if named else list(needed)
    heading = heading if named else [names[column][0] for column in needed]
    lines = rows[1:] if named else rows
    _refuse_uneven(path, lines, len(columns), len(needed))
    places = _places(path, heading, [cells for _, cells in lines], names)
    stands = instead or {}
    if missing := [c for c in needed if c not in places and stands.get(c) not in places]:
        raise _unreadable(
            path, f"has no column “{missing[0]}”", f"Name its columns, such as {','.join(needed)}."
        )
    for column, place in places.items():
        columns[place] = column
    found = tuple(dict(zip(columns, cells, strict=False)) for _, cells in lines)
    return Table(found, frozenset(columns), note)


def _text_of(path: Path) -> tuple[str, str]:
    """Return the text of a table, and a sentence on its encoding where that was a guess, else ""."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"The table “{path.name}” cannot be read.",
            remedy="Check that the file exists and that you have permission to read it.",
            code="table_unreadable",
        ) from error
    for encoding in _encodings(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _NOT_IN_TEXT.search(text):
            guessed = encoding == "cp1252"
            return text, f"“{path.name}” is not UTF-8; it was read as Windows-1252." if guessed else ""
    raise _unreadable(
        path, "is not a text table", "Save it as CSV in UTF-8; spreadsheets such as .xlsx are not supported."
    )


def _encodings(data: bytes) -> tuple[str, ...]:
    if data.startswith(_MARKS_OF_UTF16):
        return ("utf-16",)
    head = data[:512]
    # UTF-16 without a byte order mark: every other byte of Latin text is zero, in no other encoding most are.
    for encoding, first in (("utf-16-be", 0), ("utf-16-le", 1)):
        if head[first::2].count(0) * 2 > len(head[first::2]):
            return (encoding,)
    # Excel in western Europe writes Windows-1252; text in it is hardly ever valid UTF-8, which is tried
    # first.
    return ("utf-8-sig", "cp1252")


def _rows(path: Path, text: str, known: set[str]) -> list[tuple[int, list[str]]]:
    """Return (line number, cells) of every line that is not blank."""
    skipped = 0
    if stated := _SEPARATOR_LINE.match(text):
        text, skipped = text[stated.end() :], 1
    delimiter = stated.group(1) if stated else _delimiter(text, known)
    found = []
    # A bare carriage return ends lines too, as old spreadsheets of the Mac write them.
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            row = [plain_cell(cell.strip()) for cell in cells]
            if any(row):
                found.append((reader.line_num + skipped, row))
    except csv.Error as error:
        raise _unreadable(
            path,
            f"has a misplaced quotation mark near line {reader.line_num + skipped}",
            "Enclose cells with commas, quotation marks or line breaks in quotation marks, and"
            " double the marks inside.",
        ) from error
    return found


def _delimiter(text: str, known: set[str]) -> str:
    """Return the separator that finds most names in the first line, then the one that gives most columns."""
    # max keeps the first of equals: commas also are decimal marks, tabs nearly never anything else.
    return max("\t;,", key=lambda mark: _fit(text, mark, known))


def _fit(text: str, delimiter: str, known: set[str]) -> tuple[int, int]:
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) == _TRIED_ROWS:
                break
    except csv.Error:
        return -1, -1
    if not rows:
        return 0, 0
    return sum(_plain_name(cell) in known for cell in rows[0]), min(len(row) for row in rows)


def _plain_name(cell: str) -> str:
    """Return a heading without case, blanks and marks, so that “Patient ID” is patient_id and PatientID."""
    return "".join(letter for letter in cell.casefold() if letter.isalnum())


def _refuse_uneven(path: Path, lines: Sequence[tuple[int, list[str]]], columns: int, fewest: int) -> None:
    for number, cells in lines:
        if len(cells) < fewest:
            raise _unreadable(
                path,
                f"has fewer than {counted(fewest, 'cell')} in line {number}",
                "Every line needs a cell for every column, even if empty.",
            )
        if any(cells[columns:]):
            raise _unreadable(
                path,
                f"has more cells in line {number} than there are columns",
                "Enclose cells that contain a comma, such as decimal numbers, in quotation marks.",
            )


def _places(
    path: Path, heading: Sequence[str], lines: Sequence[Sequence[str]], names: Names
) -> dict[str, int]:
    """Return the place of each column that was asked for and is there.

    Two columns that group the lines in the same way, such as a number and a name for each class, do not
    contradict each other: the one with the better name is taken. Of path columns, the one that tells most
    images apart is taken.
    """
    places = {}
    for column, known in names.items():
        found = sorted((known.index(name), at) for at, name in enumerate(heading) if name in known)
        parted = {_parts(lines, at): at for _, at in reversed(found)}
        if len(parted) > 1 and column == "path" and len(finest := _finest(parted)) == 1:
            places[column] = finest[0]
            continue
        if len(parted) > 1:
            raise _unreadable(
                path,
                f"has {len(found)} different columns that could be the {column}",
                f"Keep one of them, named {known[0]}.",
            )
        if found:
            places[column] = found[0][1]
    return places


def _parts(lines: Sequence[Sequence[str]], place: int) -> tuple[int, ...]:
    seen: dict[str, int] = {}
    return tuple(seen.setdefault(cells[place] if place < len(cells) else "", len(seen)) for cells in lines)


def _finest(parted: Mapping[tuple[int, ...], int]) -> list[int]:
    """Return the columns that distinguish all lines that any other does: a path among file names."""
    return [
        place
        for parts, place in parted.items()
        if all(len(set(parts)) == len(set(zip(parts, other, strict=True))) for other in parted)
    ]


def _unreadable(path: Path, what: str, remedy: str) -> UserError:
    return UserError(f"The table “{path.name}” {what}.", remedy=remedy, code="table_unreadable")
