"""Whether a window can be opened here, found out before Qt tries: it aborts where it cannot.

A child process does what the window will do and ends. Nothing here loads Qt.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROBE = "from PySide6.QtGui import QGuiApplication; QGuiApplication([])"
_LONGEST_S = 30.0
# Of another Qt, as conda and OpenCV set them for every program.
_FOREIGN = ("QT_PLUGIN_PATH", "QT_QPA_PLATFORM_PLUGIN_PATH")
_ASKED = "QT_QPA_PLATFORM"
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
_NEED_A_DISPLAY = ("", "xcb", "wayland")
_INSTALL = (
    "Install it with the system's package manager, for example: apt-get install libxcb-cursor0 libegl1."
)
_LINE = "Use the command line instead (clipsvd --help), or start the window in a desktop session."


class Probe:
    """A child that opens no window; start it, load Qt meanwhile, then ask for ``error``."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = dict(os.environ if environment is None else environment)
        self._child = _start(self._environment) if _is_needed(self._environment) else None

    def error(self) -> UserError | None:
        """Return why no window can be opened, or None.

        Paths to the plugins of another Qt are taken out of the environment where they stand in the way.
        """
        said = _end_of(self._child)
        if said is None:
            return None
        own = {name: value for name, value in self._environment.items() if name not in _FOREIGN}
        if own != self._environment and _end_of(_start(own)) is None:
            for name in _FOREIGN:
                os.environ.pop(name, None)
            return None
        return display_error(said, self._environment)


def display_error(said: str, environment: Mapping[str, str]) -> UserError:
    """Say in one sentence what Qt's last words mean."""
    asked = environment.get(_ASKED, "")
    named = " and ".join(f"“{environment[name]}”" for name in _DISPLAYS if environment.get(name))
    if missing := re.search(r"(lib[\w.+-]+\.so[\w.]*): cannot open shared object", said):
        return _no_window(f"The system library {missing[1]}, which Qt needs, is missing.", _INSTALL)
    if asked and "Could not find the Qt platform plugin" in said:
        known = re.search(r"Available platform plugins are: ([\w, -]+)", said)
        others = f", or choose one of: {known[1].strip()}." if known else "."
        return _no_window(
            f"Qt has no platform “{asked}”, which {_ASKED} asks for.", f"Unset {_ASKED}{others}"
        )
    if not named and asked.partition("-")[0] in _NEED_A_DISPLAY and sys.platform.startswith("linux"):
        return _no_window("No display is available.", _LINE)
    if any(words in said for words in ("Authorization required", "No protocol specified", "MAGIC-COOKIE")):
        return _no_window(f"The display {named} denied access.", _LINE)
    if named and ("could not connect to display" in said or "wl_display" in said):
        return _no_window(f"The display {named} does not respond.", _LINE)
    if "cursor0" in said:
        return _no_window(
            "A system library that Qt needs to open a window is missing, most often libxcb-cursor0.", _INSTALL
        )
    words = next((line.strip() for line in said.splitlines() if line.strip()), "no reason given")
    return _no_window(f"Qt cannot open a window here: {words.rstrip('.')}.", _LINE)


def _no_window(message: str, remedy: str) -> UserError:
    return UserError(message, remedy=remedy, code="no_display")


def _is_needed(environment: Mapping[str, str]) -> bool:
    """Where a window can always be opened, only what the environment asks for can be wrong."""
    if getattr(sys, "frozen", False):
        return False  # there is no interpreter to start
    return sys.platform.startswith("linux") or any(name in environment for name in (*_FOREIGN, _ASKED))


def _start(environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _PROBE],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )


def _end_of(child: subprocess.Popen[str] | None) -> str | None:
    """Return what a child that failed has said; None when it did not fail, or is too slow to tell."""
    if child is None:
        return None
    try:
        _, said = child.communicate(timeout=_LONGEST_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return None
    return said if child.returncode else None
