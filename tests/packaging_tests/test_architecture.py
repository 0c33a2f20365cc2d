"""The structure of the program: imports point down, and each contract that says so bites."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
MOST_FILES = 16  # a folder that a newcomer takes in at a glance
HEAVY = ("torch", "torchvision", "open_clip", "timm", "transformers", "clipsvd_app.engine")

# contract -> offences: a module of the program and a line that it may not hold
OFFENCES = {
    "Imports point down": [
        ("errors", "import clipsvd_app.settings"),
        ("domain", "import clipsvd_app.project"),
        ("imaging", "import clipsvd_app.services"),
        ("services", "import clipsvd_app.ui"),
        ("services", "import clipsvd_app.engine"),
        ("ui", "import clipsvd_app.cli"),
    ],
    "Only the engine loads torch": [
        ("ui", "import torch"),
        ("ui", "import clipsvd_app.engine"),
        ("adapter_file", "import torch.nn"),
        ("services", "import open_clip"),
    ],
    "Only the window loads Qt": [("services", "import PySide6.QtCore"), ("cli", "import pyqtgraph")],
    "The engine never opens a project": [
        ("engine", "import clipsvd_app.project"),
        ("engine", "import clipsvd_app.services"),
    ],
    "Rooms of the engine import downwards": [
        ("engine.backbone", "import clipsvd_app.engine.jobs"),
        ("engine.statistics", "import clipsvd_app.engine.baselines"),
        ("engine.baselines", "import clipsvd_app.engine.fitting"),
    ],
    "Rooms of the services import downwards": [
        ("services.files", "import clipsvd_app.services.studies"),
        ("services.labels", "import clipsvd_app.services.runs"),
    ],
    "Rooms of imaging import downwards": [
        ("imaging.dicom", "import clipsvd_app.imaging.formats"),
        ("imaging.display", "import clipsvd_app.imaging.reading"),
    ],
    "What pages share knows no page": [
        ("ui.kit", "import clipsvd_app.ui.label"),
        ("ui.session", "import clipsvd_app.ui.pages"),
    ],
    "Only the network package opens sockets": [
        ("services", "import huggingface_hub"),
        ("engine", "import socket"),
        ("ui", "import http.client"),
    ],
    "Domain and figures are plain Python": [
        ("domain", "import numpy"),
        ("domain", "import pydicom"),
        ("figures", "import matplotlib"),
    ],
}


def lint_imports(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [LINT_IMPORTS, "--no-logo", "--no-cache"], cwd=folder, check=False, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def broken(report: str) -> set[str]:
    return set(re.findall(r"^(.+) BROKEN", report, re.MULTILINE))


@pytest.fixture
def skeleton(tmp_path: Path, repository: Path) -> Path:
    """The program's packages with nothing in them, under the real contracts."""
    settings = (repository / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    contracts = tomllib.loads(settings)["tool"]["importlinter"]["contracts"]
    modules = {
        f"{container}{name.strip()}"
        for contract in contracts
        for layer in contract.get("layers", ())
        for name in layer.split("|")
        for container in [f"{contract['containers'][0]}." if "containers" in contract else ""]
    }
    modules |= {
        name
        for contract in contracts
        for name in (*contract.get("source_modules", ()), *contract.get("forbidden_modules", ()))
        if name.startswith("clipsvd_app.")
    }
    for name in {"clipsvd_app", *modules}:
        package = tmp_path.joinpath(*name.split("."))
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text("", encoding="utf-8")
    return tmp_path


def test_every_import_contract_holds(repository: Path):
    code, report = lint_imports(repository)
    assert code == 0, report


def test_an_empty_program_breaks_no_contract(skeleton: Path):
    code, report = lint_imports(skeleton)
    assert (code, broken(report)) == (0, set()), report


@pytest.mark.parametrize(
    ("contract", "module", "line"),
    [(contract, *offence) for contract, offences in OFFENCES.items() for offence in offences],
)
def test_an_offending_import_breaks_its_contract(contract: str, module: str, line: str, skeleton: Path):
    skeleton.joinpath("clipsvd_app", *module.split("."), "__init__.py").write_text(
        f"{line}\n", encoding="utf-8"
    )
    code, report = lint_imports(skeleton)
    assert code == 1
    assert contract in broken(report), report


def test_every_contract_is_shown_to_bite(repository: Path):
    settings = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    names = {contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]}
    assert names == set(OFFENCES)


def test_every_package_of_the_program_has_its_layer(repository: Path):
    settings = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    layers = " ".join(settings["tool"]["importlinter"]["contracts"][0]["layers"])
    named = set(re.findall(r"clipsvd_app\.(\w+)", layers))
    folder = repository / "clipsvd_app"
    there = {path.stem for path in folder.glob("*.py")} | {
        path.parent.name for path in folder.glob("*/__init__.py")
    }
    assert there - {"__init__"} <= named


def test_the_tests_mirror_the_package_folder_by_folder(repository: Path):
    tests, package = repository / "tests", repository / "clipsvd_app"
    others = {"benchmarks", "golden", "packaging_tests", "support"}
    folders = {file.parent.relative_to(tests) for file in tests.rglob("test_*.py")}
    mirrored = {folder for folder in folders if not folder.parts or folder.parts[0] not in others}
    assert [str(folder) for folder in sorted(mirrored) if not (package / folder).is_dir()] == []


def test_no_folder_of_the_package_is_a_heap(repository: Path):
    package = repository / "clipsvd_app"
    crowded = {
        str(folder.relative_to(package)): len(list(folder.glob("*.py")))
        for folder in (package, *(part for part in package.rglob("*") if part.is_dir()))
    }
    assert {name: count for name, count in crowded.items() if count > MOST_FILES} == {}


def test_no_part_of_the_window_loads_torch_or_the_engine(repository: Path):
    program = (
        "import importlib, pkgutil, sys\n"
        "import clipsvd_app.ui\n"
        "for found in pkgutil.walk_packages(clipsvd_app.ui.__path__, 'clipsvd_app.ui.'):\n"
        "    importlib.import_module(found.name)\n"
        "assert 'clipsvd_app.ui.app' in sys.modules\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=repository, check=False, capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.returncode) == ("", 0), done.stderr


def test_the_command_line_starts_without_torch_or_qt(repository: Path):
    unwanted = (*HEAVY, "PySide6")
    program = (
        f"import sys, clipsvd_app.cli.main\nprint(*[name for name in {unwanted!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=repository, check=False, capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.returncode) == ("", 0), done.stderr
