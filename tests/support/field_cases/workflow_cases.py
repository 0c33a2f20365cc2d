"""Judges of the workflow cases, by what each case's own script or its steps print and leave behind."""

from __future__ import annotations

import csv
import json
import re
import shutil
from typing import TYPE_CHECKING, Any

from support.field_cases import steps
from support.field_cases.steps import (
    PROJECT,
    after,
    beside_data,
    clipsvd,
    done_by,
    draw,
    emptied,
    left,
    program,
    ran,
)
from support.field_cases.verdicts import ensure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ABORTED = 134


def auroc_and_repeat(case: Path) -> None:
    said = ran(case)
    first, again, other_order = (_adapter(left(case, f"a{number}.sigma.safetensors")) for number in (1, 2, 3))
    _ensure_alike(first, again, "the same command twice")
    _ensure_alike(first, other_order, "another order of adding")
    found = re.search(r"AUROC stated (\S+) sklearn (\S+)", said)
    ensure(found, said[-300:])
    if found and found[1] != "None":
        ensure(abs(float(found[1]) - float(found[2])) < 1e-9, f"AUROC {found[1]}, not {found[2]}")


def _adapter(file: Path) -> dict[str, Any]:
    """Return tensors and metadata of an adapter, but for the time that its training took."""
    from safetensors import safe_open

    with safe_open(file, "numpy") as opened:
        (stated,) = opened.metadata().values()
        document = json.loads(stated)
        document["training"].pop("seconds")
        return {name: opened.get_tensor(name).tobytes() for name in opened.keys()} | {"document": document}  # noqa: SIM118


def _ensure_alike(one: dict[str, Any], other: dict[str, Any], of: str) -> None:
    ensure(set(one) == set(other), f"{of}: other tensors")
    unlike = [name for name in one if one[name] != other[name]]
    ensure(not unlike, f"{of} gives other values of {len(unlike)} of {len(one)}: {unlike[:3]}")


def backbone_forms(case: Path) -> None:
    said = ran(case)
    ends = {
        form: (code, text)
        for form, code, text in re.findall(r"^== (\S+) rc (\d+): ?(.*)$", said, re.MULTILINE)
    }
    ensure(len(ends) > 20, f"{len(ends)} forms: {said[-300:]}")
    for form, word in (("jit", "TorchScript"), ("transformers", "transformers layout")):
        ensure(ends[form][0] == "1" and word in ends[form][1], f"{form}: {ends[form]}")
    for form in _TAKEN_FORMS:
        ensure(ends[form][0] == "0", f"{form}: {ends[form]}")
    for form, (code, text) in ends.items():
        # the weights of “eva” are another model's where this open_clip cannot build that tower
        misled = "damaged" in text or ("Download the folder again" in text and form != "eva")
        ensure(code in "01" and not misled, f"{form}: {code} {text}")
    compared = re.findall(r"^(\S+) +image diff (\S+) +text diff (\S+)$", said, re.MULTILINE)
    # forms of equal weights are kept once
    ensure({"fp16", "layerscale", "longctx"} <= {form for form, *_ in compared}, f"compared: {compared}")
    for form, a, b in compared:
        ensure(float(a) < 1e-4 and float(b) < 1e-4, f"{form} differs from open_clip: {a}, {b}")


