"""Set-up from a fresh clone: what it decides, what it says, what it remembers."""

from __future__ import annotations

import ast
import importlib.metadata
import io
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from typing import TYPE_CHECKING

import bootstrap
import cuda_build
import environment as venv
import pytest
import setup_commands
import setup_error
import system_packages
from console import Console
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from setup_commands import COMMANDS, Machine, Step

if TYPE_CHECKING:
    from pathlib import Path

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'
MINT = 'ID=linuxmint\nID_LIKE="ubuntu debian"\n'
FEDORA = "ID=fedora\n"
HEADLESS = Machine("linux", DEBIAN, is_root=True, environ={})
DESKTOP = Machine("linux", DEBIAN, is_root=False, environ={"DISPLAY": ":0"})


@pytest.fixture
def environment(tmp_path: Path) -> venv.Environment:
    """A project of one package with a made, empty ``.venv``."""
    result = venv.Environment(tmp_path, windows=False)
    (tmp_path / "pyproject.toml").write_text(pyproject("numpy>=2"), encoding="utf-8")
    result.python.parent.mkdir(parents=True)
    result.python.touch()
    (result.folder / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.4\n", encoding="utf-8")
    return result


def pyproject(dependency: str, line_length: int = 110) -> str:
    return (
        '[build-system]\nrequires = ["hatchling"]\n'
        f'[project]\nname = "x"\ndependencies = ["{dependency}"]\n'
        f"[tool.hatch.version]\npath = 'x'\n[tool.ruff]\nline-length = {line_length}\n"
    )


# --- system packages


@pytest.mark.parametrize(
    ("os_release", "expected"), [(DEBIAN, True), (MINT, True), (FEDORA, False), ("", False)]
)
def test_only_debian_and_its_kin_are_asked_for_packages(os_release: str, expected: bool):
    assert system_packages.is_debian(os_release) is expected


def test_a_removed_package_counts_as_missing_and_a_t64_name_as_there():
    answer = "libgl1 installed\nlibglib2.0-0t64 installed\nlibegl1 config-files\n"
    wanted = ("libgl1", "libglib2.0-0", "libegl1", "libdbus-1-3")
    assert system_packages.missing(wanted, answer) == ("libegl1", "libdbus-1-3")


def test_the_administrators_line_is_one_line_that_names_every_package():
    line = system_packages.install_line(("libgl1", "libegl1"))
    assert line == "sudo apt-get update && sudo apt-get install -y libgl1 libegl1"


def test_a_failed_package_installation_says_apts_last_word_and_the_line_to_run():
    def apt(arguments):
        return (
            (100, "Reading lists\nE: Unable to locate package libgl1\n")
            if arguments[0] == "install"
            else (0, "")
        )

    with pytest.raises(setup_error.SetupError) as caught:
        system_packages.install(("libgl1",), apt)
    assert caught.value.message.endswith("E: Unable to locate package libgl1")
    assert "sudo apt-get install -y libgl1" in caught.value.remedy.replace("update && ", "")


def test_a_stale_package_list_alone_does_not_stop_an_installation():
    system_packages.install(("libgl1",), lambda arguments: (int(arguments[0] == "update"), ""))


# --- the stamp


def test_a_finished_set_up_has_nothing_to_do_the_second_time(environment: venv.Environment):
    venv.write_stamp(environment, venv.Stamp(venv.fingerprint(environment), frozenset({"dev"}), frozenset()))
    stamp = venv.read_stamp(environment)
    assert stamp.has(venv.fingerprint(environment), {"dev"})
    assert stamp.has(venv.fingerprint(environment), ())


def test_a_user_without_the_development_tools_gets_them_before_the_tests(environment: venv.Environment):
    stamp = venv.Stamp(venv.fingerprint(environment))
    assert not stamp.has(venv.fingerprint(environment), {"dev"})


def test_a_changed_dependency_is_installed_and_a_changed_linter_setting_is_not(environment: venv.Environment):
    before = venv.fingerprint(environment)
    (environment.root / "pyproject.toml").write_text(pyproject("numpy>=2", line_length=90), encoding="utf-8")
    assert venv.fingerprint(environment) == before
    (environment.root / "pyproject.toml").write_text(pyproject("numpy>=3"), encoding="utf-8")
    assert venv.fingerprint(environment) != before


def test_another_python_in_the_environment_means_another_installation(environment: venv.Environment):
    before = venv.fingerprint(environment)
    (environment.folder / "pyvenv.cfg").write_text("version = 3.13.0\n", encoding="utf-8")
    assert venv.fingerprint(environment) != before


@given(text=st.text(max_size=40))
def test_a_damaged_stamp_means_set_up_again(text: str, tmp_path_factory: pytest.TempPathFactory):
    environment = venv.Environment(tmp_path_factory.mktemp("damaged"))
    environment.folder.mkdir()
    environment.stamp_file.write_text(text, encoding="utf-8")
    assert venv.read_stamp(environment) == venv.Stamp()


def test_an_environment_whose_python_is_gone_or_too_old_is_made_again(environment: venv.Environment):
    assert venv.is_usable(environment)
    (environment.folder / "pyvenv.cfg").write_text("version = 3.10.9\n", encoding="utf-8")
    assert not venv.is_usable(environment)
    (environment.folder / "pyvenv.cfg").write_text("version = 3.12.4\n", encoding="utf-8")
    environment.python.unlink()
    assert not venv.is_usable(environment)


def test_the_second_start_says_nothing_and_runs_no_installer(environment: venv.Environment):
    command = COMMANDS["app"]
    known = venv.Stamp(venv.fingerprint(environment), command.extras, frozenset(command.system))
    venv.write_stamp(environment, known)
    said = io.StringIO()
    setup_commands.prepare(command, environment, HEADLESS, Console(said))
    assert said.getvalue() == ""
    assert not environment.log.exists()


# --- what it says


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk is full."),
        (
            "NewConnectionError: [Errno -3] Temporary failure in name resolution\n"
            "ERROR: No matching distribution found for torch==2.13.0",
            "The package registry cannot be reached.",
        ),
        (
            "ERROR: No matching distribution found for torch==2.13.0",
            "There is no torch==2.13.0 for this Python and system.",
        ),
        (
            "SSLError(SSLCertVerificationError(1, ...",
            "The package registry's certificate is not trusted here.",
        ),
        ("ERROR: [Errno 13] Permission denied: '/x'", "A file of the set-up cannot be written."),
        ("Collecting a\nERROR: odd\nhint", "The packages could not be installed: ERROR: odd"),
        ("", "The packages could not be installed: pip said nothing."),
    ],
)
def test_a_failed_installation_is_told_in_one_sentence_with_a_remedy(log: str, message: str):
    found = setup_error.diagnose(log)
    assert found.message == message
    assert found.remedy.endswith(".")


def test_a_python_without_venv_is_told_which_package_to_install():
    found = venv.venv_error("The virtual environment was not created because ensurepip is not available.")
    assert f"python{sys.version_info.major}.{sys.version_info.minor}-venv" in found.remedy


def test_a_disk_that_cannot_hold_the_packages_is_refused_before_the_download():
    venv.refuse_a_small_disk(venv.NEEDED_BYTES)
    with pytest.raises(setup_error.SetupError, match=r"1\.5 GB are free"):
        venv.refuse_a_small_disk(1_500_000_000)


def test_a_user_who_is_no_administrator_is_told_the_line_and_goes_on():
    said = io.StringIO()
    assert not setup_commands.complete(
        ("libgl1", "libegl1"), DESKTOP, Console(said), lambda _: "libgl1 installed"
    )
    assert said.getvalue().count("\n") == 2
    assert "sudo apt-get install -y libegl1\n" in said.getvalue().replace("sudo apt-get update && ", "")


def test_nothing_is_said_when_every_system_package_is_there():
    said = io.StringIO()
    assert setup_commands.complete(("libgl1",), HEADLESS, Console(said), lambda names: "libgl1 installed")
    assert said.getvalue() == ""


# --- the commands


def test_without_a_display_the_app_becomes_the_demo(environment: venv.Environment):
    (headless,) = COMMANDS["app"].plan(environment, HEADLESS, ())
    (desktop,) = COMMANDS["app"].plan(environment, DESKTOP, ())
    assert headless.argv[-3:] == ("-m", "clipsvd_app.cli", "demo")
    assert desktop.argv[-3:] == ("-m", "clipsvd_app", "--demo")


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ""}, False),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("win32", {}, True),
        ("darwin", {}, True),
    ],
)
def test_a_display_is_only_ever_missing_on_linux(platform: str, environ: dict[str, str], expected: bool):
    assert Machine(platform, environ=environ).has_display is expected


def test_the_program_never_imports_from_the_folder_it_is_started_in(environment: venv.Environment):
    for name in ("app", "demo", "test"):
        (step,) = COMMANDS[name].plan(environment, DESKTOP, ())
        assert "-P" in step.argv


def test_the_tests_run_offscreen(environment: venv.Environment):
    (step,) = COMMANDS["test"].plan(environment, DESKTOP, ("-k", "undo"))
    assert step.environ["QT_QPA_PLATFORM"] == "offscreen"
    assert step.argv[-2:] == ("-k", "undo")


def test_lint_runs_the_linter_the_formatter_the_types_and_the_contracts(environment: venv.Environment):
    names = [step.name for step in COMMANDS["lint"].plan(environment, DESKTOP, ())]
    assert names == ["ruff check", "ruff format", "mypy", "import contracts"]


