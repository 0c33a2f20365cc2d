"""``clipsvd add --classes-from-folders``: what the window's tick does."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from clipsvd_app.cli import main
from clipsvd_app.project import open_project


@pytest.fixture
def dataset(tmp_path):
    for place, name in enumerate(("benign", "normal", "masks", "scout")):
        (tmp_path / "set" / name).mkdir(parents=True)
        pixels = np.random.default_rng(place).integers(0, 256, (16, 16), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "set" / name / "1.png")
    assert main(["new", str(tmp_path / "p.clipsvd"), "--class", "Benign", "--quiet"]) == 0
    return tmp_path


def run(capsys, *arguments) -> dict:
    capsys.readouterr()
    assert main([*map(str, arguments), "--json", "--quiet"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_folders_become_classes_and_masks_are_counted_as_left_out(dataset, capsys):
    add = ("add", dataset / "p.clipsvd", dataset / "set", "--classes-from-folders", "--without", "scout")
    assert run(capsys, *add, "--dry-run")["labelled"] == {"benign": 1, "normal": 1}
    with open_project(dataset / "p.clipsvd") as project:
        assert project.images() == ()
    answer = run(capsys, *add)
    assert answer["labelled"] == {"benign": 1, "normal": 1}
    assert (answer["found"], answer["accepted"], answer["left_out"]) == (4, 2, {"not_chosen": 2})
    with open_project(dataset / "p.clipsvd") as project:
        assert [known.name for known in project.classes()] == ["Benign", "normal"]
        assert all(image.class_id is not None for image in project.images())


@pytest.mark.parametrize(
    ("more", "said"), [(("--without", "nope"), "no folder “nope”"), ((), "look like classes")]
)
def test_what_does_not_fit_is_refused_in_a_sentence(dataset, capsys, more, said):
    paths = (dataset / "set",) if more else (dataset / "set" / "benign",)
    arguments = ("add", dataset / "p.clipsvd", *paths, "--classes-from-folders", *more)
    assert main(list(map(str, arguments))) == 1
    assert said in capsys.readouterr().err
    with open_project(dataset / "p.clipsvd") as project:
        assert project.images() == ()