_TAKEN_FORMS = ("plain", "quickgelu", "module-prefix", "fp16", "extra-key", "longctx", "patchdrop")


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
    found = re.findall(r"largest groups \[(\d+)", ran(beside_data(case)))
    ensure(len(found) == 5, f"{len(found)} of the five sets were added")
    ensure(all(int(count) <= 3 for count in found), f"different pictures joined: {found}")


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
    folder = emptied(case)
    first = {folder / f"d/case{number}.png": (3300 + number, int(number < 5)) for number in range(10)}
    draw(case, first)
    lines = [f"{path.name},{'mass' if kind else 'normal'}" for path, (_seed, kind) in first.items()]
    (folder / "t.csv").write_text("\n".join(["path,class", *lines]), "utf-8")
    done_by(folder, "new", "p.clipsvd", "--class", "normal", "--class", "mass", "--backbone", "tiny")
    done_by(folder, "add", "p.clipsvd", "d")
    done_by(folder, "label", "p.clipsvd", "--csv", "t.csv")
    train = ("train", "p.clipsvd", "--preset", "quick")
    done_by(folder, *train)

    draw(case, {path: (seed, 1 - kind) for path, (seed, kind) in first.items()})
    for words in (train, ("evaluate", "p.clipsvd", "--preset", "quick")):
        done = clipsvd(folder, *words)
        ensure(done.code == 1 and "10 of 10" in done.said, f"{words[0]} rc {done.code}: {done.said[-300:]}")
    done = clipsvd(folder, "explain", "p.clipsvd", "--image", "d/case0.png")
    ensure(done.code == 1 and "case0.png" in done.said, f"explains another picture: {done.said[-300:]}")
    runs = json.loads(clipsvd(folder, "runs", "p.clipsvd", "--json").out)["runs"]
    ensure(len(runs) == 1, f"{len(runs)} runs")

    draw(case, {path: first[path] for path in list(first)[:3] + list(first)[-3:]})
    done = clipsvd(folder, *train, "--json")
    ensure(done.code == 0 and "4 of 10" in done.said, f"4 others: rc {done.code}, {done.said[:300]}")
    trained = json.loads(done.out)["train_images"]
    ensure(trained <= 6, f"trained on {trained} where 6 are the ones that were labelled")


def imbalance(case: Path) -> None:
    said = ran(case)
    for part in re.split(r"^=== ", said, flags=re.MULTILINE)[1:]:
        ensure(re.search(r"rc [0-2]$", part, re.MULTILINE), part[-300:])


def network_mounts(case: Path) -> None:
    """Where the journal is the same on every drive, no kind of mount can be taken for another."""
    folder = emptied(case, "My Share")
    draw(case, {folder / "d/1.png": (1, 0)})
    done_by(folder, "new", "p.clipsvd", "--class", "a", "--class", "b")
    done_by(folder, "add", "p.clipsvd", "d")
    done = program(folder, _LABEL_ON_MOUNTS, *_MOUNTS)
    found = re.findall(r"^(\S+) versions 1 1 log False$", done.said, re.MULTILINE)
    ensure(found == list(_MOUNTS), f"not rollback on {sorted(set(_MOUNTS) - set(found))}: {done.said[-300:]}")


