"""Judges of the workflow cases, by what each case's own script prints and leaves behind."""

from __future__ import annotations

import csv
import functools
import os
import re
import sqlite3
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from support.field_cases.verdicts import ensure

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).resolve().parents[3]
BIN = Path(os.environ.get("CLIPSVD_BIN", ".venv/bin")).resolve()
ABORTED = 134
LONGEST_S = 1200


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
    """Run a script of a case and return what it said; a traceback in it is a verdict of its own."""
    done = subprocess.run(
        ["bash", str(case / script)],
        capture_output=True,
        text=True,
        errors="replace",
        env=environment(),
        timeout=LONGEST_S,
        cwd=case,
        check=False,
    )
    said = done.stdout + done.stderr
    ensure("Traceback" not in said, f"traceback: {said[said.rfind('Traceback') :][-300:]}")
    return said


def left(case: Path, *parts: str) -> Path:
    """Return a path in the folder where a case's script worked."""
    return place().joinpath("clipsvd-cases", case.name, *parts)


def after(said: str, heading: str) -> str:
    """Return what was said below a heading, up to the next one."""
    ensure(heading in said, f"no “{heading}” in what was said: {said[-300:]}")
    return re.split(r"^=+ ", said.split(heading, 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def auroc_and_repeat(case: Path) -> None:
    said = ran(case)
    ensure("run twice: equal bytes" in said, "the same command twice gives other bytes")
    ensure("other order of adding: equal bytes" in said, "another order of adding gives other bytes")
    found = re.search(r"AUROC stated (\S+) sklearn (\S+)", said)
    ensure(found, said[-300:])
    if found and found[1] != "None":
        ensure(abs(float(found[1]) - float(found[2])) < 1e-9, f"AUROC {found[1]}, not {found[2]}")


def backbone_forms(case: Path) -> None:
    said = ran(case)
    for name, word in (("jit", "TorchScript"), ("transformers", "transformers")):
        line = next(
            line
            for line in said.splitlines()
            if line.startswith(f"== b-{name} rc") or line.startswith(f"== {name} rc")
        )
        ensure(word in line, line)
    for a, b in re.findall(r"image diff (\S+)\s+text diff (\S+)", said):
        ensure(float(a) < 1e-4 and float(b) < 1e-4, f"differs from open_clip: {a}, {b}")


def class_name_forms(case: Path) -> None:
    said = ran(case)
    for form, other in (("double", "'pleural effusion'"), ("lead", "'mass'"), ("nfd", None), ("case", None)):
        text = after(said, f"== {form}\n")
        counts = dict(re.findall(r"class (.+?) (\d+)$", text, re.MULTILINE))
        ensure(counts.get("'normal'") == "2", f"{form}: {counts}")
        if other:
            ensure(counts.get(other) == "2", f"{form}: {counts}")
        else:
            ensure(len(counts) == 2 and set(counts.values()) == {"2"}, f"{form}: {counts}")
    ensure("rc 0" not in after(said, "== typed twice"), "three spellings of one name were accepted")


def csv_basename_cross(case: Path) -> None:
    said = ran(case)
    rows = list(csv.reader(left(case, "out.csv").open(encoding="utf-8")))
    ensure(any("benign" in row for row in rows[1:]), f"label lost: {rows}; {said[-200:]}")
    ensure(not any("malignant" in row for row in rows[1:]), f"relabelled: {rows}")


def dark_crops(case: Path) -> None:
    said = ran(case)
    for found in re.findall(r"largest groups \[(\d+)", said):
        ensure(int(found) <= 3, f"{found} different pictures joined")
    ensure("largest groups" in said, said[-300:])


def folds_old_sklearn(_case: Path) -> None:
    from packaging.requirements import Requirement
    from packaging.version import Version

    line = next(
        line
        for line in (PROJECT / "pyproject.toml").read_text("utf-8").splitlines()
        if "scikit-learn" in line
    )
    requirement = Requirement(line.strip().strip('",'))
    ensure(not requirement.specifier.contains(Version("1.7.2")), f"{requirement} allows 1.7.2")
    ensure(requirement.specifier.contains(Version("1.9.1")), f"{requirement} shuts out 1.9.1")


def full_data_disk(case: Path) -> None:
    said = ran(case)
    ensure(re.search(r"^rc 0$", said, re.MULTILINE), f"refused: {said[-300:]}")
    ensure("refused" not in said and "was not saved" not in said, said[-300:])
    backups = re.findall(r"(\S+\.clipsvd) (\d+) \((\d+),\)", said)
    ensure(backups and all(int(tables) > 0 for _name, _size, tables in backups), f"empty backups: {backups}")


def image_replaced(case: Path) -> None:
    said = ran(case)
    after_text = left(case, "after.txt").read_text("utf-8")
    ensure(re.search(r"\b10\b", after_text), f"no count: {after_text[-300:]}")
    database = sqlite3.connect(left(case, "p.clipsvd"))
    runs = database.execute("select count(*) from run").fetchone()[0]
    database.close()
    ensure(runs == 1, f"trained on other pictures: {said[-200:]}")


def imbalance(case: Path) -> None:
    said = ran(case)
    for part in re.split(r"^=== ", said, flags=re.MULTILINE)[1:]:
        ensure(re.search(r"rc [0-2]$", part, re.MULTILINE), part[-300:])


def network_mounts(case: Path) -> None:
    said = ran(case)
    wrong = [line for line in said.splitlines() if "taken for local" in line]
    ensure(not wrong and "network: DELETE" in said, f"{wrong} {said[-200:]}")


def odd_places(case: Path) -> None:
    said = ran(case)
    ensure("window rc 124" in said, said[-300:])
    style = ran(case, "style.sh")
    ensure("Could not parse" not in style, "the style sheet is lost in some folder")
    ensure(style.count("shown") >= 12, f"shown {style.count('shown')} times")


def patient_folder_relative(case: Path) -> None:
    found = [int(n) for n in re.findall(r"patients (\d+)", ran(case))]
    ensure(found and set(found) == {6}, f"patients {found}")


def patient_table_columns(case: Path) -> None:
    found = re.findall(r"^(\w+) patients: (\d+)", ran(case), re.MULTILINE)
    ensure(len(found) == 4 and all(count == "6" for _name, count in found), f"{found}")


def predict_table(case: Path) -> None:
    said = ran(case)
    rows = list(csv.DictReader(left(case, "out.csv").open(encoding="utf-8-sig")))
    new = left(case, "new")
    ensure(len(rows) == 6, f"{len(rows)} lines")
    files = [path.relative_to(new).as_posix() for path in new.rglob("*.png")]
    for row in rows:
        mates = [name for name in files if any(value and str(value).endswith(name) for value in row.values())]
        ensure(len(mates) == 1, f"a line with {len(mates)} files: {list(row.values())[:3]}")
    ensure("my label table is now: path,class" in said, "an existing table was replaced")
    ensure(re.findall(r"^rc (\d)", said, re.MULTILINE)[-1] != "0", "a folder that is not there was accepted")


def prompt_length(case: Path) -> None:
    said = ran(case)
    ensure("identical True" in said, f"the case no longer shows what it should: {said[-300:]}")
    trained = ran_train(case)
    ensure(re.search(r"^rc [12]$", trained, re.MULTILINE), f"trains on identical prompts: {trained[-300:]}")
    ensure("benign" in trained and "malignant" in trained, f"classes are not named: {trained[-300:]}")


def ran_train(case: Path) -> str:
    return ran(case, "train.sh")


def python_limits(_case: Path) -> None:
    text = (PROJECT / "pyproject.toml").read_text("utf-8")
    found = re.search(r'requires-python = "([^"]+)"', text)
    ensure(found and "<" in found[1], "no upper end of Python")


def relabel_again(case: Path) -> None:
    said = ran(case)
    before = re.split(r"== label --from-folders again", said.split("== before")[1])[0].strip()
    later = said.split("== after")[1].strip()
    ensure(before == later, f"before {before!r}, after {later!r}")


def same_image_two_classes(case: Path) -> None:
    said = ran(case)
    ensure("3" in after(said, "== label --from-folders\n"), f"no count: {said[-400:]}")
    ensure(re.search(r"two|both|different|several", after(said, "== label --from-folders\n")), said[-400:])
    ensure(
        re.search(r"two|both|different|several|contradict", after(said, "== table with both\n")), said[-400:]
    )


def start_up(case: Path) -> None:
    said = ran(case)
    ensure(str(ABORTED) not in said, "aborts")
    for heading in ("a no display", "b dead DISPLAY", "c dead WAYLAND", "d unknown platform"):
        text = after(said, f"== {heading}")
        ensure("rc 1 " in text or "rc 2 " in text, f"{heading}: {text[:200]}")
        lines = [line for line in text.splitlines()[1:] if line.strip() and "rc " not in line]
        ensure(1 <= len(lines) <= 2, f"{heading}: {lines}")


def unc_project(case: Path) -> None:
    said = ran(case)
    ensure("CRASH" not in said, said[-300:])


def wal_copy(case: Path) -> None:
    said = ran(case)
    found = re.search(r"acknowledged (\d+) labels", said)
    copied = re.search(r"labels in the copy (\d+)", said)
    ensure(found and copied, said[-300:])
    whole = found and copied and found[1] == copied[1]
    warned = re.search(r"backup|not whole|missing", said)
    ensure(whole or warned, f"{found and found[1]} acknowledged, {copied and copied[1]} in the copy")


WORKFLOW: dict[str, Callable[[Path], None]] = {
    "auroc-and-repeat": auroc_and_repeat,
    "backbone-forms": backbone_forms,
    "class-name-forms": class_name_forms,
    "csv-basename-cross": csv_basename_cross,
    "dark-crops": dark_crops,
    "folds-old-sklearn": folds_old_sklearn,
    "full-data-disk": full_data_disk,
    "image-replaced": image_replaced,
    "imbalance": imbalance,
    "network-mounts": network_mounts,
    "odd-places": odd_places,
    "patient-folder-relative": patient_folder_relative,
    "patient-table-columns": patient_table_columns,
    "predict-table": predict_table,
    "prompt-length": prompt_length,
    "python-limits": python_limits,
    "relabel-again": relabel_again,
    "same-image-two-classes": same_image_two_classes,
    "start-up": start_up,
    "unc-project": unc_project,
    "wal-copy": wal_copy,
}
