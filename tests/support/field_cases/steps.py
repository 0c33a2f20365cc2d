"""What judges do: run a case's own script, or its steps one by one, in a place made ready for both."""

from __future__ import annotations

import functools
import os
import re
import runpy
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.field_cases.verdicts import ensure

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).resolve().parents[3]
BIN = Path(os.environ.get("CLIPSVD_BIN", ".venv/bin")).resolve()
LONGEST_S = 1200


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, what it answered, and all that it said."""

    code: int
    out: str
    said: str


@functools.cache
def place() -> Path:
    """Return a folder of this process in which every case may write."""
    return Path(tempfile.mkdtemp(prefix="field-cases-"))


def environment() -> dict[str, str]:
    """Return what the cases' scripts expect in their environment."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "W"}}
    return {
        **inherited,
        "TMPDIR": str(place()),
        "CLIPSVD_BIN": str(BIN),
        "PROJECT": str(PROJECT),
        "CLIPSVD_HOME": str(prepared_home()),
        "QT_QPA_PLATFORM": "offscreen",
    }


@functools.cache
def prepared_home() -> Path:
    """Make a home that knows a tiny model, and an adapter of it at the place that cases name."""
    from support.tiny_backbone import write_tiny_backbone

    home, tiny = place() / "home", place() / "tiny"
    write_tiny_backbone(tiny)
    base = place() / "clipsvd-cases" / "base"
    base.mkdir(parents=True)
    steps = [
        ["backbones", "add", tiny, "--name", "tiny"],
        ["new", base / "p.clipsvd", "--class", "normal", "--class", "bright disc"],
        ["add", base / "p.clipsvd", base / "d"],
        ["label", base / "p.clipsvd", "--from-folders"],
        ["train", base / "p.clipsvd", "--preset", "quick"],
        ["export", base / "p.clipsvd", "--run", "1", "--out", base / "a.sigma.safetensors"],
    ]
    _draw(base / "d")
    for step in steps:
        subprocess.run(
            [str(BIN / "clipsvd"), *map(str, step), "--quiet"],
            env={**os.environ, "CLIPSVD_HOME": str(home)},
            check=True,
            capture_output=True,
        )
    return home


def _draw(folder: Path) -> None:
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:64, 0:64]
    for name in ("normal", "bright disc"):
        (folder / name).mkdir(parents=True)
        for number in range(8):
            picture = rng.normal(90, 25, (64, 64)) + 40 * np.sin(x / rng.uniform(3, 9)) * np.sin(
                y / rng.uniform(3, 9)
            )
            if name != "normal":
                picture[np.hypot(y - rng.uniform(20, 44), x - rng.uniform(20, 44)) < 10] = 250
            Image.fromarray(picture.clip(0, 255).astype("uint8")).save(
                folder / name / f"{name[0]}{number}.png"
            )


def ran(case: Path, script: str = "run.sh") -> str:
    """Run a script of a case and return what it said, in its order; a traceback in it is a verdict."""
    done = subprocess.run(
        ["bash", str(case / script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment(),
        timeout=LONGEST_S,
        cwd=case,
        check=False,
    )
    ensure_no_traceback(done.stdout)
    return done.stdout


def beside_data(case: Path) -> Path:
    """Return a copy of a case that has the published images where its script looks for them."""
    home = place() / "beside-data"
    copy = home / case.name
    shutil.copytree(case, copy)
    (home / "_lib").symlink_to(case.parent / "_lib")
    (home / "shared").symlink_to(case.parents[2])
    ensure((home / "shared" / "data").is_dir(), f"the published images are not in {case.parents[2]}")
    return copy


def left(case: Path, *parts: str) -> Path:
    """Return a path in the folder where a case's script worked."""
    return place().joinpath("clipsvd-cases", case.name, *parts)


def after(said: str, heading: str) -> str:
    """Return what was said below a heading, up to the next one."""
    ensure(heading in said, f"no “{heading}” in what was said: {said[-300:]}")
    return re.split(r"^=+ ", said.split(heading, 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def emptied(case: Path, *parts: str) -> Path:
    """Return an empty folder for the steps of a case."""
    folder = left(case, *parts)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def draw(case: Path, pictures: Mapping[Path, tuple[int, int]]) -> None:
    """Draw pictures as the cases' scripts do: path to seed and kind (0 plain, 1 with a bright disc)."""
    save = runpy.run_path(str(case.parent / "_lib" / "synth.py"))["save"]
    for path, (seed, kind) in pictures.items():
        save(path, seed, kind)


def clipsvd(folder: Path, *words: object) -> Done:
    """Run a command of the program in a folder; a traceback is a verdict of its own."""
    return _done(folder, [str(BIN / "clipsvd"), *map(str, words), "--quiet"])


def done_by(folder: Path, *words: object) -> str:
    """Run a command that has to succeed and return what it said."""
    done = clipsvd(folder, *words)
    ensure(done.code == 0, f"{words[0]}: rc {done.code}, {done.said[-300:]}")
    return done.said


def program(folder: Path, text: str, *words: object) -> Done:
    """Run a program in Python that uses the product."""
    return _done(folder, [str(BIN / "python"), "-c", text, *map(str, words)])


def _done(folder: Path, command: list[str]) -> Done:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        env=environment(),
        timeout=LONGEST_S,
        cwd=folder,
        check=False,
    )
    said = done.stdout + done.stderr
    ensure_no_traceback(said)
    return Done(done.returncode, done.stdout, said)


def ensure_no_traceback(said: str) -> None:
    """Raise WrongError where Python's own words about a fault were shown."""
    ensure("Traceback" not in said, f"traceback: {said[said.rfind('Traceback') :][-300:]}")
