"""``clipsvd doctor``: what works on this machine and what does not."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app import __version__
from clipsvd_app.domain.recipe import DEVICE_KINDS
from clipsvd_app.errors import UserError
from clipsvd_app.services.models import backbones
from clipsvd_app.settings import cache_folder, data_folder, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console
    from clipsvd_app.engine.device.devices import Devices

_PACKAGES = ("torch", "open_clip_torch", "timm", "PySide6-Essentials", "pyqtgraph", "pydicom", "SimpleITK")
_CODECS = ("pylibjpeg-openjpeg", "pylibjpeg-rle", "pyjpegls", "python-gdcm", "pillow")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it works, the version or the remedy, and whether it is needed."""

    name: str
    works: bool
    detail: str
    needed: bool = True


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the doctor."""
    doctor = commands.add_parser(
        "doctor", parents=[shared], help="show what works on this computer and what does not"
    )
    doctor.set_defaults(run=run_doctor)


def run_doctor(options: argparse.Namespace, console: Console) -> int:
    """Look at everything; exit code 1 when something that is needed does not work."""
    del options
    findings = tuple(_look())
    for finding in findings:
        console.say(f"  {'✓' if finding.works else '✗'} {finding.name:<22} {finding.detail}")
    works = all(finding.works for finding in findings if finding.needed)
    console.document({"works": works, "findings": findings})
    return 0 if works else 1


def _look() -> Iterator[Finding]:
    yield Finding("program", True, __version__)
    yield Finding("python", (3, 11) <= sys.version_info < (3, 14), platform.python_version())
    yield Finding("system", True, f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors")
    for package in _PACKAGES:
        yield _package(package, "package")
    for package in _CODECS:
        yield _package(package, "codec")
    yield from device_findings(_devices())
    yield _folder("cache folder", cache_folder())
    yield _folder("data folder", data_folder())
    for entry in backbones.available(load_settings()):
        yield _backbone(entry)


def _package(name: str, kind: str) -> Finding:
    try:
        return Finding(f"{kind} {name}", True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(f"{kind} {name}", False, "missing; reinstall the program")


def _devices() -> Devices:
    from clipsvd_app.engine.device.devices import this_computer

    return this_computer()


def device_findings(devices: Devices) -> Iterator[Finding]:
    """Say what ``auto`` computes on, and of each device that is there whether it passed its test."""
    for state in map(devices.state, DEVICE_KINDS):
        if state.unusable is not None and state.present:
            detail = f"{state.unusable.message} {state.unusable.remedy}"
            yield Finding(f"device {state.title}", False, detail, needed=state.kind == "cpu")
        elif state.unusable is None:
            precision = "float32 and bfloat16" if state.bfloat16 else "float32"
            detail = f"passed a test in {precision} (deviation {state.deviation:.0e})"
            yield Finding(f"device {state.title}", True, detail)
    if devices.usable():
        yield Finding("device auto", True, devices.describe())


def _folder(name: str, folder: Path) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    return Finding(name, writable, str(folder) if writable else f"no permission to write to {folder}")


def _backbone(entry: backbones.BackboneEntry) -> Finding:
    try:
        return Finding(f"backbone {entry.name}", True, backbones.reference(entry).sha256[:12])
    except UserError as error:
        return Finding(f"backbone {entry.name}", False, str(error))