def test_the_launcher_is_refused_where_there_is_no_linux_desktop(environment: venv.Environment):
    with pytest.raises(setup_error.SetupError, match="Linux"):
        COMMANDS["launcher"].plan(environment, Machine("darwin", environ={}), ())


def test_make_and_bootstrap_have_the_same_commands(repository: Path):
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^COMMANDS := (.*)$", makefile, re.MULTILINE)
    assert targets is not None
    assert set(targets[1].split()) == set(COMMANDS)


def test_every_system_package_group_that_a_command_names_exists():
    assert {group for command in COMMANDS.values() for group in command.system} == set(system_packages.GROUPS)


# --- PyTorch's CUDA build


class FakePip:
    """Installs what it is told, in words; torch is a CUDA build afterwards if ``works``."""

    def __init__(self, cuda: str = "", *, works: bool = True):
        self.cuda, self.works, self.told = cuda, works, []

    def cuda_of(self, environment: venv.Environment) -> str:
        return self.cuda

    def install(self, environment, arguments, heard):
        self.told.append(tuple(arguments))
        heard("Downloading")
        self.cuda = "13.0" if self.works else ""


def ensure_cuda(environment: venv.Environment, pip: FakePip) -> str:
    said = io.StringIO()
    setup_commands.ensure_cuda(environment, Console(said), pip.cuda_of, pip.install)
    return said.getvalue()


@pytest.fixture
def with_torch(environment: venv.Environment) -> venv.Environment:
    pins = pyproject('torch==2.13.0", "torchvision==0.28.0", "numpy>=2')
    (environment.root / "pyproject.toml").write_text(pins, encoding="utf-8")
    return environment


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--cuda"], ("setup", (), True)),
        (["setup", "--cuda"], ("setup", (), True)),
        (["setup"], ("setup", (), False)),
        (["--cuda", "app", "x.clipsvd"], ("app", ("x.clipsvd",), True)),
        (["test", "--cuda"], ("test", ("--cuda",), False)),
    ],
)
def test_cuda_is_asked_for_alone_before_a_command_or_after_setup(arguments, expected):
    assert setup_commands.parse(arguments) == expected


def test_a_cpu_build_is_replaced_by_the_same_versions_with_cuda(with_torch: venv.Environment):
    pip = FakePip()
    said = ensure_cuda(with_torch, pip)
    assert pip.told == [
        ("--extra-index-url", cuda_build.INDEX, "torch==2.13.0+cu130", "torchvision==0.28.0+cu130")
    ]
    assert "CUDA build (some gigabytes)" in said


def test_a_cuda_build_that_is_there_is_left_alone(with_torch: venv.Environment):
    pip = FakePip("13.0")
    assert ensure_cuda(with_torch, pip) == "PyTorch is a CUDA build already (CUDA 13.0).\n"
    assert pip.told == []


def test_a_cuda_build_that_does_not_start_is_an_error_with_a_remedy(with_torch: venv.Environment):
    with pytest.raises(setup_error.SetupError, match="does not start") as caught:
        ensure_cuda(with_torch, FakePip(works=False))
    assert "without --cuda" in caught.value.remedy


def test_cuda_is_refused_on_macos_before_anything_is_installed(monkeypatch):
    said = io.StringIO()
    monkeypatch.setattr(setup_commands, "Console", lambda: Console(said))
    monkeypatch.setattr(setup_commands, "this_machine", lambda: Machine("darwin", environ={}))
    assert setup_commands.run(["--cuda"]) == 1
    assert "There is no CUDA on macOS" in said.getvalue()
    for platform in ("win32", "linux"):
        cuda_build.refuse_where_there_is_none(platform)


def test_this_project_pins_what_the_cuda_build_is_asked_in(repository: Path):
    *_, torch, torchvision = cuda_build.pip_arguments(venv.Environment(repository))
    assert re.fullmatch(r"torch==[\d.]+\+cu\d+", torch)
    assert re.fullmatch(r"torchvision==[\d.]+\+cu\d+", torchvision)


def test_the_build_of_an_installed_torch_is_asked_of_its_own_python(environment: venv.Environment):
    asked = []
    assert cuda_build.cuda_of(environment, lambda command: asked.append(command) or "13.0\n") == "13.0"
    assert asked[0][0] == str(environment.python)
    assert cuda_build.cuda_of(environment, lambda command: "") == ""


