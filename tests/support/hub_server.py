"""A model hub on 127.0.0.1: it answers as the real one does, or as badly as it is told to."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

REVISION = "0123456789abcdef0123456789abcdef01234567"
LARGE_BYTES = 50_000  # from here on a file lies on another host, with its sha256 as its name


@dataclass(frozen=True, slots=True)
class Asked:
    """One request; ``start`` is where its range begins."""

    method: str
    file: str
    start: int = 0


@dataclass
class HubServer:
    """Serves the files of ``folder`` as ``repository`` at REVISION; ``asked`` lists what was asked for.

    ``status`` answers everything with that status, ``storage_status`` only where large files lie.
    ``breaks_after`` closes each connection after so many bytes of a file, ``stalls_after`` falls silent there
    instead. ``tampers`` changes a byte of every file, and ``adds`` puts so many behind it.
    """

    folder: Path
    repository: str = "tests/tiny"
    status: int = 0
    storage_status: int = 0
    breaks_after: int = 0
    stalls_after: int = 0
    tampers: bool = False
    adds: int = 0
    ignores_ranges: bool = False
    names_revision: bool = True
    asked: list[Asked] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def storage(self) -> str:
        """Where large files lie: another host by name, as the hub's storage is."""
        return f"http://localhost:{self._server.server_port}/storage"

    def fetched(self) -> list[str]:
        return [asked.file for asked in self.asked if asked.method == "GET"]

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that were killed while they were answered."""


def forget_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep this machine's own proxy settings out of a test."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _handler(hub: HubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_CONNECT(self) -> None:
            """Answer as a proxy that is asked for a way to a secure host."""
            self._answer(body=False)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _answer(self, *, body: bool) -> None:
            name = self.path.rsplit("/", 1)[-1]
            stored = self.path.startswith("/storage/")
            if not stored:
                hub.asked.append(Asked(self.command, name, self._start()))
            if hub.status:
                self._end(hub.status)
            elif stored and hub.storage_status:
                self._head(hub.storage_status, {"Content-Length": "9"})
                self.wfile.write(b"<Error/>\n")
            elif not stored and not self.path.startswith(f"/{hub.repository}/resolve/{REVISION}/"):
                self._end(404, {"X-Error-Code": "RevisionNotFound"})
            elif not (hub.folder / name).is_file():
                self._end(404, {"X-Error-Code": "EntryNotFound"})
            elif (data := (hub.folder / name).read_bytes()) and len(data) >= LARGE_BYTES and not stored:
                sha256 = hashlib.sha256(data).hexdigest()
                linked = {"X-Linked-Etag": f'"{sha256}"', "X-Linked-Size": str(len(data))}
                self._end(302, self._commit() | linked | {"Location": f"{hub.storage}/{name}"})
            else:
                self._send(data, body=body)

        def _send(self, data: bytes, *, body: bool) -> None:
            start = 0 if hub.ignores_ranges else self._start()
            sent = data + bytes(hub.adds) if body else data
            if hub.tampers:
                sent = bytes([data[0] ^ 1]) + sent[1:]
            headers = self._commit() | {"ETag": f'"{git_hash(data)}"'}
            headers |= {"Content-Length": str(len(sent) - start)}
            if start:
                headers["Content-Range"] = f"bytes {start}-{len(sent) - 1}/{len(sent)}"
            self._head(206 if start else 200, headers)
            if body:
                self._send_body(sent[start:])

        def _send_body(self, rest: bytes) -> None:
            stop = hub.breaks_after or hub.stalls_after
            self.wfile.write(rest[:stop] if stop else rest)
            self.wfile.flush()
            if stop and len(rest) > stop:
                if hub.stalls_after:
                    hub.released.wait(60)
                self.close_connection = True

        def _commit(self) -> dict[str, str]:
            return {"X-Repo-Commit": REVISION} if hub.names_revision else {}

        def _start(self) -> int:
            return int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))

        def _end(self, status: int, headers: dict[str, str] | None = None) -> None:
            self._head(status, {"Content-Length": "0"} | (headers or {}))

        def _head(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

    return Handler
