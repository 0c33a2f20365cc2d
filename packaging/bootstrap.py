"""Set up and start CLIP-SVD Studio from a fresh clone: ``python packaging/bootstrap.py COMMAND``.

Needs nothing but the standard library. This one file must also load in Python 3.8, so that a Python
that is too old or too new finds a suitable one and hands over to it; the rest is in ``setup_commands``.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OLDEST_PYTHON = (3, 11)
TOO_NEW_PYTHON = (3, 14)  # some of the packages have no wheels for it
CANDIDATES = tuple(
    command
    for minor in (13, 12, 11)
    for command in (("python3.%d" % minor,), ("py", "-3.%d" % minor))  # noqa: UP031 - read by old Pythons
)
INTERRUPTED = 130
TERMINATED = 143


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code, in a Python that the packages have wheels for."""
    if not suits(sys.version_info[:2]):
        return _hand_over(arguments)
    from setup_commands import run

    return run(arguments)


def suits(version: tuple[int, ...]) -> bool:
    """Tell whether the program runs on this version of Python."""
    return OLDEST_PYTHON <= version < TOO_NEW_PYTHON


def suitable_python(works: Callable[[Sequence[str]], bool]) -> tuple[str, ...] | None:
    """Return the first command that starts a Python of 3.11 to 3.13, or None."""
    return next((command for command in CANDIDATES if works(command)), None)


def _hand_over(arguments: Sequence[str]) -> int:
    command = suitable_python(_starts_suitable)
    if command is None:
        have = ".".join(str(part) for part in sys.version_info[:3])
        sys.stderr.write(
            f"error: CLIP-SVD Studio needs Python 3.11, 3.12 or 3.13, and this is Python {have}.\n"
            "  Install Python 3.12 (python.org, or your system's packages) and run the same command again.\n"
        )
        return 1
    return subprocess.call([*command, str(Path(__file__).resolve()), *arguments])


def _starts_suitable(command: Sequence[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    probe = f"import sys; sys.exit(not {OLDEST_PYTHON!r} <= sys.version_info[:2] < {TOO_NEW_PYTHON!r})"
    return subprocess.run([*command, "-c", probe], check=False, capture_output=True).returncode == 0


def _terminated(signal_number: int, frame: object) -> None:
    sys.exit(TERMINATED)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminated)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
