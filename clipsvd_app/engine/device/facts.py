"""What this computer and this build of torch report; ``devices`` decides what follows from it."""

from __future__ import annotations

import os
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch

from clipsvd_app.engine.device import kernel

if TYPE_CHECKING:
    from clipsvd_app.domain.recipe import DeviceKind

_PCI = Path("/sys/bus/pci/devices")
# PCI ID registry: vendor 10de is NVIDIA, base class 03 a display controller.
_NVIDIA_VENDOR = "0x10de"
_PCI_DISPLAY_CLASS = "0x03"
# Names of torch.cpu.get_capabilities: x86 with AVX-512 or AMX, Arm with and without SVE.
_CPU_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
# The name is stored with runs and in adapters; the schema allows a device of 128 characters.
_NAME_LENGTH = 64


@dataclass(frozen=True, slots=True)
class NvidiaFacts:
    """hardware and driver: what the system shows; build: torch's CUDA version, empty in a CPU-only build.

    available: torch can start it. capability and architectures: of the card, and those torch has code
    for (``sm_90``, ``compute_120``); both empty where they mean nothing, as with AMD's ROCm.
    """

    hardware: bool
    driver: bool
    build: str
    available: bool
    name: str = ""
    capability: tuple[int, int] | None = None
    architectures: tuple[str, ...] = ()


class Probe(Protocol):
    """Answers questions about this computer; each may take a moment and is asked once."""

    def nvidia(self) -> NvidiaFacts:
        """Return what is known of an NVIDIA GPU (or an AMD one, which torch also calls cuda)."""

    def has_mps(self) -> bool:
        """Whether torch can start an Apple GPU."""

    def deviation(self, kind: DeviceKind, *, bfloat16: bool) -> float | None:
        """Return how far the test kernel is off there, relative to the CPU; None when it fails."""

    def has_bfloat16_units(self, kind: DeviceKind) -> bool:
        """Whether the hardware states that it multiplies in bfloat16."""

    def threads(self) -> int:
        """Return how many CPU threads torch uses."""


class TorchProbe:
    """Asks the real torch and the real system."""

    def nvidia(self) -> NvidiaFacts:
        """Look for an NVIDIA GPU in the system and in torch."""
        with warnings.catch_warnings():
            # torch warns of a driver that is too old or absent; our one sentence says so too.
            warnings.simplefilter("ignore")
            available = torch.cuda.is_available()
            driver = available or _has_driver()
            hardware = driver or Path("/dev/nvidia0").exists() or _has_nvidia_card(_PCI)
            build = torch.version.cuda or ""
            if not available:
                return NvidiaFacts(hardware, driver, build, available)
            name = _plain(torch.cuda.get_device_name(0))
            if torch.version.hip:
                return NvidiaFacts(hardware, driver, torch.version.hip, available, name)
            capability = torch.cuda.get_device_capability(0)
            return NvidiaFacts(
                hardware, driver, build, available, name, capability, tuple(torch.cuda.get_arch_list())
            )

    def has_mps(self) -> bool:
        """Ask torch for an Apple GPU."""
        return torch.backends.mps.is_available()

    def deviation(self, kind: DeviceKind, *, bfloat16: bool) -> float | None:
        """Run the test kernel."""
        try:
            return kernel.deviation(torch.device(kind), bfloat16=bfloat16)
        except RuntimeError:
            # Drivers and operators fail with many messages; none of them leaves a usable device.
            return None

    def has_bfloat16_units(self, kind: DeviceKind) -> bool:
        """Ask the processor or the card."""
        if kind == "cuda":
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
        if kind == "cpu":
            capabilities = torch.cpu.get_capabilities()
            return any(capabilities.get(name) for name in _CPU_BFLOAT16)
        # Mixed precision on Apple GPUs was never measured with these models.
        return False

    def threads(self) -> int:
        """Ask torch."""
        return torch.get_num_threads()


def _has_driver() -> bool:
    if sys.platform == "win32":
        system = Path(os.environ.get("SYSTEMROOT", "C:/Windows"))
        return (system / "System32" / "nvcuda.dll").is_file()
    return Path("/proc/driver/nvidia/version").exists()


def _has_nvidia_card(pci: Path) -> bool:
    """Look for NVIDIA's number among the display devices of the PCI bus, as Linux lists it."""
    return any(
        _read(device / "vendor") == _NVIDIA_VENDOR and _read(device / "class").startswith(_PCI_DISPLAY_CLASS)
        for device in pci.glob("*")
    )


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _plain(name: str) -> str:
    """Return a device's name in printable ASCII and of limited length, since shared files hold it."""
    return "".join(letter for letter in name if letter.isascii() and letter.isprintable())[:_NAME_LENGTH]