_MOUNTS = (
    *("nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "ceph", "afs", "autofs", "9p", "vboxsf"),
    *("davfs", "fuse", "fuse.rclone", "fuse.gvfsd-fuse", "fuse.sshfs", "fuse.glusterfs", "ext4", "no-table"),
)
# The versions (bytes 18 and 19) are 2 where a file has a write-ahead log: sqlite.org/fileformat.html, 1.3.3.
_LABEL_ON_MOUNTS = r"""
import builtins, io, sys
from pathlib import Path
from clipsvd_app.project import open_project
from clipsvd_app.services.labels.labels import set_labels

opened = io.open

def told(file, mode="r", *rest, **options):
    if str(file) not in ("/proc/mounts", "/proc/self/mounts", "/etc/mtab"):
        return opened(file, mode, *rest, **options)
    if kind == "no-table":
        raise FileNotFoundError(file)
    here = str(Path.cwd()).replace(" ", "\\040")
    table = f"/dev/sda / ext4 rw 0 0\n//server/x {here} {kind} rw 0 0\n"
    return io.BytesIO(table.encode()) if "b" in mode else io.StringIO(table)

builtins.open = io.open = told
for kind in sys.argv[1:]:
    project = open_project(Path("p.clipsvd"))
    for known in project.classes():
        project.apply(set_labels([image.id for image in project.images()], known.id))
    with opened("p.clipsvd", "rb") as file:
        versions = file.read(20)[18:]
    print(kind, "versions", *versions, "log", Path("p.clipsvd-wal").exists())
    project.close()
"""


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
    folder, adapter = emptied(case), steps.prepared_home().parent / "clipsvd-cases/base/a.sigma.safetensors"
    names = [f"P{patient}/{number}.png" for patient in range(3) for number in (1, 2)]
    draw(case, {folder / "new" / name: (1700 + place, place % 2) for place, name in enumerate(names)})
    done_by(folder, "predict", "new", "--adapter", adapter, "--csv", "out.csv")
    ensure_traceable(folder / "out.csv", names)
    done_by(folder, "predict", "new/P0", "new/P1", "new/P2", "--adapter", adapter, "--csv", "each.csv")
    ensure_traceable(folder / "each.csv", names)
    shown = done_by(folder, "predict", "new", "--adapter", adapter)
    ensure(all(name in shown for name in names), f"not on the screen: {shown[:300]}")

    table = folder / "mylabels.csv"
    table.write_text("path,class\nnew/P0/1.png,benign\n", "utf-8")
    taken = clipsvd(folder, "predict", "new/P0", "--adapter", adapter, "--csv", table)
    ensure(taken.code == 1 and "--overwrite" in taken.said, f"rc {taken.code}: {taken.said[-300:]}")
    ensure(table.read_text("utf-8").startswith("path,class\n"), "an existing table was replaced")
    nowhere = clipsvd(folder, "predict", "new/P0", "--adapter", adapter, "--csv", "nowhere/out.csv")
    ensure(nowhere.code == 1 and "nowhere" in nowhere.said, f"rc {nowhere.code}: {nowhere.said[-300:]}")
    ensure("predicted" not in nowhere.said, "the folder that is not there is said after the work")


def ensure_traceable(table: Path, names: list[str]) -> None:
    """Raise WrongError unless every line leads to one file, by a path in one of its own cells."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    found = [[name for name in names if any(cell.endswith(name) for cell in row.values())] for row in rows]
    ensure(sorted(found) == [[name] for name in names], f"{table.name}: lines and their files: {found}")


def prompt_length(case: Path) -> None:
    """Classes that the model sees as one are refused by name before anything is trained; others are not."""
    trained = ran(case, "train.sh")
    ensure(re.search(r"^rc [12]$", trained, re.MULTILINE), f"trains on identical prompts: {trained[-300:]}")
    ensure("benign" in trained and "malignant" in trained, f"classes are not named: {trained[-300:]}")
    folder = emptied(case)
    kinds = {f"{'ab'[kind]}{number}.png": kind for kind in (0, 1) for number in range(5)}
    draw(case, {folder / "d" / name: (1800 + seed, kinds[name]) for seed, name in enumerate(kinds)})
    for script, (first, second) in _CLASSES.items():
        names = [entry.split("=")[0] for entry in (first, second)]
        lines = [f"{name},{names[kind]}" for name, kind in kinds.items()]
        (folder / "t.csv").write_text("\n".join(["path,class", *lines]), "utf-8")
        project = f"{script}.clipsvd"
        done_by(folder, "new", project, "--class", first, "--class", second)
        done_by(folder, "add", project, "d")
        done_by(folder, "label", project, "--csv", "t.csv")
        done = clipsvd(folder, "train", project, "--preset", "quick", "--shots", "2")
        if _same_ids(first, second):
            ensure(done.code == 1, f"{script}: trains on identical prompts: {done.said[-300:]}")
            ensure(all(name in done.said for name in names), f"{script}: not named: {done.said[-300:]}")
        else:
            ensure(done.code == 0, f"{script}: refused: {done.said[-300:]}")


_HEAD = "an ultrasound image of the breast in the radial plane showing tissue of mixed echogenicity with " * 5
_CLASSES = {
    "long": (f"benign={_HEAD}a smooth oval mass", f"malignant={_HEAD}a spiculated irregular mass"),
    "chinese": ("气胸", "正常"),
    "cyrillic": ("норма", "пневмония"),
    "arabic": ("طبيعي", "ورم"),
    "german": ("Rückfluss", "Ödem"),
    "numbers": ("2", "3"),
}


def _same_ids(first: str, second: str) -> bool:
    """Ask the bundled model's own tokenizer, without the program, whether it reads one and the same."""
    from transformers import AutoTokenizer

    model = PROJECT / "resources" / "backbones" / "demo"
    tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=True)
    context = json.loads((model / "open_clip_config.json").read_text("utf-8"))
    length = context["model_cfg"]["text_cfg"]["context_length"]
    texts = [entry.split("=")[1] if "=" in entry else f"an image of {entry}" for entry in (first, second)]
    ids = tokenizer(texts, truncation=True, max_length=length)["input_ids"]
    return bool(ids[0] == ids[1])


