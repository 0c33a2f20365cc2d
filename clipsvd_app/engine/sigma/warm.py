"""Backbones that stay loaded between jobs."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.engine.backbone.backbone import Backbone, load_backbone
from clipsvd_app.engine.data.features import FeatureStore
from clipsvd_app.engine.device.devices import Devices, this_computer
from clipsvd_app.engine.sigma.adapter import LoadedAdapter, require_base
from clipsvd_app.engine.sigma.basis import Basis, load_basis
from clipsvd_app.engine.sigma.hot_swap import HotSwap
from clipsvd_app.errors import UserError
from clipsvd_app.files import file_state

if TYPE_CHECKING:
    import torch

    from clipsvd_app.adapter_file import AdapterContent
    from clipsvd_app.domain.recipe import DeviceName
    from clipsvd_app.jobs.lines import Report
    from clipsvd_app.jobs.requests import BackboneRef


@dataclass(slots=True)
class WarmBackbone:
    """A loaded backbone, its features so far, its basis once it was needed, and the last adapter."""

    backbone: Backbone
    features: FeatureStore
    _basis: Basis | None = None
    _swap: HotSwap | None = None

    def basis(self, report: Report) -> Basis:
        """Return the basis, reading or computing it the first time."""
        if self._basis is None:
            self._basis = load_basis(self.backbone, report)
        return self._basis

    def adapter(self, content: AdapterContent, report: Report) -> LoadedAdapter:
        """Return the adapter, checked and folded in; the last one used is returned as it is."""
        # Before the basis, which may take a minute: a foreign adapter is refused at once.
        require_base(content, self.backbone)
        if self._swap is None:
            self._swap = HotSwap(self.backbone, self.basis(report))
        return self._swap.apply(content)


@dataclass(slots=True)
class WarmBackbones:
    """The last ``kept`` backbones used, by folder, state of its files, and device."""

    # Two allow switching back without loading again; each holds its weights, 0.8 GB for BiomedCLIP.
    kept: int = 2
    devices: Devices = field(default_factory=this_computer)
    _loaded: OrderedDict[tuple[object, ...], WarmBackbone] = field(default_factory=OrderedDict)

    def get(self, reference: BackboneRef, device: DeviceName, report: Report) -> WarmBackbone:
        """Return a loaded backbone; weights other than the reference names are refused."""
        folder, place = Path(reference.folder), self.devices.pick(device)
        key = (str(folder), str(place), *_state(folder))
        if key not in self._loaded:
            report("Loading the backbone", 0, 1)
        # Asked again, because a short job may have loaded it during the report. No report follows until it is
        # returned, because a short job could drop it.
        if key not in self._loaded:
            backbone = load_backbone(folder, place, reference.name)
            self._loaded[key] = WarmBackbone(backbone, FeatureStore(backbone))
        warm = self._loaded[key]
        self._loaded.move_to_end(key)
        while len(self._loaded) > self.kept:
            self._loaded.popitem(last=False)
        if reference.sha256 not in ("", warm.backbone.sha256):
            raise UserError(
                f"The weights of the backbone “{reference.name}” are not those that were asked for.",
                remedy="Choose the backbone again in the settings.",
                code="backbone_changed",
            )
        return warm

    def forget(self, device: torch.device) -> None:
        """Drop what is loaded on a device, to free its memory."""
        for key in [key for key in self._loaded if key[1] == str(device)]:
            del self._loaded[key]


def _state(folder: Path) -> list[tuple[str | int, ...]]:
    if not folder.is_dir():
        return []
    return [(file.name, *file_state(file)) for file in sorted(folder.iterdir()) if file.is_file()]
