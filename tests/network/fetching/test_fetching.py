"""Facts about fetching: whole, in pieces, tampered with, refused; always through the real child process."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from support.hub_server import REVISION, Asked, HubServer

from clipsvd_app.errors import Cancelled, UserError
from clipsvd_app.network.fetching.lines import FetchRequest, encode
from clipsvd_app.network.fetching.published import BIOMEDCLIP, Published, PublishedFile
from clipsvd_app.services.models import download

if TYPE_CHECKING:
    from collections.abc import Callable

WEIGHTS = "open_clip_pytorch_model.bin"
HALF = 1_500_000
STARTER = """
import sys
from clipsvd_app.network.fetching.lines import decode_request
from clipsvd_app.services.models import download
download.fetch(decode_request(sys.argv[1]).published, lambda *_: None)
"""


def ignore(file: str, done_bytes: int, total_bytes: int) -> None:
    """Nobody listens."""


def refusal(model: Published) -> UserError:
    with pytest.raises(UserError) as caught:
        download.fetch(model, ignore)
    assert caught.value.remedy
    return caught.value


def same_files(folder: Path, hub: HubServer) -> bool:
    names = {path.name for path in hub.folder.iterdir()}
    return {path.name for path in folder.iterdir()} == names and all(
        (folder / name).read_bytes() == (hub.folder / name).read_bytes() for name in names
    )


def test_every_byte_arrives_and_is_counted(hub: HubServer, model: Published) -> None:
    told: list[tuple[int, int]] = []
    folder = download.fetch(model, lambda _file, done, total: told.append((done, total)))
    assert same_files(folder, hub)
    assert told[-1] == (model.size_bytes, model.size_bytes)
    assert told == sorted(told)


def test_what_is_complete_is_not_asked_for_again(hub: HubServer, model: Published) -> None:
    download.fetch(model, ignore)
    hub.asked.clear()
    assert same_files(download.fetch(model, ignore), hub)
    assert hub.asked == []


def test_a_killed_fetch_goes_on_where_it_stopped(hub: HubServer, model: Published, child_pids) -> None:
    hub.stalls_after = HALF
    part = download.folder_of(model) / f"{WEIGHTS}.part"

    def kill_in_the_middle(_file: str, done_bytes: int, _total: int) -> None:
        if done_bytes > HALF:
            for pid in child_pids():
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(UserError) as caught:
        download.fetch(model, kill_in_the_middle)
    assert caught.value.code == "fetch_lost"
    assert part.stat().st_size == HALF
    assert download.has_begun(model)
    hub.stalls_after = 0
    hub.asked.clear()
    assert same_files(download.fetch(model, ignore), hub)
    assert hub.asked == [Asked("HEAD", WEIGHTS), Asked("GET", WEIGHTS, HALF)]


def test_cancelling_ends_a_silent_fetch_and_keeps_what_came(
    hub: HubServer, model: Published, child_pids
) -> None:
    hub.stalls_after = HALF

    def cancel(_file: str, done_bytes: int, _total: int) -> None:
        if done_bytes > HALF:
            raise Cancelled

    with pytest.raises(Cancelled):
        download.fetch(model, cancel)
    assert child_pids() == []
    assert (download.folder_of(model) / f"{WEIGHTS}.part").stat().st_size == HALF


def test_a_fetch_does_not_outlive_whoever_started_it(hub: HubServer, model: Published) -> None:
    hub.stalls_after = HALF
    request = encode(FetchRequest(model, "", ""))
    starter = subprocess.Popen([sys.executable, "-P", "-c", STARTER, request])
    wait_until(lambda: WEIGHTS in hub.fetched())
    assert fetching_from(hub)
    starter.kill()
    starter.wait()
    wait_until(lambda: not fetching_from(hub))


def test_a_breaking_connection_is_taken_up_again(hub: HubServer, model: Published) -> None:
    hub.breaks_after = 800_000
    assert same_files(download.fetch(model, ignore), hub)
    assert [asked.start for asked in hub.asked if asked.method == "GET"] == [
        0,
        *range(0, 3_000_000, 800_000),
    ]


def test_a_server_without_ranges_is_asked_for_the_whole(hub: HubServer, model: Published) -> None:
    folder = download.folder_of(model)
    folder.mkdir(parents=True)
    (folder / f"{WEIGHTS}.part").write_bytes(b"half")
    hub.ignores_ranges = True
    assert same_files(download.fetch(model, ignore), hub)


def test_a_part_longer_than_the_file_is_started_anew(hub: HubServer, model: Published) -> None:
    folder = download.folder_of(model)
    folder.mkdir(parents=True)
    (folder / "vocab.txt.part").write_bytes(b"x" * 100)
    assert same_files(download.fetch(model, ignore), hub)


def test_what_is_changed_on_the_way_is_refused_and_fetched_anew(hub: HubServer, model: Published) -> None:
    hub.tampers = True
    assert refusal(model).code == "fetch_hash"
    assert list(download.folder_of(model).iterdir()) == []
    hub.tampers = False
    assert same_files(download.fetch(model, ignore), hub)


def test_a_file_that_does_not_end_is_refused_where_it_should_have_ended(
    hub: HubServer, model: Published
) -> None:
    hub.adds = 50_000_000
    assert refusal(model).code == "fetch_hash"
    assert list(download.folder_of(model).iterdir()) == []


def test_a_hub_that_serves_something_else_at_the_pinned_revision_is_refused(
    hub: HubServer, model: Published
) -> None:
    (hub.folder / WEIGHTS).write_bytes(b"other weights" * 10_000)
    assert refusal(model).code == "fetch_hash"


def test_at_a_revision_of_the_users_choice_the_hubs_own_hash_is_what_counts(
    hub: HubServer, model: Published
) -> None:
    (hub.folder / WEIGHTS).write_bytes(b"newer weights" * 10_000)
    assert same_files(download.fetch(replace(model, pinned=False), ignore), hub)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "fetch_forbidden"),
        (403, "fetch_forbidden"),
        (404, "fetch_not_found"),
        (407, "fetch_proxy_sign_in"),
        (418, "fetch_refused"),
        (503, "fetch_busy"),
    ],
)
def test_each_refusal_has_its_sentence(hub: HubServer, model: Published, status: int, code: str) -> None:
    hub.status = status
    error = refusal(model)
    assert error.code == code
    assert str(status) in error.message


def test_a_refusal_where_the_large_files_lie_has_its_sentence(hub: HubServer, model: Published) -> None:
    hub.storage_status = 403
    assert refusal(model).code == "fetch_forbidden"
    assert (download.folder_of(model) / "vocab.txt").exists()


def test_a_revision_that_is_not_there_is_said(model: Published) -> None:
    assert refusal(replace(model, revision="f" * 40)).code == "fetch_not_found"


def test_a_file_that_is_not_there_is_said(model: Published) -> None:
    lacking = replace(model, files=(PublishedFile("gone.json"),))
    assert refusal(lacking).code == "fetch_not_found"


def test_a_sign_in_page_is_not_taken_for_the_hub(hub: HubServer, model: Published) -> None:
    hub.names_revision = False
    assert refusal(model).code == "fetch_no_hub"


def test_a_closed_port_means_offline(model: Published, monkeypatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    assert refusal(model).code == "fetch_offline"


def test_a_name_that_nobody_knows_means_offline(model: Published, monkeypatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    error = refusal(model)
    assert error.code == "fetch_offline"
    assert "hub.invalid" in error.message


def test_a_hub_that_cannot_speak_in_secret_is_said(hub: HubServer, model: Published, monkeypatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint.replace("http:", "https:"))
    assert refusal(model).code == "fetch_not_secure"


@pytest.mark.parametrize(("status", "code"), [(407, "fetch_proxy_sign_in"), (403, "fetch_proxy")])
def test_a_proxy_that_lets_nothing_through_is_said(
    hub: HubServer, model: Published, monkeypatch, status: int, code: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.invalid")
    monkeypatch.setenv("HTTPS_PROXY", hub.endpoint)
    hub.status = status
    assert refusal(model).code == code
    assert hub.asked[0].method == "CONNECT"


@pytest.mark.parametrize(
    ("proxy", "code"),
    [("http://127.0.0.1:{closed}", "fetch_offline"), ("gopher://127.0.0.1:1", "fetch_proxy")],
)
def test_a_proxy_that_does_not_work_is_said(model: Published, monkeypatch, proxy: str, code: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    monkeypatch.setenv("HTTP_PROXY", proxy.format(closed=free_port()))
    assert refusal(model).code == code


def test_the_cache_folder_must_be_writable(model: Published, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CLIPSVD_HOME", str(tmp_path / "file"))
    assert refusal(model).code == "fetch_not_writable"


def test_two_fetches_of_one_model_do_not_write_into_one_another(model: Published) -> None:
    def fetch_again(*_: object) -> None:
        assert refusal(model).code == "fetch_under_way"
        raise Cancelled

    with pytest.raises(Cancelled):
        download.fetch(model, fetch_again)


def test_biomedclip_is_pinned_to_a_commit_and_its_weights_to_a_hash() -> None:
    weights = BIOMEDCLIP.files[-1]
    assert weights.name == WEIGHTS
    assert len(weights.sha256) == 64
    assert len(BIOMEDCLIP.revision) == 40
    assert download.published("biomedclip") == BIOMEDCLIP
    assert download.published("biomedclip", BIOMEDCLIP.revision).pinned
    assert not download.published("biomedclip", REVISION).pinned


@pytest.mark.parametrize(
    ("name", "revision"), [("clip", ""), ("biomedclip", "main"), ("biomedclip", "9f341de")]
)
def test_an_unknown_model_or_a_moving_revision_is_refused(name: str, revision: str) -> None:
    with pytest.raises(UserError):
        download.published(name, revision)


def fetching_from(hub: HubServer) -> list[str]:
    """The processes that fetch from this hub, whoever started them."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            environment = command.with_name("environ").read_bytes()
            if (
                b"-m\0clipsvd_app.network.fetching" in command.read_bytes()
                and hub.endpoint.encode() in environment
            ):
                found.append(command.parent.name)
    return found


def wait_until(condition: Callable[[], object], patience_s: float = 20) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
