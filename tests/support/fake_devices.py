"""A computer made of answers: what a probe would have found."""

from __future__ import annotations

from dataclasses import dataclass, field

from clipsvd_app.engine.device.facts import NvidiaFacts

NOTHING = NvidiaFacts(hardware=False, driver=False, build="", available=False)
CODE = ("sm_75", "sm_80", "sm_86", "sm_90", "sm_120")
CARD = NvidiaFacts(True, True, "13.0", True, "NVIDIA Something", (9, 0), CODE)


@dataclass
class FakeProbe:
    """A computer made of answers; counts the kernels that were run."""

    card: NvidiaFacts = NOTHING
    mps: bool = False
    off: dict = field(default_factory=dict)
    units: tuple[str, ...] = ()
    kernels: list = field(default_factory=list)

    def nvidia(self):
        return self.card

    def has_mps(self):
        return self.mps

    def deviation(self, kind, *, bfloat16):
        self.kernels.append((kind, bfloat16))
        return self.off.get((kind, bfloat16), 1e-6)

    def has_bfloat16_units(self, kind):
        return kind in self.units

    def threads(self):
        return 2
