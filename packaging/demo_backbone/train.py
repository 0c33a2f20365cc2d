"""Train the demo backbone: ``python packaging/demo_backbone/train.py --out DIR [--images DIR ...]``."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    packaging = Path(__file__).resolve().parent.parent
    sys.path[:1] = [str(packaging), str(packaging.parent)]
    runpy.run_module("demo_backbone.stages", run_name="__main__")
