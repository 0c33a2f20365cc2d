"""``clipsvd backbones fetch``: from a hub of our own to a backbone that can be used, in real processes."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import torch
from msgspec.structs import replace
from safetensors.torch import load_file
from support.hub_server import REVISION, HubServer, forget_proxies
from support.tiny_backbone import write_tiny_backbone
from support.watched import NetworkWatch

from clipsvd_app.cli import main
from clipsvd_app.cli.console import Console
from clipsvd_app.cli.model.fetch import fetch_and_add
from clipsvd_app.engine.backbone.intake.known import KNOWN_RELEASES
from clipsvd_app.errors import UserError
from clipsvd_app.network.fetching.lines import FetchRequest, encode
from clipsvd_app.network.fetching.published import BIOMEDCLIP, Published, PublishedFile
from clipsvd_app.services.models import backbones, download
from clipsvd_app.settings import Settings, load_settings, save_settings

if TYPE_CHECKING:
    from pathlib import Path

WEIGHTS = "open_clip_pytorch_model.bin"
PROGRAM = """
import sys
from clipsvd_app.cli.console import Console
from clipsvd_app.cli.model.fetch import fetch_and_add
from clipsvd_app.network.fetching.lines import decode_request
fetch_and_add(decode_request(sys.argv[1]).published, "tiny", Console(quiet=True))
"""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch):
    """The tiny backbone as it would be published: a .bin beside the small files."""
    folder = write_tiny_backbone(tmp_path / "hub")
    torch.save(load_file(folder / "open_clip_model.safetensors"), folder / WEIGHTS)
    (folder / "open_clip_model.safetensors").unlink()
    server = HubServer(folder)
    forget_proxies(monkeypatch)
    monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
    monkeypatch.setenv("CLIPSVD_HOME", str(tmp_path / "home"))
    yield server
    server.close()


@pytest.fixture
def model(hub: HubServer) -> Published:
    files = tuple(
        PublishedFile(path.name, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(hub.folder.iterdir())
    )
    return Published("tiny", "Tiny", hub.repository, REVISION, "MIT", 1_000_000, files)


def test_a_fetched_model_is_a_backbone_and_only_its_process_used_the_network(
    hub: HubServer, model: Published, tmp_path: Path
) -> None:
    watch = NetworkWatch(tmp_path / "log")
    request = encode(FetchRequest(model, "", ""))
    command = [sys.executable, "-P", "-c", PROGRAM, request]
    subprocess.run(command, env=watch.environment, check=True, capture_output=True)
    entry = backbones.available(load_settings())[1]
    assert (entry.name, entry.usable) == ("tiny", True)
    assert entry.folder.parent == backbones.own_folder()
    assert not download.folder_of(model).exists()
    (fetching_pid,) = watch.processes("'-m', 'clipsvd_app.network.fetching'")
    assert {line.split()[0] for line in watch.seen()} == {fetching_pid}


def test_what_came_before_the_line_went_down_is_kept_for_the_next_attempt(
    hub: HubServer, model: Published, capsys
) -> None:
    lacking = replace(model, files=(*model.files, PublishedFile("gone.json")))
    hub.folder.joinpath("gone.json").write_text("{}")
    hub.status = 503
    with pytest.raises(UserError):
        fetch_and_add(lacking, "tiny", Console(quiet=True))
    assert load_settings().backbones == ()
    assert not list((backbones.own_folder().parent / "jobs").glob("*/*"))
    hub.status, hub.tampers = 0, True
    with pytest.raises(UserError):
        fetch_and_add(lacking, "tiny", Console(quiet=True))
    assert re.search(
        r"^Downloading Tiny from http://127.0.0.1:\d+: 1 MB, MIT.$", capsys.readouterr().err, re.M
    )


def test_a_taken_name_is_refused_before_anything_is_fetched(hub: HubServer, capsys) -> None:
    save_settings(Settings(backbones=(("biomedclip", "/elsewhere"),)))
    assert main(["backbones", "fetch", "biomedclip", "--json"]) == 1
    assert "already" in capsys.readouterr().err
    assert hub.asked == []


def test_another_hub_than_the_published_one_is_one_line_and_exit_code_1(hub: HubServer, capsys) -> None:
    assert main(["backbones", "fetch", "biomedclip", "--quiet", "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1].startswith("clipsvd: “127.0.0.1” does not have this model")


def test_the_fetched_release_is_one_that_the_intake_knows() -> None:
    assert BIOMEDCLIP.files[-1].sha256 in KNOWN_RELEASES
    (vocabulary,) = [file.sha256 for file in BIOMEDCLIP.files if file.name == "vocab.txt"]
    assert KNOWN_RELEASES[BIOMEDCLIP.files[-1].sha256].vocabulary_sha256 == vocabulary


def test_the_configuration_is_the_2023_one_with_todays_names() -> None:
    stored = json.dumps(KNOWN_RELEASES[BIOMEDCLIP.files[-1].sha256].config, indent=2)
    stored = stored.replace("BiomedNLP-PubMedBERT", "BiomedNLP-BiomedBERT")
    assert hashlib.sha256(stored.encode()).hexdigest() == BIOMEDCLIP.files[0].sha256
