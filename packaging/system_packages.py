"""The Debian and Ubuntu packages that Qt and our tools need: which are missing, and how to get them."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from setup_error import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# Each group is looked for once, then remembered by its name in the stamp.
GROUPS: dict[str, tuple[str, ...]] = {
    "offscreen": ("libglib2.0-0", "libgl1", "libegl1", "libxkbcommon0", "libfontconfig1", "libdbus-1-3"),
    "window": (
        "libxcb-cursor0",
        "libxcb-icccm4",
        "libxcb-keysyms1",
        "libxcb-shape0",
        "libxcb-xkb1",
        "libxkbcommon-x11-0",
        "libxcb-image0",
        "libxcb-render-util0",
        "libxcb-randr0",
        "libx11-xcb1",
        "libxcb-xinerama0",
    ),
    "virtual-display": ("xvfb", "xauth", "fonts-inter", "fonts-dejavu-core"),
    "desktop": ("desktop-file-utils", "shared-mime-info"),
}


def is_debian(os_release: str) -> bool:
    """Tell from the text of /etc/os-release whether apt-get is this system's way (Debian, Ubuntu, kin)."""
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    names = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".replace('"', "").split()
    return bool({"debian", "ubuntu"} & set(names))


def wanted(groups: Iterable[str]) -> tuple[str, ...]:
    """Return the packages of these groups."""
    return tuple(package for group in groups for package in GROUPS[group])


def missing(packages: Sequence[str], dpkg_answer: str) -> tuple[str, ...]:
    """Return the packages that are not installed.

    dpkg_answer: lines of "NAME STATUS". Ubuntu 24.04 and Debian 13 name some libraries NAMEt64; those count.
    """
    states = (line.split() for line in dpkg_answer.splitlines())
    installed = {state[0] for state in states if len(state) == 2 and state[1] == "installed"}
    return tuple(name for name in packages if name not in installed and f"{name}t64" not in installed)


def ask_dpkg(packages: Sequence[str]) -> str:
    """Ask dpkg for the state of all packages at once; names that it does not know are left out."""
    names = [name for package in packages for name in (package, f"{package}t64")]
    question = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *names]
    return subprocess.run(question, check=False, capture_output=True, text=True).stdout


def install_line(packages: Sequence[str]) -> str:
    """Return the one line that an administrator runs."""
    return f"sudo apt-get update && sudo apt-get install -y {shlex.join(packages)}"


def install(packages: Sequence[str], run: Callable[[Sequence[str]], tuple[int, str]] | None = None) -> None:
    """Install packages with apt-get, as root; raise SetupError with its last words when it fails."""
    call = run or _apt_get
    call(["update", "-qq"])  # a stale mirror may still hold all we need: only the install decides
    code, output = call(["install", "-y", "-qq", "--no-install-recommends", *packages])
    if code != 0:
        lines = [line for line in output.splitlines() if line.strip()]
        raise SetupError(
            f"apt-get could not install {' '.join(packages)}: {lines[-1] if lines else 'it said nothing.'}",
            remedy=f"Run this as an administrator: {install_line(packages)}",
        )


def _apt_get(arguments: Sequence[str]) -> tuple[int, str]:
    done = subprocess.run(
        ["apt-get", "-o", "DPkg::Lock::Timeout=120", *arguments],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    return done.returncode, done.stdout
