"""Add CLIP-SVD Studio to this user's Linux desktop, or take it out: ``install.py install|remove``.

Writes one desktop entry, one MIME package and icons under XDG_DATA_HOME (XDG Base Directory, Desktop Entry,
Icon Theme and Shared MIME-info specifications), and nothing anywhere else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ICONS = ROOT / "resources" / "icons"
NAME = "clipsvd-studio"
ENTRY = Path("applications", f"{NAME}.desktop")
TYPES = Path("mime", "packages", f"{NAME}.xml")
HICOLOR = Path("icons", "hicolor")
# drawing -> where a desktop looks for it: (context, icon name)
DRAWINGS = {
    "app": ("apps", NAME),
    "project": ("mimetypes", "application-x-clipsvd-project"),
    "adapter": ("mimetypes", "application-x-clipsvd-sigma-adapter"),
}
MUST_QUOTE = set(" \t\"'\\><~|&;$*?#()`")
USAGE_ERROR = 2


class LauncherError(Exception):
    """The launcher cannot be installed; the text is one sentence and its remedy."""


def data_home(environ: Mapping[str, str]) -> Path:
    """Return the user's data folder; a relative XDG_DATA_HOME is ignored, as the specification asks."""
    asked = environ.get("XDG_DATA_HOME", "")
    return Path(asked) if asked.startswith("/") else Path.home() / ".local" / "share"


def files(command: Path) -> dict[Path, bytes]:
    """Return every file of the launcher: its path under the data folder, and its contents.

    command: the absolute path of the installed ``clipsvd-app``.
    """
    return {
        ENTRY: desktop_entry(command).encode(),
        TYPES: (HERE / f"{NAME}.xml").read_bytes(),
        **_icons(),
    }


def desktop_entry(command: Path) -> str:
    """Fill the template with the command, quoted as the Desktop Entry specification asks."""
    template = (HERE / f"{NAME}.desktop.in").read_text(encoding="utf-8")
    filled = template.replace("@COMMAND@", exec_quoted(str(command)))
    return filled.replace("@PROGRAM@", str(command).replace("\\", "\\\\"))


def exec_quoted(argument: str) -> str:
    r"""Quote one argument of an Exec key: own quoting, %% for %, then every \ doubled as in any string."""
    literal = argument.replace("%", "%%")
    if not MUST_QUOTE & set(literal):
        return literal
    escaped = "".join(f"\\{letter}" if letter in '"`$\\' else letter for letter in literal)
    return f'"{escaped}"'.replace("\\", "\\\\")


def _icons() -> dict[Path, bytes]:
    found = {}
    for drawing, (context, name) in DRAWINGS.items():
        found[HICOLOR / "scalable" / context / f"{name}.svg"] = (ICONS / f"{drawing}.svg").read_bytes()
        for picture in sorted((ICONS / "png").glob(f"{drawing}-*.png")):
            size = picture.stem.rpartition("-")[2]
            found[HICOLOR / f"{size}x{size}" / context / f"{name}.png"] = picture.read_bytes()
    return found


def install(command: Path, home: Path) -> None:
    """Write all files below home, check the entry, and refresh the desktop's caches."""
    if not command.is_file():
        raise LauncherError(f"{command} is missing: run `make launcher`, which sets it up first.")
    for path, contents in files(command).items():
        target = home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(contents)
    _validate(home / ENTRY)
    _refresh(home)


def remove(home: Path) -> None:
    """Delete what ``install`` wrote, and refresh the desktop's caches."""
    for path in files(ROOT / NAME):
        (home / path).unlink(missing_ok=True)
    _refresh(home)


def _validate(entry: Path) -> None:
    if shutil.which("desktop-file-validate") is None:
        return
    done = subprocess.run(["desktop-file-validate", str(entry)], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise LauncherError(f"The desktop entry is not valid: {done.stdout.strip() or done.stderr.strip()}")


def _refresh(home: Path) -> None:
    """Rebuild the caches of types and entries where the tools are; desktops watch the folder of icons."""
    for tool, folder in (("update-desktop-database", "applications"), ("update-mime-database", "mime")):
        if shutil.which(tool) is not None and (home / folder).is_dir():
            subprocess.run([tool, str(home / folder)], check=False, capture_output=True)
    if (home / HICOLOR).is_dir():
        (home / HICOLOR).touch()


def main(arguments: Sequence[str]) -> int:
    """Install or remove for the current user; returns the exit code."""
    home = data_home(os.environ)
    if list(arguments) == ["install"]:
        try:
            install(Path(sys.executable).parent / "clipsvd-app", home)
        except (LauncherError, OSError) as error:
            sys.stderr.write(f"error: {error}\n")
            return 1
        sys.stdout.write(f"CLIP-SVD Studio is in your desktop's menu ({home / ENTRY}).\n")
        if shutil.which("update-mime-database") is None:
            sys.stdout.write("Double-clicking files needs the package shared-mime-info; then run it again.\n")
        return 0
    if list(arguments) == ["remove"]:
        remove(home)
        sys.stdout.write("CLIP-SVD Studio is out of your desktop's menu.\n")
        return 0
    sys.stderr.write("usage: install.py install|remove\n")
    return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
