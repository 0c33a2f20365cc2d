"""Facts about getting a backbone in the window, with a fetch and an engine that do as they are told."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from shiboken6 import delete
from support.fake_engine import FakeEngine

from clipsvd_app.errors import UserError
from clipsvd_app.jobs.answers import AddBackboneResult
from clipsvd_app.jobs.lines import Failed, Progress
from clipsvd_app.network.fetching.published import BIOMEDCLIP
from clipsvd_app.services.models import backbones, download
from clipsvd_app.settings import Settings
from clipsvd_app.ui.session.session import Session
from clipsvd_app.ui.settings.backbones_controller import BackbonesController
from clipsvd_app.ui.settings.page import SettingsPage
from clipsvd_app.ui.settings.state import BackboneActivity

pytestmark = pytest.mark.gui
MB = 1_000_000


class AddingEngine(FakeEngine):
    """Ends a job as if the backbone had been added."""

    def finish(self, *notes: str) -> None:
        request = self.request
        Path(request.target).mkdir(parents=True)
        result = AddBackboneResult(
            request.name, request.target, "ab" * 32, "cd" * 32, "ViT", parameters=5, matrices=2, notes=notes
        )
        self.answer(result)


@dataclass
class FakeFetch:
    """Tells half of the bytes, then waits for its end."""

    end: threading.Event = field(default_factory=threading.Event)
    error: UserError | None = None

    def __call__(self, model, arrived) -> Path:
        while not self.end.wait(0.01):
            arrived("weights", 392 * MB, 784 * MB)
        if self.error is not None:
            raise self.error
        return download.folder_of(model)


@dataclass
class Bench:
    session: Session
    engine: AddingEngine
    fetch: FakeFetch
    controller: BackbonesController
    told: list[BackboneActivity]
    notices: list

    @property
    def now(self) -> BackboneActivity:
        return self.told[-1] if self.told else BackboneActivity()

    def says(self, words: str) -> bool:
        work = self.now.work
        return work is not None and words in f"{work.title} {work.stage} {work.amount}"


@pytest.fixture
def bench(qtbot, theme, tmp_path, monkeypatch):
    monkeypatch.setenv("CLIPSVD_HOME", str(tmp_path / "home"))
    page, engine, fetch = SettingsPage(), AddingEngine(), FakeFetch()
    qtbot.addWidget(page)
    session = Session(engine)
    made = Bench(session, engine, fetch, BackbonesController(session, page, fetch), [], [])
    show = page.backbones.set_activity
    page.backbones.set_activity = lambda activity: (made.told.append(activity), show(activity))
    session.notice.connect(made.notices.append)
    yield made
    fetch.end.set()
    session.close()
    delete(page)


def test_a_fetch_shows_its_bytes_and_ends_with_a_backbone(bench: Bench, qtbot) -> None:
    bench.controller.fetch()
    qtbot.waitUntil(lambda: bench.says("392 of 784 MB"))
    bench.fetch.end.set()
    qtbot.waitUntil(lambda: bench.says("Adding BiomedCLIP"))
    bench.engine.on_progress(Progress(7, "Reading the weights", 1, 4))
    assert bench.says("Reading the weights")
    bench.engine.finish("Its hash is known.")
    assert dict(bench.session.settings.backbones) == {
        "biomedclip": str(backbones.own_folder() / "biomedclip")
    }
    assert bench.now == BackboneActivity()
    assert bench.notices[-1].remedy == "Its hash is known."
    assert not bench.engine.folder.exists()


def test_what_cannot_be_fetched_is_said_with_its_remedy(bench: Bench, qtbot) -> None:
    bench.fetch.error = UserError("The network is gone.", remedy="Connect it.")
    bench.fetch.end.set()
    bench.controller.fetch()
    qtbot.waitUntil(lambda: bool(bench.now.error))
    assert bench.now == BackboneActivity(error="The network is gone.", remedy="Connect it.")


def test_a_cancelled_fetch_leaves_nothing_but_what_arrived(bench: Bench, qtbot) -> None:
    bench.controller.fetch()
    qtbot.waitUntil(lambda: bench.says("392"))
    with qtbot.waitSignal(bench.controller.offer_changed):
        bench.controller.cancel()
        assert bench.now.work.cancelling
    assert bench.now == BackboneActivity()
    assert bench.session.settings.backbones == ()


def test_a_begun_fetch_is_offered_to_go_on(bench: Bench) -> None:
    assert bench.controller.offer().button == "Download BiomedCLIP…"
    assert "785 MB" in bench.controller.offer().words
    assert "MIT" in bench.controller.offer().words
    part = download.folder_of(BIOMEDCLIP) / "vocab.txt"
    part.parent.mkdir(parents=True)
    part.write_text("[PAD]")
    assert bench.controller.offer().button == "Resume downloading BiomedCLIP…"
    bench.session.settings = replace(Settings(), backbones=(("biomedclip", "/somewhere"),))
    assert bench.controller.offer() is None


def test_a_folder_is_added_by_the_engine_or_refused_in_its_words(bench: Bench, tmp_path: Path) -> None:
    bench.controller.add(str(tmp_path / "snapshot"))
    assert bench.says("Adding “snapshot”")
    bench.engine.on_end(Failed(7, "no_vocabulary", "It has no vocabulary.", "Add vocab.txt."))
    assert bench.now == BackboneActivity(error="It has no vocabulary.", remedy="Add vocab.txt.")
    bench.controller.add(str(tmp_path / "snapshot"))
    assert not bench.now.error
    bench.controller.cancel()
    assert bench.now == BackboneActivity()
    assert bench.session.settings.backbones == ()


def test_a_name_that_is_taken_is_refused_before_anything_is_fetched(bench: Bench) -> None:
    bench.session.change_settings(Settings(backbones=(("biomedclip", "/elsewhere"),)))
    bench.controller.fetch()
    assert "already" in bench.now.error
    assert not bench.session.fetches.busy


def test_removing_deletes_the_programs_own_copy(bench: Bench, tmp_path: Path) -> None:
    bench.controller.add(str(tmp_path / "snapshot"))
    bench.engine.finish()
    (copy,) = [Path(folder) for _, folder in bench.session.settings.backbones]
    bench.controller.remove("snapshot")
    assert bench.session.settings.backbones == ()
    assert not copy.exists()


def test_closing_the_window_ends_a_fetch(bench: Bench, qtbot) -> None:
    bench.controller.fetch()
    qtbot.waitUntil(lambda: bench.says("392"))
    bench.session.fetches.close()
    assert not bench.session.fetches.busy
    assert not bench.fetch.end.is_set()
