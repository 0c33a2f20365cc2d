"""Folders of running processes; the next process deletes those of killed ones."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from filelock import FileLock, Timeout


def held_folder(parent: Path, prefix: str) -> tuple[Path, FileLock | None]:
    """Make a folder, with a lock beside it for as long as this process works in it."""
    folder = parent / f"{prefix}{uuid.uuid4().hex[:22]}"
    lock: FileLock | None = FileLock(f"{folder}.lock")
    try:
        assert lock is not None
        lock.acquire(timeout=0)
    except (OSError, NotImplementedError, Timeout):  # some network shares have no locks
        # The folder is then not swept after a crash; better that than no work at all.
        lock = None
    # Images hold identities: only this user may look into the folder.
    folder.mkdir(mode=0o700)
    return folder, lock


def drop(folder: Path, lock: FileLock | None) -> None:
    """Delete a folder and release its lock."""
    shutil.rmtree(folder, ignore_errors=True)
    if lock is not None:
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)


def sweep(parent: Path, prefix: str) -> None:
    """Delete the folders of processes that were killed, whose locks are free."""
    for left in parent.glob(f"{prefix}*.lock"):
        lock = FileLock(left)
        try:
            lock.acquire(timeout=0)
        except (OSError, NotImplementedError, Timeout):
            # Its process lives, or the drive has no locks: the folder stays.
            continue
        drop(left.with_suffix(""), lock)
