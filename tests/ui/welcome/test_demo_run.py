"""The window's demo comes with a finished run: of those very films, and shown by Inspect and Explain."""

from __future__ import annotations

import json
import platform
import zipfile

import numpy as np
import pytest

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.words.results import verdict_title
from clipsvd_app.project import open_project
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.services.projects import demo
from clipsvd_app.services.projects.demo_run import add_demo_run, demo_run_file, write_demo_run
from clipsvd_app.settings import data_folder
from clipsvd_app.ui.app import Studio
from clipsvd_app.ui.pages import Pages

pytestmark = pytest.mark.gui
LARGEST_BYTES = 2_000_000
SAME_BITS = platform.machine() in ("x86_64", "AMD64") and np._core._multiarray_umath.__cpu_features__["AVX2"]


@pytest.fixture(scope="module")
def opened():
    """The demo as the window opens it, drawn once."""
    return demo.open_demo(data_folder() / "demo")


@pytest.fixture
def studio(qtbot, qapp, opened):
    made = Studio(qapp)
    qtbot.addWidget(made.window)
    made.window.show()
    made.pages = Pages(made.session, made.window, made.theme)
    yield made
    made.window.close()


@pytest.mark.skipif(
    not SAME_BITS, reason="this processor may draw other bits than those that were trained on"
)
def test_the_films_that_are_drawn_are_those_of_the_run(opened):
    with zipfile.ZipFile(demo_run_file()) as archive:
        kept = json.loads(archive.read("run.json"))
    with open_project(opened.path) as project:
        assert [image.sha256 for image in project.images()] == [
            sha for _, sha, *_ in kept["project"]["images"]
        ]
        (run,) = project.runs()
        labelled = {image.id for image in project.images() if image.class_id is not None}
        assert {int(image_id) for image_id in project.run_request(1)["labels"]} == labelled
        assert {p.image_id for p in project.run_result(1).predictions} <= {i.id for i in project.images()}
    assert opened.note == ""
    assert (run.preset, run.backbone_name) == ("standard", "demo")
    assert demo_run_file().stat().st_size < LARGEST_BYTES


@pytest.mark.skipif(
    not SAME_BITS, reason="this processor may draw other bits than those that were trained on"
)
def test_inspect_and_explain_show_the_run_at_once(qtbot, studio):
    studio.pages.window.open_demo()
    qtbot.waitUntil(lambda: studio.session.project is not None, timeout=20_000)
    studio.window.show_page("inspect")
    said = verdict_title(studio.session.project.run_result(1).evaluation)
    qtbot.waitUntil(lambda: said in studio.pages.inspect.result.banner.text(), timeout=5_000)
    studio.window.show_page("explain")
    qtbot.waitUntil(lambda: bool(studio.pages.explain.change.head_text()), timeout=5_000)


def test_nothing_in_the_kept_run_names_a_place_or_a_person():
    with zipfile.ZipFile(demo_run_file()) as archive:
        content = archive.read("run.json")
    for telling in (b"/tmp", b"/home", b".dcm", b"DEMO-", b"DEMO^", b"\\\\"):
        assert telling not in content


def test_films_of_other_bits_give_a_demo_without_a_run_that_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "WINDOW_PATIENTS", 3)
    monkeypatch.setattr(demo, "WINDOW_PIXELS", 64)
    found = demo.open_demo(tmp_path)
    assert "without its finished run" in found.note
    with open_project(found.path) as project:
        assert project.runs() == ()
        assert len(project.images()) >= 3
        assert not add_demo_run(project)
    assert demo.open_demo(tmp_path).note == ""  # said once


def test_a_demo_that_was_cancelled_half_way_leaves_no_project(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "WINDOW_PATIENTS", 3)
    monkeypatch.setattr(demo, "WINDOW_PIXELS", 64)
    monkeypatch.setattr(demo, "add_demo_run", lambda _project: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        demo.open_demo(tmp_path)
    assert not list(tmp_path.glob("*.clipsvd"))


@pytest.mark.skipif(
    not SAME_BITS, reason="this processor may draw other bits than those that were trained on"
)
def test_a_run_goes_to_no_project_that_differs(opened, tmp_path):
    with open_project(opened.path) as project:
        again = tmp_path / "again.zip"
        write_demo_run(project, 1, again)
        assert again.read_bytes() == demo_run_file().read_bytes()
        undo = project.apply(AddClass(ClassSpec("a fourth", ("a fourth",))))
        assert not add_demo_run(project)
        project.apply(undo)
        assert len(project.runs()) == 1
