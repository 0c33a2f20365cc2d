"""The desktop entry, the icons and the file types, installed into a data folder of the test's own."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from launcher import install as launcher
from PIL import Image

from clipsvd_app.project.schema import APPLICATION_ID

NAMESPACE = {"m": "http://www.freedesktop.org/standards/shared-mime-info"}
PROJECT_TYPE = "application/x-clipsvd-project"
ADAPTER_TYPE = "application/x-clipsvd-sigma-adapter"

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a Linux desktop's files")


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """A program at a path that needs quoting."""
    path = tmp_path / "my programs" / "clipsvd-app"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def home(tmp_path: Path, command: Path) -> Path:
    """A data folder in which the launcher has been installed."""
    folder = tmp_path / "data"
    launcher.install(command, folder)
    return folder


def written(home: Path) -> set[Path]:
    return {path.relative_to(home) for path in home.rglob("*") if path.is_file()}


def test_the_desktop_entry_is_valid(home: Path):
    if shutil.which("desktop-file-validate") is None:
        pytest.skip("desktop-file-validate is not installed")
    done = subprocess.run(
        ["desktop-file-validate", str(home / launcher.ENTRY)], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_desktop_entry_starts_the_program_with_the_file(home: Path, command: Path):
    lines = (home / launcher.ENTRY).read_text(encoding="utf-8").splitlines()
    entry = dict(line.split("=", 1) for line in lines if "=" in line)
    assert shlex.split(entry["Exec"]) == [str(command), "%f"]
    assert entry["MimeType"] == f"{PROJECT_TYPE};{ADAPTER_TYPE};"
    assert "@" not in entry["Exec"]


def test_the_desktop_groups_the_window_under_its_entry(home: Path):
    from clipsvd_app.ui.shell.main_window import APP_NAME

    assert f"StartupWMClass={APP_NAME}\n" in (home / launcher.ENTRY).read_text(encoding="utf-8")


@given(path=st.text(alphabet="ab /$`\"'\\%~é", min_size=1))
def test_any_path_survives_the_quoting_of_the_exec_key(path: str):
    written_value = launcher.exec_quoted(path)
    string = written_value.replace("\\\\", "\\")
    if string.startswith('"'):
        string = unquoted(string[1:-1])
    assert string.replace("%%", "%") == path


def unquoted(text: str) -> str:
    """Undo the Exec key's own quoting: a backslash stands before each special letter."""
    letters = iter(text)
    return "".join(next(letters) if letter == "\\" else letter for letter in letters)


def test_every_icon_is_there_as_a_drawing_and_in_the_size_of_its_folder(home: Path):
    hicolor = home / launcher.HICOLOR
    for context, name in launcher.DRAWINGS.values():
        assert (hicolor / "scalable" / context / f"{name}.svg").is_file()
        assert len(list(hicolor.glob(f"*/{context}/{name}.png"))) >= 8
    for picture in hicolor.rglob("*.png"):
        with Image.open(picture) as image:
            assert "{}x{}".format(*image.size) == picture.relative_to(hicolor).parts[0]


def test_the_app_icon_comes_from_16_to_512_pixels(home: Path):
    sizes = {path.parts[-3] for path in (home / launcher.HICOLOR).glob("*/apps/*.png")}
    assert {"16x16", "32x32", "48x48", "128x128", "256x256", "512x512"} <= sizes


def test_a_sigma_adapter_outranks_plain_safetensors(home: Path):
    types = ElementTree.parse(home / launcher.TYPES).getroot()
    globs = {
        glob.get("pattern"): int(glob.get("weight", 50)) for glob in types.iterfind(".//m:glob", NAMESPACE)
    }
    assert set(globs) == {"*.clipsvd", "*.sigma.safetensors"}
    assert min(globs.values()) > 50


def test_the_magic_is_the_application_id_of_a_project(home: Path):
    types = ElementTree.parse(home / launcher.TYPES).getroot()
    match = types.find(".//m:match[@offset='68']", NAMESPACE)
    assert match is not None
    assert int(match.get("value", ""), 16) == APPLICATION_ID


def test_the_desktop_knows_a_project_by_its_contents_and_an_adapter_by_its_name(home: Path, tmp_path: Path):
    if shutil.which("gio") is None or not (home / "mime" / "mime.cache").is_file():
        pytest.skip("gio or update-mime-database is not installed")
    project = tmp_path / "no-ending"
    with sqlite3.connect(project) as database:
        database.execute("PRAGMA application_id = 0x43535644")
        database.execute("CREATE TABLE t (a)")
    database.close()
    adapter = tmp_path / "x.sigma.safetensors"
    adapter.write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    assert content_type(project, home) == PROJECT_TYPE
    assert content_type(adapter, home) == ADAPTER_TYPE


def content_type(path: Path, home: Path) -> str:
    question = ["gio", "info", "--attributes=standard::content-type", str(path)]
    environ = {"PATH": "/usr/bin:/bin", "XDG_DATA_HOME": str(home), "HOME": str(home)}
    answer = subprocess.run(question, check=True, capture_output=True, text=True, env=environ).stdout
    return answer.rpartition("standard::content-type:")[2].strip()


def test_removing_leaves_none_of_our_files(home: Path):
    ours = set(launcher.files(Path("/x")))
    assert ours <= written(home)
    launcher.remove(home)
    assert not ours & written(home)
    launcher.remove(home)


def test_installing_twice_is_installing_once(home: Path, command: Path):
    before = written(home)
    launcher.install(command, home)
    assert written(home) == before


def test_a_program_that_is_not_set_up_is_refused(tmp_path: Path):
    with pytest.raises(launcher.LauncherError, match="make launcher"):
        launcher.install(tmp_path / "absent", tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_the_users_data_folder_is_respected():
    assert launcher.data_home({"XDG_DATA_HOME": "/somewhere"}) == Path("/somewhere")
    assert launcher.data_home({"XDG_DATA_HOME": "relative"}) == launcher.data_home({})
