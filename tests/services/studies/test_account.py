"""Found is taken, known already and left out by reason, in window, command line and --json alike."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from support.films import ct_slices
from support.zip_files import Entry, zip_of

from clipsvd_app.cli import main
from clipsvd_app.domain.account import Account
from clipsvd_app.errors import UserError
from clipsvd_app.imaging.files.discovery import look_through
from clipsvd_app.project import create_project
from clipsvd_app.services.adapters.application import list_files, not_read
from clipsvd_app.services.studies import import_plan
from clipsvd_app.services.studies.found_files import read_files
from clipsvd_app.services.studies.import_plan import apply_import, left_out_words, plan_import, summary
from clipsvd_app.ui.importer.controller import outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# How many images, or files that are none, each kind of thing makes.
KINDS: dict[str, Callable[[Path, int], int]] = {}


def kind(make: Callable[[Path, int], int]) -> Callable[[Path, int], int]:
    KINDS[make.__name__] = make
    return make


def png(seed: int) -> bytes:
    from io import BytesIO

    made = BytesIO()
    Image.new("L", (9, 9), seed % 251).save(made, "PNG")
    return made.getvalue() + seed.to_bytes(8, "big")


@kind
def picture(folder: Path, number: int) -> int:
    (folder / f"{number}.png").write_bytes(png(number))
    return 1


@kind
def copied(folder: Path, number: int) -> int:
    for name in ("a", "b"):
        (folder / f"{number}{name}.png").write_bytes(png(number))
    return 2


@kind
def hard_link(folder: Path, number: int) -> int:
    (folder / f"{number}.png").write_bytes(png(number))
    os.link(folder / f"{number}.png", folder / f"{number}-link.png")
    return 2


@kind
def tiff_of_pages(folder: Path, number: int) -> int:
    pages = [Image.new("L", (9, 9), (number * 7 + page) % 251) for page in range(number % 4 + 1)]
    pages[0].save(folder / f"{number}.tiff", save_all=True, append_images=pages[1:])
    return len(pages)


@kind
def series(folder: Path, number: int) -> int:
    ct_slices(folder / f"ct{number}", [0, 1, 2], SeriesInstanceUID=f"1.2.{number + 1}")
    return 3


@kind
def segmentation(folder: Path, number: int) -> int:
    ct_slices(folder / f"seg{number}", [0], Modality="SEG")
    return 1


@kind
def text(folder: Path, number: int) -> int:
    (folder / f"{number}.txt").write_text("words")
    return 1


@kind
def broken(folder: Path, number: int) -> int:
    (folder / f"{number}.dcm").write_bytes(b"" if number % 2 else b"\x00" * 128 + b"DICM")
    return 1


@kind
def hidden(folder: Path, number: int) -> int:
    (folder / f".{number}.png").write_bytes(png(number))
    (folder / f"._{number}.png").write_bytes(b"x")
    return 2


@kind
def dangling(folder: Path, number: int) -> int:
    (folder / f"{number}.png").symlink_to(folder / "nowhere.png")
    return 1


@kind
def archive(folder: Path, number: int) -> int:
    members = [
        Entry(b"a/1.png", png(number)),
        Entry(b"a/1.png", png(number + 1)),
        Entry(b"A/1.PNG", png(number)),
        Entry(b"bad.png", png(number), crc=1),
        Entry(b"secret.png", png(number), flags=1),
        Entry(b"__MACOSX/._1.png", b"x"),
        Entry(b"../out.png", png(number)),
        Entry(b"a/"),
    ]
    (folder / f"{number}.zip").write_bytes(zip_of(*members))
    return 7


@kind
def broken_archive(folder: Path, number: int) -> int:
    (folder / f"{number}.zip").write_bytes(zip_of(Entry(b"%d" % number))[:-25])
    return 1


MIXTURES = st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 5)), min_size=1, max_size=6)


@settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(mixture=MIXTURES)
def test_the_account_adds_up_for_any_mixture(tmp_path, mixture):
    shutil.rmtree(tmp_path / "m", ignore_errors=True)
    there = 0
    for place, (name, number) in enumerate(mixture):
        folder = tmp_path / "m" / "in" / str(place)
        folder.mkdir(parents=True)
        there += KINDS[name](folder, number)
    with create_project(tmp_path / "m" / "p") as project:
        if {name for name, _ in mixture} <= {"text", "hidden"}:
            with pytest.raises(UserError, match="No image files"):
                plan_import(project, [tmp_path / "m" / "in"])
            return
        plan = plan_import(project, [tmp_path / "m" / "in"])
        assert plan.account.found == there
        assert plan.account.taken == len(plan.images)
        assert plan.account.known == 0
        project.apply(apply_import(project, plan))
        assert len(project.images()) == plan.account.taken
        again = plan_import(project, [tmp_path / "m" / "in"]).account
        assert (again.found, again.taken) == (there, 0)
        assert again.known == plan.account.taken + plan.account.left_out.get("copy", 0)


def test_an_account_that_does_not_add_up_cannot_be_made():
    with pytest.raises(AssertionError):
        Account(5, 2, 1, {"damaged": 1})


def test_window_command_line_and_json_say_the_same(tmp_path, capsys, project):
    folder = tmp_path / "in"
    folder.mkdir()
    for number, make in enumerate((picture, copied, text, hidden, broken, archive)):
        make(folder, 10 * number + 1)
    plan = plan_import(project, [folder])
    notice = outcome(plan)
    assert main(["new", str(tmp_path / "q.clipsvd"), "--quiet"]) == 0
    capsys.readouterr()
    assert main(["add", str(tmp_path / "q.clipsvd"), str(folder), "--quiet", "--json"]) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["found"] == document["accepted"] + document["known"] + sum(document["left_out"].values())
    assert document["left_out"] == plan.account.left_out
    assert document["found"] == plan.account.found == 14
    assert notice.message == summary(plan)
    assert left_out_words(plan) in notice.remedy
    assert f"note: {left_out_words(plan)}" in said.err.splitlines()
    assert all(f"refused: {item.sentence}" in said.err.splitlines() for item in plan.refused)


def test_frames_beyond_what_a_file_may_give_are_counted(tmp_path, project, monkeypatch):
    monkeypatch.setattr(import_plan, "LARGEST_FRAMES_PER_FILE", 2)
    tiff_of_pages(tmp_path, 3)
    plan = plan_import(project, [tmp_path / "3.tiff"])
    assert plan.account == Account(4, 2, 0, {"too_many_frames": 2})
    assert "4 frames, of which only the first 2 are added" in plan.refused[0].sentence
    assert summary(plan) == "2 images of 1 patient added, 2 left out."


def test_a_file_that_vanishes_while_it_is_read_is_counted(tmp_path, project, picture):
    files = [picture(tmp_path / f"{number}.png", number) for number in range(3)]

    def vanish(done: int, total: int) -> None:
        if (done, total) == (1, 3):
            files[1].unlink()

    read = read_files(files, vanish)
    assert [item.path for item in read.found] == [files[0], files[2]]
    assert [(item.reason, item.count) for item in read.left_out] == [("missing", 1)]


def test_nothing_but_files_left_out_is_said_with_what_they_are(tmp_path, project):
    (tmp_path / "in").mkdir()
    text(tmp_path / "in", 1)
    hidden(tmp_path / "in", 2)
    with pytest.raises(UserError) as refused:
        plan_import(project, [tmp_path / "in"])
    assert refused.value.message == ("No image files found, only 1 other file, 1 hidden file, 1 system file.")


def test_one_damaged_thing_does_not_keep_the_others_out(tmp_path, project, picture):
    good = picture(tmp_path / "good.png", 1)
    broken_archive(tmp_path, 1)
    plan = plan_import(project, [tmp_path / "1.zip", good, tmp_path / "gone.png"])
    assert len(plan.images) == 1
    assert plan.account.left_out == {"damaged": 1, "missing": 1}


def test_prediction_says_what_it_does_not_read(tmp_path):
    broken_archive(tmp_path, 1)
    with pytest.raises(UserError, match=r"1\.zip is damaged or incomplete"):
        list_files([tmp_path / "1.zip"])
    archive(tmp_path, 2)
    reasons = Counter(item.reason for item in not_read([tmp_path / "2.zip", tmp_path / "1.zip"]))
    assert len(list_files([tmp_path / "2.zip"])) == 3
    assert reasons == {"damaged": 2, "zip_encrypted": 1, "zip_traversal": 1, "system_file": 1}


def test_a_huge_sparse_file_is_refused_before_all_of_it_is_read(tmp_path):
    path = tmp_path / "sparse.dcm"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    read = read_files([path])
    assert [item.reason for item in read.left_out] == ["file_too_large"]


def test_a_cancelled_search_of_an_archive_leaves_nothing(tmp_path, project):
    archive(tmp_path, 1)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_files([tmp_path / "1.zip"], stop, tmp_path / "images")
    assert not list((tmp_path / "images").rglob("*.png"))
    assert look_through([tmp_path / "1.zip"], unpack_into=tmp_path / "images").files
