"""The project's own ``.venv``: made once, filled by pip once, and remembered by a stamp."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap import suits
from setup_error import SetupError, diagnose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NEEDED_BYTES = 4_000_000_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """What has been set up already.

    fingerprint: of everything that pip was told; extras: the optional dependencies that are in;
    system: the groups of system packages that were all there; cuda: the CUDA build was asked for.
    """

    fingerprint: str = ""
    extras: frozenset[str] = frozenset()
    system: frozenset[str] = frozenset()
    cuda: bool = False

    def has(self, fingerprint: str, extras: Iterable[str]) -> bool:
        """Tell whether pip has nothing to do."""
        return self.fingerprint == fingerprint and self.extras >= set(extras)


@dataclass(frozen=True, slots=True)
class Environment:
    """The paths of one ``.venv`` beside the project at root."""

    root: Path
    windows: bool = sys.platform == "win32"

    @property
    def folder(self) -> Path:
        """The virtual environment's folder."""
        return self.root / ".venv"

    @property
    def log(self) -> Path:
        """Where pip's words are kept."""
        return self.folder / "setup.log"

    @property
    def stamp_file(self) -> Path:
        """Where the stamp is kept."""
        return self.folder / "setup-stamp.json"

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.script("python")

    def script(self, name: str) -> Path:
        """Return the path of an installed command, for example ``ruff``."""
        return self.folder / "Scripts" / f"{name}.exe" if self.windows else self.folder / "bin" / name


def fingerprint(environment: Environment) -> str:
    """Hash what an installation depends on: the declared packages, the Python, the place."""
    project = tomllib.loads((environment.root / "pyproject.toml").read_text(encoding="utf-8"))
    facts = [
        project["build-system"],
        project["project"],
        project["tool"]["hatch"],
        python_version(environment),
        str(environment.root),
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def python_version(environment: Environment) -> tuple[int, ...]:
    """Read the version of the environment's Python from its pyvenv.cfg; () when there is none."""
    settings = environment.folder / "pyvenv.cfg"
    if not settings.is_file():
        return ()
    pairs = (line.partition("=") for line in settings.read_text(encoding="utf-8").splitlines())
    values = {key.strip(): value.strip() for key, _, value in pairs}
    digits = values.get("version", values.get("version_info", "")).split(".")[:3]
    return tuple(int(part) for part in digits if part.isdigit())


def is_usable(environment: Environment) -> bool:
    """Tell whether the environment's Python suits and still exists (its base may be gone)."""
    return environment.python.exists() and suits(python_version(environment)[:2])


def read_stamp(environment: Environment) -> Stamp:
    """Read the stamp; an absent or damaged one says that nothing has been set up."""
    try:
        values = json.loads(environment.stamp_file.read_text(encoding="utf-8"))
        return Stamp(
            values["fingerprint"],
            frozenset(values["extras"]),
            frozenset(values["system"]),
            values.get("cuda") is True,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Stamp()


def write_stamp(environment: Environment, stamp: Stamp) -> None:
    """Write the stamp in one move, so that an interruption leaves the old one or the new one."""
    values = {
        "fingerprint": stamp.fingerprint,
        "extras": sorted(stamp.extras),
        "system": sorted(stamp.system),
        "cuda": stamp.cuda,
    }
    fresh = environment.stamp_file.with_suffix(".new")
    fresh.write_text(json.dumps(values), encoding="utf-8")
    fresh.replace(environment.stamp_file)


def create(environment: Environment) -> None:
    """Make ``.venv`` afresh with the running Python."""
    refuse_a_small_disk(shutil.disk_usage(environment.root).free)
    command = [sys.executable, "-m", "venv", "--clear", str(environment.folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise venv_error(done.stdout + done.stderr)


def venv_error(output: str) -> SetupError:
    """Say why the virtual environment could not be made."""
    if "ensurepip" in output or "No module named venv" in output:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        return SetupError(
            "This Python cannot make virtual environments: its venv module is missing.",
            remedy=f"Run this as an administrator: apt-get install -y {package}",
        )
    return diagnose(output)


def refuse_a_small_disk(free_bytes: int, needed_bytes: int = NEEDED_BYTES) -> None:
    """Raise SetupError when the packages cannot fit."""
    if free_bytes < needed_bytes:
        raise SetupError(
            f"The packages need {needed_bytes / 1e9:.0f} GB, and {free_bytes / 1e9:.1f} GB are free here.",
            remedy="Free some space, or clone to a larger disk, then run it again.",
        )


def install(environment: Environment, extras: Iterable[str], heard: Callable[[str], None]) -> None:
    """Install the project in place with its pinned packages, handing each line of pip to heard.

    The stamp is taken back first: an interrupted installation is never taken for a finished one.
    """
    write_stamp(environment, replace(read_stamp(environment), fingerprint="", extras=frozenset()))
    target = f".[{','.join(sorted(extras))}]" if extras else "."
    pip_install(environment, ("--editable", target), heard)


def pip_install(environment: Environment, arguments: Iterable[str], heard: Callable[[str], None]) -> None:
    """Run pip in the environment, keeping its words in the log; its failure is told in one sentence."""
    options = ["--no-input", "--disable-pip-version-check", "--progress-bar=off"]
    command = [str(environment.python), "-um", "pip", "install", *options, *arguments]
    with (
        environment.log.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            cwd=environment.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as pip,
    ):
        assert pip.stdout is not None
        try:
            for line in pip.stdout:
                log.write(line)
                heard(line.strip())
        except SystemExit:
            pip.terminate()
            raise
    if pip.returncode != 0:
        raise diagnose(environment.log.read_text(encoding="utf-8"))