def test_a_cuda_build_once_asked_for_comes_again_when_the_packages_change(
    with_torch: venv.Environment, monkeypatch
):
    ensured = []
    monkeypatch.setattr(setup_commands, "ensure_cuda", lambda *_: ensured.append(1))
    monkeypatch.setattr(venv, "install", lambda *_: None)
    command = COMMANDS["demo"]

    def prepare(*, cuda: bool = False) -> int:
        setup_commands.prepare(command, with_torch, HEADLESS, Console(io.StringIO()), cuda=cuda)
        return len(ensured)

    assert [prepare(), prepare(cuda=True), prepare()] == [0, 1, 1]
    assert venv.read_stamp(with_torch).cuda
    (with_torch.root / "pyproject.toml").write_text(pyproject('torch==2.14.0", "torchvision==0.29.0'))
    assert [prepare(), prepare()] == [2, 2]


def test_only_one_file_names_where_the_cuda_build_comes_from(repository: Path):
    host = cuda_build.INDEX.split("/")[2]
    sources = [
        path
        for folder in ("packaging", "clipsvd_app", "docs", "tests")
        for path in (repository / folder).rglob("*")
        if path.suffix in (".py", ".md", ".toml")
    ]
    sources += [*repository.glob("*.md"), *repository.glob("*.toml"), repository / "Makefile"]
    named = [path.name for path in sources if host in path.read_text(encoding="utf-8")]
    assert named == ["cuda_build.py"]


# --- old Pythons


def test_bootstrap_itself_loads_in_an_old_python(repository: Path):
    source = (repository / "packaging" / "bootstrap.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 8))


def test_an_old_python_hands_over_to_the_first_newer_one_that_starts():
    assert bootstrap.suitable_python(lambda command: command == ("py", "-3.12")) == ("py", "-3.12")
    assert bootstrap.suitable_python(lambda command: False) is None


@pytest.mark.parametrize(("version", "suits"), [((3, 10), 0), ((3, 11), 1), ((3, 13), 1), ((3, 14), 0)])
def test_bootstrap_and_the_package_agree_on_the_pythons_that_suit(repository: Path, version, suits: int):
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
    assert bootstrap.suits(version) == bool(suits)


def test_a_python_without_wheels_and_nothing_else_here_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 14, 1, "final", 0))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda command: None)
    assert bootstrap.main(["run"]) == 1
    said = capsys.readouterr().err
    assert "3.11, 3.12 or 3.13" in said
    assert "Python 3.14.1" in said


@pytest.mark.parametrize(("package", "wrong"), [("scikit-learn", "1.7.2"), ("filelock", "3.16.1")])
def test_versions_that_answer_wrongly_are_shut_out(repository: Path, package: str, wrong: str):
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (pin,) = (Requirement(each) for each in project["dependencies"] if each.startswith(package))
    assert not pin.specifier.contains(wrong)
    assert pin.specifier.contains(importlib.metadata.version(package))


def test_the_folder_packaging_does_not_hide_the_library_of_that_name(repository: Path):
    assert not (repository / "packaging" / "__init__.py").exists()


# --- running


def steps(*programs: str) -> tuple[Step, ...]:
    return tuple(Step(f"step {index}", (sys.executable, "-c", text)) for index, text in enumerate(programs))


def run(environment: venv.Environment, *programs: str) -> tuple[int, str]:
    said = io.StringIO()
    return setup_commands.run_steps(steps(*programs), environment, DESKTOP, Console(said)), said.getvalue()


def test_all_linters_run_even_after_one_failed(environment: venv.Environment):
    code, said = run(environment, "raise SystemExit(3)", "pass")
    assert code == 3
    assert "step 1" in said


def test_a_program_that_a_signal_ended_gives_the_shells_exit_code(environment: venv.Environment):
    code, _ = run(environment, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert code == 128 + signal.SIGKILL


def test_a_missing_program_is_named_with_a_remedy(environment: venv.Environment):
    absent = (Step("absent", ("no-such-program-at-all",)),)
    with pytest.raises(setup_error.SetupError, match="no-such-program-at-all is not installed"):
        setup_commands.run_steps(absent, environment, DESKTOP, Console(io.StringIO()))


@pytest.mark.skipif(sys.platform == "win32", reason="signals to a process group are POSIX")
def test_an_interruption_ends_with_130_and_no_traceback(repository: Path, tmp_path: Path):
    program = f"""
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit "ignored"
sys.path.insert(0, {str(repository / "packaging")!r})
import setup_commands
import setup_error
def run(arguments):
    child = (sys.executable, "-c", "import pathlib, time; pathlib.Path('up').touch(); time.sleep(60)")
    environment = setup_commands.venv.Environment(setup_commands.Path({str(tmp_path)!r}))
    machine = setup_commands.Machine()
    return setup_commands.run_steps((setup_commands.Step("s", child),), environment, machine, None)
setup_commands.run = run
sys.argv = ["bootstrap.py", "demo"]
runpy.run_path({str(repository / "packaging" / "bootstrap.py")!r}, run_name="__main__")
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 30
    while not (tmp_path / "up").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "bootstrap" not in said
