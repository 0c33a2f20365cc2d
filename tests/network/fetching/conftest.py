"""A small published model on a hub of our own."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import pytest
from support.hub_server import REVISION, HubServer, forget_proxies

from clipsvd_app.network.fetching.published import Published, PublishedFile

WEIGHTS = "open_clip_pytorch_model.bin"
WEIGHTS_BYTES = 3_000_000


@pytest.fixture
def hub(tmp_path: Path, monkeypatch):
    folder = tmp_path / "hub"
    folder.mkdir()
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n", encoding="utf-8")
    (folder / WEIGHTS).write_bytes(hashlib.shake_256(b"weights").digest(WEIGHTS_BYTES))
    server = HubServer(folder)
    forget_proxies(monkeypatch)
    monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
    monkeypatch.setenv("CLIPSVD_HOME", str(tmp_path / "home"))
    yield server
    server.close()


@pytest.fixture
def model(hub: HubServer) -> Published:
    return published_from(hub)


def published_from(hub: HubServer) -> Published:
    files = tuple(
        PublishedFile(path.name, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(hub.folder.iterdir(), key=lambda path: path.stat().st_size)
    )
    size = sum(path.stat().st_size for path in hub.folder.iterdir())
    return Published("tiny", "Tiny", hub.repository, REVISION, "MIT", size, files)


@pytest.fixture
def child_pids():
    """The fetching processes that this test process has started and that still live."""

    def pids() -> list[int]:
        mine = f"{os.getpid()}"
        found = []
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                words = status.read_text().rsplit(")", 1)[1].split()
                command = status.with_name("cmdline").read_bytes()
                if words[1] == mine and words[0] != "Z" and b"clipsvd_app.network.fetching" in command:
                    found.append(int(status.parent.name))
        return found

    return pids
