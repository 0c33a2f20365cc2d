"""Which device computes, in which precision, and why a GPU of this computer is not used.

Facts come from a ``Probe``; every decision follows from them, once per process and device.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from clipsvd_app.domain.recipe import DEVICE_KINDS, DeviceKind, DeviceName
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.engine.device.facts import Probe, TorchProbe
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from clipsvd_app.engine.device.facts import NvidiaFacts

# Relative to the largest number of each tensor. TF32 deviates by 5e-4 and bfloat16 by 1e-2: a sound device
# passes with room to spare, and one that computes something else does not.
FP32_TOLERANCE = 1e-3
BFLOAT16_TOLERANCE = 5e-2
_INSTEAD = "or choose auto or cpu"


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a device cannot be used, and what to do; ``present`` when the hardware is there."""

    message: str
    remedy: str
    present: bool = True

    def error(self) -> UserError:
        """Return the refusal for a request of this device."""
        code = "device_unusable" if self.present else "no_such_device"
        return UserError(self.message, remedy=self.remedy, code=code)


@dataclass(frozen=True, slots=True)
class DeviceState:
    """A device that was probed and, where it can be started, tested.

    ``deviation`` is the test kernel's, in fp32; None where it did not run.
    """

    kind: DeviceKind
    title: str
    unusable: Unusable | None = None
    bfloat16: bool = False
    deviation: float | None = None

    @property
    def present(self) -> bool:
        """Whether the hardware is there, usable or not."""
        return self.unusable is None or self.unusable.present


@dataclass(slots=True)
class Devices:
    """The devices of one computer; each is probed when it is first asked for, and only once."""

    probe: Probe
    _states: dict[DeviceKind, DeviceState] = field(default_factory=dict)

    def state(self, kind: DeviceKind) -> DeviceState:
        """Return what is known of a device, testing it the first time."""
        if kind not in self._states:
            self._states[kind] = _look(kind, self.probe)
        return self._states[kind]

    def pick(self, name: DeviceName | str) -> torch.device:
        """Return the device asked for, or the best usable one for ``auto``; refuses in one sentence."""
        kinds = DEVICE_KINDS if name == "auto" else tuple(kind for kind in DEVICE_KINDS if kind == name)
        if not kinds:
            raise UserError(
                f"There is no device “{name}”.",
                remedy=f"Choose one of auto, {', '.join(DEVICE_KINDS)}.",
                code="no_such_device",
            )
        best = self._best_of(kinds)
        if best.unusable is not None:
            raise best.unusable.error()
        return torch.device(best.kind)

    def note(self) -> str:
        """Return why ``auto`` does not use a GPU of this computer; empty where there is no such GPU."""
        gpus = [self.state(kind) for kind in DEVICE_KINDS if kind != "cpu"]
        if any(state.unusable is None for state in gpus):
            return ""
        reasons = [state.unusable.message for state in gpus if state.present and state.unusable is not None]
        return f"{reasons[0]} Using the CPU instead." if reasons else ""

    def usable(self) -> tuple[DeviceKind, ...]:
        """Return the devices that passed their test."""
        return tuple(kind for kind in DEVICE_KINDS if self.state(kind).unusable is None)

    def title(self, device: torch.device) -> str:
        """Name a device as runs record it: its kind and, for a GPU, its model."""
        return next((self.state(kind).title for kind in DEVICE_KINDS if kind == device.type), device.type)

    def describe(self) -> str:
        """Return in a few words what ``auto`` computes on."""
        best = self._best_of(DEVICE_KINDS)
        if best.unusable is not None:
            return best.unusable.message
        precision = "bfloat16" if best.bfloat16 else "float32"
        threads = self.probe.threads()
        return f"{best.title}, trains in {precision}, {counted(threads, 'thread')}"

    def has_fast_bfloat16(self, kind: str) -> bool:
        """Whether this kind of device multiplies in bfloat16 in hardware, and correctly."""
        return any(self.state(known).bfloat16 for known in DEVICE_KINDS if known == kind)

    def _best_of(self, kinds: tuple[DeviceKind, ...]) -> DeviceState:
        """Return the first usable device without probing the others; the last one when none is usable."""
        usable = (kind for kind in kinds if self.state(kind).unusable is None)
        return self.state(next(usable, kinds[-1]))


@functools.cache
def this_computer() -> Devices:
    """Return the devices of this computer, looked at once in this process."""
    return Devices(TorchProbe())


def device_title(device: torch.device) -> str:
    """Name a device of this computer as runs record it."""
    return this_computer().title(device)


