"""Files that the user asks for: places refused before the work, lines that can be traced to their files."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import pytest

from clipsvd_app.cli.main import main
from clipsvd_app.errors import UserError
from clipsvd_app.services.adapters import application
from clipsvd_app.services.adapters.application import FilePrediction, list_files, write_csv
from clipsvd_app.services.files.outputs import require_file, require_folder, write_whole


@pytest.fixture
def new(picture, tmp_path: Path) -> Path:
    for patient in range(2):
        for number in range(2):
            picture(tmp_path / "new" / f"P{patient}" / "a" / f"{number}.png", 10 * patient + number)
    return tmp_path / "new"


def test_a_place_that_cannot_take_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "there.csv").write_text("mine")
    for place, words in (
        ("there.csv", "already exists"),
        ("no/a.csv", "no folder “no”"),
        (".", "is a folder"),
    ):
        with pytest.raises(UserError, match=words) as refused:
            require_file(tmp_path / place, overwrite=False)
        assert refused.value.remedy
    with pytest.raises(UserError, match="already exists"):
        require_folder(tmp_path, overwrite=False)
    require_file(tmp_path / "there.csv", overwrite=True)
    require_file(tmp_path / "new.csv", overwrite=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there.csv"]


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.csv", b"one")
    write_whole(tmp_path / "a.csv", b"two")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.csv", b"two")]
    with pytest.raises(UserError, match="cannot be written"):
        write_whole(tmp_path / "no" / "a.csv", b"one")


COMMANDS = (
    ("predict", "in", "--adapter", "a.sigma.safetensors", "--csv"),
    ("labels", "p.clipsvd", "--out"),
    ("image", "in", "--png"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_replaces_a_file_unasked(tmp_path: Path, capsys, command: tuple[str, ...]) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("path,class\n")
    assert main([*command, str(mine)]) == 1
    assert "already exists" in capsys.readouterr().err
    assert mine.read_text() == "path,class\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_that_is_not_there_is_said_before_the_work(tmp_path: Path, capsys, command) -> None:
    assert main([*command, str(tmp_path / "nowhere" / "out.csv")]) == 1
    assert "no folder “nowhere”" in capsys.readouterr().err


def shown(paths: list[Path]) -> list[str]:
    return sorted(file.shown() for file in list_files(paths))


def test_every_file_has_a_place_of_its_own(new: Path, monkeypatch) -> None:
    everything = ["P0/a/0.png", "P0/a/1.png", "P1/a/0.png", "P1/a/1.png"]
    assert shown([new]) == everything
    assert shown([new / "P0" / "a" / "0.png"]) == ["0.png"]
    monkeypatch.chdir(new.parent)
    assert shown([Path("new/P0"), Path("new/P1")]) == [f"new/{place}" for place in everything]
    assert shown([Path("new"), Path("new/P1/a/0.png")]) == everything


def test_files_of_an_archive_stand_by_their_place_in_it(new: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.write(new / "P0" / "a" / ("0.png" if name == "one" else "1.png"), "x/0.png")
    assert shown([tmp_path / "one.zip"]) == ["x/0.png"]
    places = shown([tmp_path / "one.zip", tmp_path / "two.zip"])
    assert [place.endswith(f"{name}.zip/x/0.png") for place, name in zip(places, ("one", "two"), strict=True)]
    assert len(set(places)) == 2


@pytest.mark.parametrize("form", application.PATH_FORMS)
def test_a_saved_table_names_files_as_asked(new: Path, tmp_path: Path, form: application.PathForm) -> None:
    rows = [FilePrediction(file, (0.4, 0.6), (0.5, 0.5)) for file in list_files([new])]
    write_csv(rows, ("=cyst", "mass"), tmp_path / "out.csv", form)
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    found = [line["file"] for line in lines]
    assert len(set(found)) == (2 if form == "name" else 4)
    if form == "absolute":
        assert all(Path(path).is_file() for path in found)
    assert {line["predicted"] for line in lines} == {"mass"}


def test_a_class_that_begins_like_a_formula_is_safe(new: Path, tmp_path: Path) -> None:
    (file, *_) = list_files([new])
    write_csv([FilePrediction(file, (0.9, 0.1), (0.5, 0.5))], ("=cyst", "mass"), tmp_path / "out.csv")
    assert ",'=cyst,0.9000," in (tmp_path / "out.csv").read_text()
