"""How the golden classifier on frozen features of format 1 was made, on the golden adapter's backbone.

Run once, from the root of the source tree: PYTHONPATH=.:tests python tests/golden/make_classifier_format1.py.
The file that it wrote must open for ever, so it is never run again for format 1.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import torch
from support.golden_backbone import write_golden_backbone
from support.made_classifier import write_made_classifiers

from clipsvd_app.engine.backbone.backbone import embed_images, load_backbone

GOLDEN = Path(__file__).parent / "format1.classifier.safetensors"


def main() -> None:
    """Write the linear probe's file."""
    assert not GOLDEN.exists(), "a golden file is made once"
    with tempfile.TemporaryDirectory() as room:
        backbone = load_backbone(write_golden_backbone(Path(room) / "golden"), name="golden")
        size = backbone.preprocessing.size
        with torch.no_grad():
            width = embed_images(backbone.model, torch.zeros((1, 3, size, size))).shape[1]
        write_made_classifiers(Path(room) / "made", backbone, width)
        shutil.copyfile(Path(room) / "made" / "linear_probe.classifier.safetensors", GOLDEN)


if __name__ == "__main__":
    main()
