from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

import clipsvd_app
from clipsvd_app.domain.spreadsheet import csv_text, plain_cell, safe_cell
from clipsvd_app.errors import UserError
from clipsvd_app.services.files.tables import PATH_NAMES, read_table

NAMES = {"path": PATH_NAMES, "class": ("class", "label")}
ROWS = [("a.png", "Ödem"), ("b.png", 'says "no", twice\nor more')]


def read(tmp_path: Path, data: bytes):
    table = tmp_path / "t.csv"
    table.write_bytes(data)
    return read_table(table, NAMES, ("path", "class"))


def pairs(found) -> list[tuple[str, str]]:
    return [(row["path"], row["class"]) for row in found.rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("heading", [("path", "class"), None, ("File name", "Label")])
def test_a_table_is_read_however_it_was_saved(tmp_path: Path, encoding, delimiter, heading) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([heading, *ROWS] if heading else ROWS)
    found = read(tmp_path, out.getvalue().encode(encoding))
    assert pairs(found) == ROWS
    assert ("Windows-1252" in found.note) == (encoding == "cp1252")


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\nclass;age;path\ncyst;50,5;a.png\n",
        "class;age;path\ncyst;50,5;a.png\n",
        'age,class,path\n"50,5",cyst,a.png\n',
        "PATH\tage\tClass\r\na.png\t50,5\tcyst\r\n\r\n",
        "class,file,path\rcyst,a.png,a.png\r",
        "path,class,note\na.png,cyst\n",
        "path,class\na.png,cyst,,\n",
        "path,class,label\na.png,cyst,1\n",
    ],
)
def test_columns_go_by_their_names_in_any_order(tmp_path: Path, text: str) -> None:
    assert pairs(read(tmp_path, text.encode())) == [("a.png", "cyst")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("path,finding\na.png,cyst\n", "no column “class”"),
        ("a.png,cyst,7\n", "3 columns and no header line"),
        (
            "path,class,class\na.png,cyst,mass\nb.png,cyst,cyst\n",
            "2 different columns that could be the class",
        ),
        ("path,class\na.png,cyst,left\n", "more cells in line 2"),
        ("path,class\na.png,cyst\nb.png\n", "fewer than 2 cells in line 3"),
        ('path,class\n"a.png,cyst\nb.png,mass\n', "quotation mark"),
        ("PK\x03\x04 an xlsx \x00\x01", "not a text table"),
    ],
)
def test_a_table_that_could_mean_two_things_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as refused:
        read(tmp_path, text.encode())
    assert refused.value.remedy


def test_the_path_with_folders_is_taken_before_the_bare_name(tmp_path: Path) -> None:
    found = read(tmp_path, b"file,path,class\n1.png,P1/1.png,cyst\n1.png,P2/1.png,mass\n")
    assert pairs(found) == [("P1/1.png", "cyst"), ("P2/1.png", "mass")]


@pytest.mark.parametrize("mark", ["=", "+", "-", "@", "\t", "\r", "\uff1d", "'=", "''@"])
def test_no_text_is_a_formula_and_every_text_is_read_back(mark: str) -> None:
    text = f"{mark}HYPERLINK(1)"
    written = safe_cell(text)
    assert str(written).startswith("'")
    assert plain_cell(str(written)) == text
    assert plain_cell("'quoted'") == safe_cell("'quoted'") == "'quoted'"


def test_numbers_stay_numbers() -> None:
    assert csv_text([(-1.5, "-0.25", "+3", "-2e-05", "-12 %")]) == "-1.5,-0.25,+3,-2e-05,-12 %\r\n"


def test_tables_are_written_in_one_place_only() -> None:
    root = Path(clipsvd_app.__file__).parent
    writers = {
        file.relative_to(root).as_posix()
        for file in root.rglob("*.py")
        if "csv.writer" in file.read_text(encoding="utf-8")
        or "DictWriter" in file.read_text(encoding="utf-8")
    }
    assert writers == {"domain/spreadsheet.py"}
