"""Starting where a window can or cannot be opened, and writing to whatever stream there is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import qInstallMessageHandler
from PySide6.QtWidgets import QComboBox

from clipsvd_app.errors import UserError
from clipsvd_app.settings import load_settings
from clipsvd_app.ui.app import Studio, _Reporter
from clipsvd_app.ui.display import Probe, display_error
from clipsvd_app.ui.look import theme
from clipsvd_app.ui.session.session import Session

pytestmark = pytest.mark.gui
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays of Linux")
_GONE = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "QT_PLUGIN_PATH")


def environment(**values: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _GONE} | values


@LINUX
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "No display is available"),
        ({"DISPLAY": ":9931"}, "“:9931” does not respond"),
        ({"QT_QPA_PLATFORM": "mir"}, "no platform “mir”"),
    ],
)
def test_a_window_that_cannot_open_is_one_sentence_and_exit_code_1(values, said):
    started = [sys.executable, "-m", "clipsvd_app"]
    done = subprocess.run(
        started, env=environment(**values), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_plugins_of_another_qt_are_left_aside_where_they_stand_in_the_way(tmp_path, monkeypatch):
    values = {"QT_QPA_PLATFORM": "offscreen", "QT_QPA_PLATFORM_PLUGIN_PATH": str(tmp_path)}
    assert Probe(environment(**values)).error() is None


@pytest.mark.parametrize(
    ("said", "values", "sentence"),
    [
        ("ImportError: libEGL.so.1: cannot open shared object file", {}, "libEGL.so.1"),
        (
            "Authorization required\nqt.qpa.xcb: could not connect to display :0",
            {"DISPLAY": ":0"},
            "denied access",
        ),
        ("From 6.5.0, xcb-cursor0 or libxcb-cursor0 is needed", {"DISPLAY": ":0"}, "libxcb-cursor0"),
        ("Failed to create wl_display", {"WAYLAND_DISPLAY": "wayland-9"}, "“wayland-9” does not respond"),
        ("words of a later Qt\n", {"QT_QPA_PLATFORM": "eglfs"}, "words of a later Qt"),
    ],
)
def test_each_of_qts_reasons_has_its_sentence(said, values, sentence):
    found = display_error(said, values)
    assert sentence in found.message
    assert found.remedy


@pytest.mark.parametrize(
    "name", ["Ärzte & Büro #1 100%", "O'Brien", 'say "x"', "semi;colon (1)", "back\\slash"]
)
def test_the_style_sheet_holds_wherever_the_program_lies(qtbot, tmp_path, monkeypatch, name):
    if os.name == "nt" and set(name) & set('"\\'):
        pytest.skip("no name for Windows")
    words = []
    before = qInstallMessageHandler(lambda _kind, _where, text: words.append(text))
    try:
        pictures = []
        for folder in (tmp_path / "plain", tmp_path / name):
            folder.mkdir()
            for file in theme.resource_path("styles").iterdir():
                (folder / file.name).write_bytes(file.read_bytes())
            monkeypatch.setattr(
                theme, "resource_path", lambda *parts, folder=folder: folder.joinpath(*parts[1:])
            )
            box = QComboBox()
            qtbot.addWidget(box)
            box.setStyleSheet(theme.style_sheet(theme.DARK, 10.0))
            box.resize(160, 40)
            pictures.append(box.grab().toImage())
            monkeypatch.undo()
    finally:
        qInstallMessageHandler(before)
    assert not [text for text in words if "parse" in text or "Cannot open" in text]
    assert pictures[0] == pictures[1]


def run(encoding: str, *arguments: str, **values: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "clipsvd_app.cli", *arguments],
        env=environment(PYTHONIOENCODING=encoding, **values),
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_no_code_page_ends_a_command(encoding, tmp_path):
    made = run(
        encoding, "new", str(tmp_path / "a.clipsvd"), "--class", "良性", "--class", "Zyste ≥ 1", "--json"
    )
    assert (made.returncode, made.stderr) == (0, b"")
    assert json.loads(made.stdout)
    refused = run(encoding, "runs", str(tmp_path / "良性.clipsvd"))
    assert refused.returncode == 1
    assert b"There is no project" in refused.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_output_that_cannot_be_written_is_one_sentence(tmp_path):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "clipsvd_app.cli", "new", str(tmp_path / "a")],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"the disk is full" in done.stderr


@pytest.fixture
def no_home(tmp_path, monkeypatch):
    """A home in which no folder can be made."""
    (tmp_path / "home").write_text("a file in its place")
    monkeypatch.setenv("CLIPSVD_HOME", str(tmp_path / "home"))
    return tmp_path


def test_a_home_that_cannot_be_written_is_said_once_and_the_project_opens(qtbot, no_home):
    session = Session()
    notices = []
    session.notice.connect(notices.append)
    assert session.new_project(no_home / "study.clipsvd")
    assert session.settings.recent_projects
    assert load_settings().recent_projects == ()
    assert [notice.key for notice in notices] == ["settings"]
    session.close()


def test_a_command_in_such_a_home_says_so_or_works(no_home):
    home = str(no_home / "home")
    made = run("utf-8", "new", str(no_home / "study"), "--class", "a", CLIPSVD_HOME=home)
    assert made.returncode == 0
    trained = run("utf-8", "train", str(no_home / "study.clipsvd"), CLIPSVD_HOME=home)
    assert trained.returncode == 1
    assert b"Traceback" not in trained.stderr


def test_what_a_user_can_mend_is_never_reported_as_our_fault(qapp, monkeypatch):
    told = []

    class Told:
        def tell(self, error):
            told.append(error)

    studio = Studio.__new__(Studio)
    studio.session = Told()
    error = UserError("The disk is full.", remedy="Free some space.")
    _Reporter(studio)(UserError, error, None)
    assert told == [error]
