"""Fetching the files of one commit from the hub, resumed where the last attempt stopped.

A file is called NAME.part until its hash is checked, then NAME. huggingface_hub's own download keeps no
partial file, so the bytes are streamed here, with its URLs, session and errors.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

import httpx2
from huggingface_hub import get_hf_file_metadata, hf_hub_url
from huggingface_hub.utils import get_session, hf_raise_for_status

from clipsvd_app.errors import UserError
from clipsvd_app.network.fetching.failures import cut_off, full_disk, no_hub

if TYPE_CHECKING:
    from io import RawIOBase

    from clipsvd_app.network.fetching.lines import FetchRequest
    from clipsvd_app.network.fetching.published import PublishedFile

# Without a byte for so long, a connection counts as broken and the attempt is repeated.
SILENCE_S = 30.0
# Attempts in a row that bring no byte. The waits between them grow by RETRY_AFTER_S each: 0, 1, 2 and 3 s.
TRIES = 4
RETRY_AFTER_S = 1.0


class Tell(Protocol):
    """Called with the progress of all files."""

    def __call__(self, file: str, done_bytes: int, total_bytes: int) -> None:
        """Report how many of all bytes have arrived."""


def fetch(request: FetchRequest, free_bytes: int, tell: Tell) -> None:
    """Fetch what is missing; complete files are not requested again."""
    names = [file.name for file in request.published.files]
    folder = Path(request.folder)
    remotes = [Remote(request, file) for file in request.published.files if not (folder / file.name).exists()]
    here = sum(_size(folder / name) for name in names)
    total = here + sum(remote.size for remote in remotes)
    # Checked before the first byte: a full disk after 700 MB would waste the user's time.
    if (wanted := sum(remote.size - _size(remote.part) for remote in remotes)) > free_bytes:
        raise full_disk(wanted, free_bytes)
    for remote in remotes:
        remote.fetch(lambda arrived, name=remote.name, before=here: tell(name, before + arrived, total))
        here += remote.size


class Remote:
    """One file on the hub and its partial copy on disk."""

    def __init__(self, request: FetchRequest, file: PublishedFile) -> None:
        published, folder = request.published, Path(request.folder)
        self.name = file.name
        self.part = folder / f"{file.name}.part"
        self._target = folder / file.name
        self._url = hf_hub_url(
            published.repository, file.name, revision=published.revision, endpoint=request.endpoint
        )
        # token=False: the models are public, and a token would tell the hub, or a mirror, who the user is.
        metadata = get_hf_file_metadata(self._url, token=False, endpoint=request.endpoint, timeout=SILENCE_S)
        # A sign-in page of a network answers every address, but has no ETag and no commit hash.
        if metadata.size is None or not metadata.etag or metadata.commit_hash != published.revision:
            raise no_hub(request.endpoint)
        self.size = int(metadata.size)
        self._hashes = {str(metadata.etag)} | ({file.sha256} if published.pinned and file.sha256 else set())

    def fetch(self, arrived: ArrivedBytes) -> None:
        """Fetch the rest, check the whole file, and give it its final name."""
        self.part.touch()
        in_vain = 0
        while (before := _size(self.part)) != self.size:
            if in_vain == TRIES:
                raise cut_off(self.name)
            time.sleep(RETRY_AFTER_S * in_vain)
            # A connection that breaks off is resumed; one that cannot be made is an error of its own.
            with contextlib.suppress(httpx2.ReadError, httpx2.ReadTimeout, httpx2.RemoteProtocolError):
                self._fetch_rest(before, arrived)
            in_vain = 0 if _size(self.part) > before else in_vain + 1
        arrived(self.size)
        self._check()
        self.part.replace(self._target)

    def _fetch_rest(self, have: int, arrived: ArrivedBytes) -> None:
        if have > self.size:
            self.part.unlink()
            have = 0
        # Compressed in transit, the bytes would match neither the range nor the size.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with get_session().stream("GET", self._url, headers=headers, timeout=SILENCE_S) as response:
            hf_raise_for_status(response)
            # A proxy that ignores Range answers 200 with the whole file, which then replaces the part.
            goes_on = response.status_code == httpx2.codes.PARTIAL_CONTENT
            with self.part.open("ab" if goes_on else "wb", buffering=0) as stream:
                have = have if goes_on else 0
                for chunk in response.iter_bytes():
                    _write_all(stream, chunk)
                    have += len(chunk)
                    arrived(have)
                    if have > self.size:
                        self._refuse()

    def _check(self) -> None:
        if not self._hashes <= hashes(self.part):
            self._refuse()

    def _refuse(self) -> NoReturn:
        """Refuse a file that is not the published one, and delete it, so that the next fetch starts over."""
        self.part.unlink()
        raise UserError(
            f"The downloaded file “{self.name}” differs from the published one (hash or length).",
            remedy="Download again. If this happens again, download it on another network and add"
            " its folder.",
            code="fetch_hash",
        )


class ArrivedBytes(Protocol):
    """Called with the progress of one file."""

    def __call__(self, arrived: int, /) -> None:
        """Report how many bytes of the file have arrived."""


def hashes(path: Path) -> set[str]:
    """Return a file's SHA-256, the hub's ETag of large files, and its git blob hash, that of small ones."""
    whole = hashlib.sha256()
    blob = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            whole.update(chunk)
            blob.update(chunk)
    return {whole.hexdigest(), blob.hexdigest()}


def _write_all(stream: RawIOBase, chunk: bytes) -> None:
    """Write an unbuffered stream, which may take less than it is given.

    Without a buffer, what has arrived is kept even if the process is killed.
    """
    rest = memoryview(chunk)
    while rest:
        rest = rest[stream.write(rest) :]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
