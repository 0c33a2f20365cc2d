"""PyTorch's CUDA build, for where the package registry's own is made for the CPU alone, as on Windows.

The only place that says where it comes from. Exact versions with the build's own label are asked for, so
that nothing else is taken from there but what the registry lacks. CUDA 13.0 needs an NVIDIA driver of
version 580 or newer and a card of compute capability 7.5 (Turing) or newer.
"""

from __future__ import annotations

import subprocess
import tomllib
from typing import TYPE_CHECKING

from setup_error import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from environment import Environment

LABEL = "cu130"
INDEX = f"https://download.pytorch.org/whl/{LABEL}"
NEEDED_BYTES = 8_000_000_000
_PACKAGES = ("torch", "torchvision")
_ASK = "import torch; print(torch.version.cuda or '')"


def refuse_where_there_is_none(platform: str) -> None:
    """Raise SetupError on a system that CUDA was never made for."""
    if platform == "darwin":
        raise SetupError(
            "There is no CUDA on macOS; PyTorch uses Apple's own GPU without it.",
            remedy="Run it again without --cuda.",
        )


def pip_arguments(environment: Environment) -> tuple[str, ...]:
    """Return what pip is told: the pinned versions of this project, in the CUDA build."""
    project = tomllib.loads((environment.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return ("--extra-index-url", INDEX, *labelled(project["dependencies"]))


def labelled(dependencies: Iterable[str]) -> tuple[str, ...]:
    """Return the pins of torch and torchvision, each with the label of the CUDA build."""
    pins = dict(dependency.split("==", 1) for dependency in dependencies if "==" in dependency)
    return tuple(f"{name}=={pins[name]}+{LABEL}" for name in _PACKAGES)


def cuda_of(environment: Environment, run: Callable[[Sequence[str]], str] | None = None) -> str:
    """Return the CUDA version of the installed PyTorch; empty for a CPU build, or one that fails to start."""
    return (run or _output)((str(environment.python), "-P", "-c", _ASK)).strip()


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout
