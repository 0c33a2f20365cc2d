"""What a user installs: the wheel carries the program and its resources, and stays small."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_WHEEL_BYTES = 60_000_000


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the installed hatchling without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-P", "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run(build, cwd=repository, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_is_small_enough_to_pass_around(wheel: Path):
    assert wheel.stat().st_size < LARGEST_WHEEL_BYTES


def test_the_wheel_carries_every_resource(wheel: Path, repository: Path):
    tracked = subprocess.run(
        ["git", "ls-files", "resources"], cwd=repository, check=False, capture_output=True, text=True
    ).stdout.split("\n")
    wanted = {f"clipsvd_app/_{path}" for path in tracked if path and (repository / path).is_file()}
    assert "clipsvd_app/_resources/icons/app.svg" in names(wheel)
    assert wanted <= names(wheel)


def test_the_wheel_carries_the_licence_and_both_commands(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        (licence,) = (name for name in archive.namelist() if name.endswith("licenses/LICENSE"))
        (commands,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert b"Apache License" in archive.read(licence)
        assert {b"clipsvd", b"clipsvd-app"} <= {
            line.split(b" ")[0] for line in archive.read(commands).split(b"\n")
        }


def test_the_wheel_carries_no_tests_and_no_build_leftovers(wheel: Path):
    strange = {name for name in names(wheel) if not name.startswith(("clipsvd_app/", "clipsvd_studio-"))}
    assert not strange
    assert not {name for name in names(wheel) if "__pycache__" in name or name.endswith(".pyc")}
