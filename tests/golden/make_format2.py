"""How the golden adapter of format 2, with a class head, was made.

Run from the root of the source tree: PYTHONPATH=.:tests python tests/golden/make_format2.py.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from support.golden_backbone import HEADED, HEADED_CARD, write_golden_backbone
from support.made_adapter import write_made_adapter
from support.small_clip import made_head

from clipsvd_app.adapter_file import card_text, read_adapter
from clipsvd_app.engine.backbone.backbone import load_backbone
from clipsvd_app.engine.sigma.basis import load_basis

# Of the frozen backbone's embeddings.
WIDTH = 32


def main() -> None:
    """Write an adapter with a head for the frozen backbone of format 1, and its card."""
    with tempfile.TemporaryDirectory() as room:
        backbone = load_backbone(write_golden_backbone(Path(room) / "golden"), name="golden")
        write_made_adapter(
            HEADED, backbone, load_basis(backbone, lambda *_: None), head=made_head(width=WIDTH)
        )
    HEADED_CARD.write_text(card_text(read_adapter(HEADED)), encoding="utf-8")


if __name__ == "__main__":
    main()