def python_limits(_case: Path) -> None:
    text = (PROJECT / "pyproject.toml").read_text("utf-8")
    found = re.search(r'requires-python = "([^"]+)"', text)
    ensure(found and "<" in found[1], "no upper end of Python")


def relabel_again(case: Path) -> None:
    said = ran(case)
    before, later = (_labels_by_name(left(case, table)) for table in ("a.csv", "b.csv"))
    ensure(len(before) == 10, f"{len(before)} lines: {said[-300:]}")
    lost = {name: (before[name], later.get(name)) for name in before if later.get(name) != before[name]}
    ensure(not lost, f"before and after: {lost}")
    ensure(later.get("normal9.png") == ("normal", ""), f"the new image is {later.get('normal9.png')}")


def _labels_by_name(table: Path) -> dict[str, tuple[str, str]]:
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        return {
            row["path"].replace("\\", "/").rpartition("/")[2]: (row["class"], row["mark"]) for row in rows
        }


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
    folder = emptied(case)
    draw(case, {folder / f"img/{number}.png": (1200 + number, number % 2) for number in range(40)})
    done_by(folder, "new", "study.clipsvd", "--class", "a", "--class", "b")
    done_by(folder, "add", "study.clipsvd", "img")
    killed = program(folder, _LABEL_COPY_AND_DIE)
    ensure(killed.code == -9, f"the session was not killed: rc {killed.code}, {killed.said[-300:]}")
    acknowledged = [int(found) for found in re.findall(r"^acknowledged (\d+)$", killed.said, re.MULTILINE)]
    ensure(acknowledged == [1, 20, 40], f"acknowledged {acknowledged}")
    for count in acknowledged:
        ensure_labels(folder / f"copied-{count}", count, "copied while open")
    (folder / "moved").mkdir()
    shutil.move(folder / "study.clipsvd", folder / "moved")
    ensure_labels(folder / "moved", acknowledged[-1], "moved after the kill")


def ensure_labels(folder: Path, count: int, how: str) -> None:
    done_by(folder, "labels", "study.clipsvd", "--out", "labels.csv")
    with (folder / "labels.csv").open(encoding="utf-8-sig", newline="") as file:
        found = sum(row["class"] in {"a", "b"} for row in csv.DictReader(file))
    ensure(found == count, f"{how}: {count} acknowledged, {found} there")


_LABEL_COPY_AND_DIE = """
import os, shutil, signal
from pathlib import Path
from clipsvd_app.project import open_project
from clipsvd_app.services.labels.labels import set_labels

project = open_project(Path("study.clipsvd"))
classes = [known.id for known in project.classes()]
for count, image in enumerate(project.images(), start=1):
    project.apply(set_labels([image.id], classes[count % 2]))
    if count in (1, 20, 40):
        print("acknowledged", count, flush=True)
        Path(f"copied-{count}").mkdir()
        shutil.copy("study.clipsvd", f"copied-{count}")
os.kill(os.getpid(), signal.SIGKILL)
"""


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
