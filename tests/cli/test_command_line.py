from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.dicom_variants import described

from clipsvd_app import __version__
from clipsvd_app.cli import main
from clipsvd_app.project import open_project

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Two classes with three pictures each."""
    random = np.random.default_rng(5)
    for name in ("cyst", "mass"):
        for number in range(3):
            path = tmp_path / "in" / name / f"{name}_{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = random.integers(0, 256, (9, 8), dtype=np.uint8)
            Image.fromarray(pixels).resize((64, 72), Image.Resampling.BICUBIC).save(path)
    return tmp_path / "in"


@pytest.fixture
def ct_folder(tmp_path: Path) -> Path:
    """Four slices 2 mm apart, of which one was lost."""
    folder = tmp_path / "ct"
    folder.mkdir()
    for number, place in enumerate((0, 2, 6, 8)):
        dataset = described(np.full((1, 8, 8), number, np.uint16))
        dataset.Modality, dataset.SOPInstanceUID = "CT", f"1.2.{number}"
        dataset.ImagePositionPatient = ["0", "0", str(place)]
        dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
        dataset.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    return folder


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def document(capsys, *arguments: object) -> dict:
    code, out, _ = run(capsys, *arguments, "--json")
    assert code == 0
    return json.loads(out)


def test_the_way_from_new_to_label_prints_one_document_each(capsys, folders: Path, tmp_path: Path) -> None:
    project = tmp_path / "p.clipsvd"
    made = document(capsys, "new", project, "--class", "cyst=a black round cyst", "--class", "mass")
    assert made["classes"][0] == {"name": "cyst", "prompts": ["a black round cyst"]}
    assert len(made["backbone"]["sha256"]) == 64
    added = document(capsys, "add", project, folders)
    assert (added["accepted"], added["refused"]) == (6, [])
    assert document(capsys, "label", project, "--from-folders")["labelled"] == {"cyst": 3, "mass": 3}
    assert document(capsys, "runs", project) == {"runs": []}


def test_series_are_listed_with_their_flags(capsys, ct_folder: Path, tmp_path: Path) -> None:
    listed = document(capsys, "series", ct_folder)
    (series,) = listed["series"]
    assert (series["modality"], series["slices"], series["spacing_mm"]) == ("CT", 4, 2.0)
    assert series["is_volume"] is False
    (flag,) = series["flags"]
    assert (flag["code"], flag["count"]) == ("missing_slices", 1)
    project = tmp_path / "p.clipsvd"
    run(capsys, "new", project)
    added = document(capsys, "add", project, ct_folder)
    assert added["series"][0]["flags"] == [flag]


def test_flags_are_said_to_people_too(capsys, ct_folder: Path, tmp_path: Path) -> None:
    run(capsys, "new", tmp_path / "p.clipsvd")
    code, out, err = run(capsys, "add", tmp_path / "p.clipsvd", ct_folder)
    assert code == 0
    assert "4 images" in out
    assert "flag: CT series of 4 images: 1 slice is missing" in err


def test_an_image_says_what_it_lacks_as_a_series(capsys, ct_folder: Path) -> None:
    facts = document(capsys, "image", next(ct_folder.iterdir()))
    assert (facts["object_name"], facts["overlays"], facts["flags"]) == ("", 0, [])


def test_a_table_labels_too(capsys, folders: Path, tmp_path: Path) -> None:
    project = tmp_path / "p.clipsvd"
    run(capsys, "new", project)
    run(capsys, "add", project, folders)
    table = tmp_path / "labels.csv"
    table.write_text("path,class\nin/cyst/cyst_0.png,round\nnone.png,round\n")
    said = document(capsys, "label", project, "--csv", table)
    assert (said["labelled"], said["unmatched"]) == ({"round": 1}, ["none.png"])


def test_patients_are_told_apart_as_asked(capsys, folders: Path, tmp_path: Path) -> None:
    project = tmp_path / "p.clipsvd"
    run(capsys, "new", project)
    assert document(capsys, "add", project, folders, "--patient-from", "folder")["patients"] == 2
    with open_project(project) as opened:
        assert len({image.patient_key for image in opened.images()}) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "gone.clipsvd", "x.png"), "no project"),
        (("add", ".", "x.png"), "folder"),
        (("runs", "pyproject.toml"), "not a CLIP-SVD project"),
        (("image", "gone.dcm"), "gone.dcm"),
        (("image", "."), ""),
        (("image", "pyproject.toml"), "pyproject.toml"),
        (("new", "{tmp}/a.clipsvd", "--backbone", "nothing"), "no backbone"),
        (("new", "{tmp}/a.clipsvd", "--class", " "), "needs a name"),
        (("adapter", "show", "gone.sigma.safetensors"), "gone"),
        (("adapter", "show", "."), ""),
        (("adapter", "show", "pyproject.toml"), ""),
        (("predict", "x.png", "--adapter", "pyproject.toml"), ""),
        (("backbones", "add", "gone"), "gone"),
        (("backbones", "remove", "demo"), "bundled"),
        (("bench", "fewshot", "gone", "--shots", "1"), "gone"),
    ],
)
def test_a_mistake_of_the_user_costs_one_line_and_exit_code_1(
    capsys, tmp_path: Path, monkeypatch, arguments, words
) -> None:
    monkeypatch.chdir(REPOSITORY)
    filled = [argument.replace("{tmp}", str(tmp_path)) for argument in arguments]
    code, out, err = run(capsys, *filled, "--json")
    assert code == 1
    assert out == ""
    line = err.strip()
    assert "\n" not in line
    assert line.startswith("clipsvd: ")
    assert words in line
    assert "Traceback" not in line


def test_training_without_a_run_or_labels_names_what_is_missing(
    capsys, folders: Path, tmp_path: Path
) -> None:
    project = tmp_path / "p.clipsvd"
    run(capsys, "new", project, "--class", "cyst")
    assert "no images" in run(capsys, "train", project)[2]
    run(capsys, "add", project, folders)
    code, _, err = run(capsys, "train", project)
    assert code == 1
    assert "two classes" in err
    for command in (("explain", project), ("export", project, "--run", "1", "--out", tmp_path / "x")):
        code, _, err = run(capsys, *command)
        assert code == 1
        assert "Train first" in err


@pytest.mark.parametrize("arguments", [(), ("paint",), ("add",), ("train", "p", "--preset", "slow")])
def test_wrong_usage_is_exit_code_2(capsys, arguments) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_the_version_is_the_programs(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert __version__ in capsys.readouterr().out


def test_an_image_is_described_and_written(capsys, folders: Path, tmp_path: Path) -> None:
    picture = folders / "cyst" / "cyst_0.png"
    facts = document(capsys, "image", picture, "--png", tmp_path / "out.png")
    assert (facts["rows"], facts["columns"], facts["frames"]) == (72, 64, 1)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), np.asarray(Image.open(picture)))


def test_the_embedded_backbone_is_listed(capsys) -> None:
    (entry, *_) = document(capsys, "backbones", "list")["backbones"]
    assert (entry["name"], entry["embedded"]) == ("demo", True)
    assert re.fullmatch("[0-9a-f]{64}", entry["sha256"])


def test_every_command_is_documented() -> None:
    from clipsvd_app.cli.main import parser

    text = (REPOSITORY / "README.md").read_text(encoding="utf-8") + (
        REPOSITORY / "docs" / "command-line.md"
    ).read_text(encoding="utf-8")
    (commands,) = [action for action in parser()._actions if action.dest == "==SUPPRESS=="] or [
        action for action in parser()._actions if hasattr(action, "choices") and action.choices
    ]
    for name in commands.choices:
        assert f"clipsvd {name}" in text
