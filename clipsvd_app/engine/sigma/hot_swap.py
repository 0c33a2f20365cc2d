"""One loaded backbone on which adapters are applied, swapped and removed.

An adapter is folded into a copy that shares every unchanged tensor with the base, so removing it restores the
base bit for bit: the base was never changed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.adapter_file.writer import adapter_bytes
from clipsvd_app.engine.backbone.backbone import Backbone
from clipsvd_app.engine.sigma.adapter import LoadedAdapter, prove
from clipsvd_app.engine.sigma.basis import Basis

if TYPE_CHECKING:
    from torch import nn

    from clipsvd_app.adapter_file import AdapterContent


@dataclass(slots=True)
class HotSwap:
    """A backbone and the adapter that it uses at the moment, if any."""

    backbone: Backbone
    basis: Basis
    _applied: LoadedAdapter | None = None
    _sha256: str = ""

    @property
    def applied(self) -> LoadedAdapter | None:
        """The adapter of the moment."""
        return self._applied

    @property
    def model(self) -> nn.Module:
        """The open_clip model of the moment: adapted, or the base itself."""
        return self.backbone.model if self._applied is None else self._applied.adapted.model

    def apply(self, content: AdapterContent) -> LoadedAdapter:
        """Use an adapter in place of the last; the same one again costs nothing.

        One that does not prove to fit is refused, and the last stays on.
        """
        sha256 = hashlib.sha256(adapter_bytes(content)).hexdigest()
        if self._applied is None or sha256 != self._sha256:
            self._applied, self._sha256 = prove(content, self.backbone, self.basis), sha256
        return self._applied

    def remove(self) -> None:
        """Use nothing; the model is the base again."""
        self._applied, self._sha256 = None, ""
