"""Nothing but a fetch that was asked for uses the network: what keeps it so, and that we would notice.

The watched run of the whole job is ``tests/cli/test_demo_command.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.watched import NetworkWatch

if TYPE_CHECKING:
    from pathlib import Path

ENTRANCES = ("__main__", "cli", "worker", "ui.app", "engine", "imaging.guard.decode_worker")
USES = {
    "a connection": "import socket; socket.socket().connect_ex(('127.0.0.1', 9))",
    "a name": "import socket; socket.gethostbyname('localhost')",
    "a listening port": "import socket; socket.socket().bind(('127.0.0.1', 0))",
    "a datagram": "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
    "a web server": "import http.server as s; s.HTTPServer(('127.0.0.1', 0), s.BaseHTTPRequestHandler)",
}
LOCAL = "import multiprocessing.connection as c, socket; c.Pipe(); socket.socketpair()"


def watched(watch: NetworkWatch, program: str) -> None:
    subprocess.run([sys.executable, "-P", "-c", program], env=watch.environment, check=True)


@pytest.mark.parametrize("program", USES.values(), ids=USES.keys())
def test_the_watch_notices(program: str, tmp_path: Path) -> None:
    watch = NetworkWatch(tmp_path / "log")
    watched(watch, program)
    assert watch.seen()


def test_the_watch_notices_what_a_child_does(tmp_path: Path) -> None:
    watch = NetworkWatch(tmp_path / "log")
    watched(
        watch, f"import subprocess, sys; subprocess.run([sys.executable, '-c', {USES['a connection']!r}])"
    )
    assert watch.started() == 2
    assert watch.seen()


def test_the_watch_lets_a_process_speak_to_its_own_children(tmp_path: Path) -> None:
    watch = NetworkWatch(tmp_path / "log")
    watched(watch, LOCAL)
    assert (watch.started(), watch.seen()) == (1, [])


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_the_hubs_library_is_offline_whatever_the_user_has_set(entrance: str) -> None:
    program = (
        f"import clipsvd_app.{entrance}\n"
        "from huggingface_hub import constants\n"
        "assert constants.HF_HUB_OFFLINE and constants.HF_HUB_DISABLE_TELEMETRY\n"
    )
    careless = {**os.environ, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_TELEMETRY": "0"}
    subprocess.run([sys.executable, "-c", program], env=careless, check=True)
