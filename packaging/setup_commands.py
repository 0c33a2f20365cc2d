"""The commands of ``bootstrap.py``: what each needs set up, and what it starts."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import cuda_build
import environment as venv
import system_packages
from console import Console
from setup_error import SetupError

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130
PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Machine:
    """What set-up must know of the machine that it runs on."""

    platform: str = sys.platform
    os_release: str = ""
    is_root: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def has_display(self) -> bool:
        """Tell whether a window could open; only Linux is ever without."""
        asked = (self.environ.get("DISPLAY"), self.environ.get("WAYLAND_DISPLAY"))
        return not self.platform.startswith("linux") or any(asked)

    @property
    def uses_apt(self) -> bool:
        """Tell whether missing system packages come from apt-get."""
        return self.platform.startswith("linux") and system_packages.is_debian(self.os_release)


@dataclass(frozen=True, slots=True)
class Step:
    """One program to run, with what is set in its environment."""

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """What a command does, the extras and system packages it needs, and the steps that it plans."""

    summary: str
    plan: Callable[[venv.Environment, Machine, tuple[str, ...]], tuple[Step, ...]]
    extras: frozenset[str] = frozenset()
    system: tuple[str, ...] = ()


def _module(environment: venv.Environment, module: str, *arguments: str) -> tuple[str, ...]:
    # -P: a folder of the user's, named like a library, must not be imported in its place
    return (str(environment.python), "-P", "-m", module, *arguments)


def _script(environment: venv.Environment, path: str, *arguments: str) -> tuple[str, ...]:
    return (str(environment.python), str(environment.root / "packaging" / path), *arguments)


def _app(environment: venv.Environment, machine: Machine, rest: tuple[str, ...]) -> tuple[Step, ...]:
    if not machine.has_display:
        return _demo(environment, machine, ())
    return (Step("app", _module(environment, "clipsvd_app", *(rest or ("--demo",)))),)


def _demo(environment: venv.Environment, machine: Machine, rest: tuple[str, ...]) -> tuple[Step, ...]:
    return (Step("demo", _module(environment, "clipsvd_app.cli", "demo", *rest)),)


def _test(environment: venv.Environment, machine: Machine, rest: tuple[str, ...]) -> tuple[Step, ...]:
    offscreen = {"QT_QPA_PLATFORM": "offscreen"}
    # Two at a time: much of the suite waits for child processes, and each worker holds a few GB of models.
    together = () if rest else ("-n", "2", "--dist", "worksteal")
    return (Step("pytest", _module(environment, "pytest", *together, *rest), offscreen),)


def _lint(environment: venv.Environment, machine: Machine, rest: tuple[str, ...]) -> tuple[Step, ...]:
    return (
        Step("ruff check", _module(environment, "ruff", "check")),
        Step("ruff format", _module(environment, "ruff", "format", "--check")),
        Step("mypy", _module(environment, "mypy")),
        Step("import contracts", (str(environment.script("lint-imports")), "--no-logo")),
    )


def _screenshots(environment: venv.Environment, machine: Machine, rest: tuple[str, ...]) -> tuple[Step, ...]:
    return (_on_a_screen("screenshots", environment, machine, rest),)


def _journey(environment: venv.Environment, machine: Machine, rest: tuple[str, ...]) -> tuple[Step, ...]:
    return (_on_a_screen("journey", environment, machine, rest),)


def _on_a_screen(name: str, environment: venv.Environment, machine: Machine, rest: tuple[str, ...]) -> Step:
    """Start a script that works the real window, on Linux on a screen of its own."""
    script = _script(environment, f"{name}.py", *rest)
    if not machine.platform.startswith("linux"):
        return Step(name, script)
    display = ("xvfb-run", "--auto-servernum", "--server-args=-screen 0 1440x900x24 -dpi 96")
    return Step(name, (*display, *script), {"QT_QPA_PLATFORM": "xcb"})


def _launcher(environment: venv.Environment, machine: Machine, rest: tuple[str, ...]) -> tuple[Step, ...]:
    return (_launcher_step(environment, machine, "install"),)


def _launcher_remove(
    environment: venv.Environment, machine: Machine, rest: tuple[str, ...]
) -> tuple[Step, ...]:
    return (_launcher_step(environment, machine, "remove"),)


def _launcher_step(environment: venv.Environment, machine: Machine, verb: str) -> Step:
    if not machine.platform.startswith("linux"):
        raise SetupError(
            "The launcher is for Linux desktops so far.",
            remedy=f"Make a shortcut to {environment.script('clipsvd-app')} instead.",
        )
    return Step("launcher", _script(environment, "launcher/install.py", verb))


def _nothing(environment: venv.Environment, machine: Machine, rest: tuple[str, ...]) -> tuple[Step, ...]:
    return ()


CUDA = "--cuda"
DEV = frozenset({"dev"})
COMMANDS: dict[str, Command] = {
    "app": Command("open the window on a ready demo project", _app, system=("offscreen", "window")),
    "demo": Command("run the whole job on the demo studies, without a window", _demo),
    "test": Command("run every test, offscreen", _test, DEV, ("offscreen", "desktop")),
    "lint": Command("run ruff, mypy and the import contracts", _lint, DEV),
    "screenshots": Command(
        "photograph every page into docs/images",
        _screenshots,
        DEV,
        ("offscreen", "window", "virtual-display"),
    ),
    "journey": Command(
        "time a new user's way from first start to a checked adapter, by mouse and keyboard",
        _journey,
        DEV,
        ("offscreen", "window", "virtual-display"),
    ),
    "launcher": Command("add the program to this user's desktop menu", _launcher, system=("desktop",)),
    "launcher-remove": Command("take it out of the menu again", _launcher_remove),
    "setup": Command("only set up, for development", _nothing, DEV, ("offscreen", "window", "desktop")),
}


def run(arguments: Sequence[str]) -> int:
    """Set up what the command needs, start it, and return its exit code."""
    name, rest, cuda = parse(arguments)
    console = Console()
    machine = this_machine()
    environment = venv.Environment(Path(__file__).resolve().parent.parent)
    command = COMMANDS[name]
    try:
        if cuda:
            cuda_build.refuse_where_there_is_none(machine.platform)
        prepare(command, environment, machine, console, cuda=cuda)
        if name == "app" and not machine.has_display:
            console.note(
                "There is no display here (DISPLAY and WAYLAND_DISPLAY are unset): running the demo instead."
            )
        return run_steps(command.plan(environment, machine, rest), environment, machine, console)
    except SetupError as error:
        console.error(error)
        return 1


def parse(arguments: Sequence[str]) -> tuple[str, tuple[str, ...], bool]:
    """Return the command, what is passed on to it, and whether PyTorch's CUDA build is asked for.

    ``--cuda`` stands before the command, or after ``setup``; alone it means ``setup --cuda``.
    """
    cuda = tuple(arguments[:1]) == (CUDA,)
    name, rest = _parse((arguments[1:] or ("setup",)) if cuda else arguments)
    if name == "setup" and CUDA in rest:
        return name, tuple(word for word in rest if word != CUDA), True
    return name, rest, cuda


def _parse(arguments: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    summaries = "\n".join(f"  {name:16} {command.summary}" for name, command in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="bootstrap.py",
        description="Set up CLIP-SVD Studio in .venv, then run one command.",
        epilog=f"commands:\n{summaries}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        CUDA, action="store_true", help="install PyTorch's CUDA build where the registry's is for the CPU"
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="passed on to what the command starts")
    parsed = parser.parse_args(arguments)
    return parsed.command, tuple(parsed.rest)


def this_machine() -> Machine:
    """Describe the machine that this runs on."""
    os_release = Path("/etc/os-release")
    return Machine(
        os_release=os_release.read_text(encoding="utf-8") if os_release.is_file() else "",
        is_root=sys.platform != "win32" and os.geteuid() == 0,
    )


def prepare(
    command: Command,
    environment: venv.Environment,
    machine: Machine,
    console: Console,
    *,
    cuda: bool = False,
) -> None:
    """Make sure of the system packages, ``.venv`` and pip's packages; says nothing when all is there.

    A CUDA build that was asked for once is installed again whenever the packages change.
    """
    usable = venv.is_usable(environment)
    stamp = venv.read_stamp(environment) if usable else venv.Stamp()
    system = _prepare_system(command, stamp, machine, console, needs_venv=not usable)
    if not usable:
        with console.step("Making .venv"):
            venv.create(environment)
    fingerprint = venv.fingerprint(environment)
    extras = command.extras if stamp.has(fingerprint, command.extras) else command.extras | stamp.extras
    changed = not stamp.has(fingerprint, extras)
    if changed:
        with console.step("Installing the pinned packages (minutes, the first time)") as at:
            venv.install(environment, extras, lambda line: at(line) if line else None)
    if cuda or (stamp.cuda and changed):
        ensure_cuda(environment, console)
    known = venv.Stamp(fingerprint, extras | stamp.extras, stamp.system | system, cuda or stamp.cuda)
    if known != stamp:
        venv.write_stamp(environment, known)


def ensure_cuda(
    environment: venv.Environment,
    console: Console,
    cuda_of: Callable[[venv.Environment], str] = cuda_build.cuda_of,
    pip_install: Callable[[venv.Environment, Sequence[str], Callable[[str], None]], None] = venv.pip_install,
) -> None:
    """Replace a CPU build of PyTorch by its CUDA build of the same version; one that is there stays."""
    present = cuda_of(environment)
    if present:
        console.note(f"PyTorch is a CUDA build already (CUDA {present}).")
        return
    venv.refuse_a_small_disk(shutil.disk_usage(environment.root).free, cuda_build.NEEDED_BYTES)
    with console.step("Installing PyTorch's CUDA build (some gigabytes)") as at:
        arguments = cuda_build.pip_arguments(environment)
        pip_install(environment, arguments, lambda line: at(line) if line else None)
    if not cuda_of(environment):
        raise SetupError(
            "PyTorch's CUDA build was installed and does not start.",
            remedy="Delete the folder .venv and set up again without --cuda.",
        )


def _prepare_system(
    command: Command, stamp: venv.Stamp, machine: Machine, console: Console, *, needs_venv: bool
) -> frozenset[str]:
    """Install or name the missing system packages; returns the groups that are now complete."""
    groups = [group for group in command.system if group not in stamp.system]
    if not machine.uses_apt:
        return frozenset()
    venv_package = _venv_package() if needs_venv and find_spec("ensurepip") is None else ()
    if not groups and not venv_package:
        return frozenset()
    packages = (*venv_package, *system_packages.wanted(groups))
    return frozenset(groups) if complete(packages, machine, console) else frozenset()


def complete(
    packages: Sequence[str],
    machine: Machine,
    console: Console,
    ask: Callable[[Sequence[str]], str] = system_packages.ask_dpkg,
) -> bool:
    """Install what is missing of these packages, or say how; tells whether they are all there now.

    What fails here is said and not raised: most of the program works without these packages.
    """
    absent = system_packages.missing(packages, ask(packages))
    if absent and not machine.is_root:
        console.note(
            "Some system packages are missing; an administrator adds them with:\n"
            f"  {system_packages.install_line(absent)}"
        )
        return False
    try:
        if absent:
            with console.step(f"Installing system packages: {' '.join(absent)}"):
                system_packages.install(absent)
    except SetupError as error:
        console.error(error)
        return False
    return True


def _venv_package() -> tuple[str, ...]:
    return (f"python{sys.version_info.major}.{sys.version_info.minor}-venv",)


def run_steps(
    steps: Sequence[Step], environment: venv.Environment, machine: Machine, console: Console
) -> int:
    """Run all steps, even after one failed, so that one call shows all that is wrong; 0 when all passed."""
    codes = []
    for step in steps:
        if len(steps) > 1:
            console.note(f"== {step.name}")
        code = _run_step(step, environment.root, machine)
        if code == INTERRUPTED:
            return INTERRUPTED
        codes.append(code)
    return next((code for code in codes if code != 0), 0)


def _run_step(step: Step, root: Path, machine: Machine) -> int:
    try:
        child = subprocess.Popen(step.argv, cwd=root, env={**machine.environ, **step.environ})
    except FileNotFoundError:
        raise SetupError(
            f"{step.argv[0]} is not installed.",
            remedy="Install it, or delete the folder .venv, then run it again.",
        ) from None
    try:
        code = child.wait()
    except KeyboardInterrupt:
        _end(child)
        return INTERRUPTED
    except SystemExit:
        child.terminate()
        _end(child)
        raise
    return code if code >= 0 else 128 - code


def _end(child: subprocess.Popen[bytes]) -> None:
    """Let the child, which a terminal has interrupted too, clean up; then make it end."""
    for insist in (child.terminate, child.kill):
        try:
            child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            insist()
        else:
            return
    child.wait()