def has_fast_bfloat16(kind: str, devices: Devices | None = None) -> bool:
    """Whether to compute in bfloat16 on this kind of device (of this computer, or of ``devices``)."""
    return (devices or this_computer()).has_fast_bfloat16(kind)


def _look(kind: DeviceKind, probe: Probe) -> DeviceState:
    title, unusable = _found(kind, probe)
    if unusable is not None:
        return DeviceState(kind, title, unusable)
    deviation = probe.deviation(kind, bfloat16=False)
    # Written so that NaN fails too.
    if deviation is None or not deviation <= FP32_TOLERANCE:
        return DeviceState(kind, title, _failed(kind, title, runs=deviation is not None), deviation=deviation)
    return DeviceState(kind, title, bfloat16=_trusts_bfloat16(kind, probe), deviation=deviation)


def _found(kind: DeviceKind, probe: Probe) -> tuple[str, Unusable | None]:
    if kind == "cuda":
        facts = probe.nvidia()
        return f"cuda ({facts.name})" if facts.name else "cuda", nvidia_fault(facts)
    if kind == "mps" and not probe.has_mps():
        return kind, Unusable(
            "This computer has no Apple GPU that PyTorch can use.", "Choose auto or cpu.", present=False
        )
    return kind, None


def nvidia_fault(facts: NvidiaFacts) -> Unusable | None:
    """Return why an NVIDIA GPU cannot be used, naming the first thing to fix; None when it can be used."""
    if facts.available:
        if facts.capability is None or _has_code_for(facts.capability, facts.architectures):
            return None
        return _not_compiled_for(facts.name, facts.capability, facts.architectures)
    if not facts.hardware:
        return Unusable("This computer has no NVIDIA GPU.", "Choose auto or cpu.", present=False)
    if not facts.driver:
        return Unusable(
            "This computer has an NVIDIA GPU, but no driver for it.",
            f"Install NVIDIA's driver and restart the computer, {_INSTEAD}.",
        )
    if not facts.build:
        return Unusable(
            "This computer has an NVIDIA GPU, but the installed PyTorch is CPU-only.",
            f"Run “python packaging/bootstrap.py --cuda”, {_INSTEAD}.",
        )
    return Unusable(
        f"This computer has an NVIDIA GPU, but its driver does not support CUDA {facts.build}.",
        f"Update NVIDIA's driver and restart the computer, {_INSTEAD}.",
    )


def _not_compiled_for(name: str, capability: tuple[int, int], architectures: tuple[str, ...]) -> Unusable:
    known = [version for version, _ in _versions(architectures)]
    age = "too old" if capability < min(known) else "too new"
    return Unusable(
        f"The GPU {name} is {age} for the installed PyTorch: it has no code for compute capability "
        f"{capability[0]}.{capability[1]}.",
        "Choose auto or cpu.",
    )


def _has_code_for(capability: tuple[int, int], architectures: tuple[str, ...]) -> bool:
    """Whether a build can run on a card (CUDA C++ Programming Guide, application compatibility).

    Machine code (``sm``) runs on its own major version from its minor version on, intermediate code
    (``compute``) on everything newer. A list that cannot be read excludes nothing.
    """
    versions = _versions(architectures)
    return not versions or any(
        version <= capability and (intermediate or version[0] == capability[0])
        for version, intermediate in versions
    )


def _versions(architectures: tuple[str, ...]) -> list[tuple[tuple[int, int], bool]]:
    """Return ((major, minor), whether it is intermediate code) of names such as ``sm_90a``."""
    found = [re.fullmatch(r"(sm|compute)_(\d+)(\d)[a-z]?", name) for name in architectures]
    return [((int(m[2]), int(m[3])), m[1] == "compute") for m in found if m is not None]


def _failed(kind: DeviceKind, title: str, *, runs: bool) -> Unusable:
    what = "gives a different result from the CPU in a short test" if runs else "fails in a short test"
    if kind == "cpu":
        what = "gives a wrong result in a short test" if runs else what
        return Unusable(f"PyTorch {what} on this computer.", "Reinstall the program in a new folder.")
    return Unusable(
        f"The GPU {title} {what}.",
        f"Close other programs that use the GPU, update its driver and start again, {_INSTEAD}.",
    )


def _trusts_bfloat16(kind: DeviceKind, probe: Probe) -> bool:
    # Not timed: a busy moment would decide otherwise, and the same run would end in other bytes.
    if not probe.has_bfloat16_units(kind):
        return False
    deviation = probe.deviation(kind, bfloat16=True)
    return deviation is not None and deviation <= BFLOAT16_TOLERANCE
