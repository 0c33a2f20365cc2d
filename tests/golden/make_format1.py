"""How the golden adapter of format 1 and its frozen backbone were made.

Run once, from the root of the source tree: PYTHONPATH=.:tests python tests/golden/make_format1.py.
The files that it wrote must open for ever, so it is never run again for format 1.
"""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

from safetensors.torch import load_file
from support.golden_backbone import ADAPTER, CARD, FROZEN, write_golden_backbone
from support.made_adapter import write_made_adapter
from support.tiny_backbone import clip_config, write_tiny_backbone

from clipsvd_app.adapter_file import card_text, read_adapter
from clipsvd_app.engine.backbone.backbone import load_backbone
from clipsvd_app.engine.sigma.basis import load_basis

# The size that timm gives this tower, so that nothing is resampled.
IMAGE_SIZE = 160


def freeze_backbone(room: Path) -> None:
    """Write configuration, vocabulary and tensors.json."""
    tiny = write_tiny_backbone(room / "tiny")
    FROZEN.mkdir(exist_ok=True)
    for name in ("config.json", "vocab.txt", "tokenizer_config.json"):
        (FROZEN / name).write_bytes((tiny / name).read_bytes())
    config = clip_config()
    config["model_cfg"]["vision_cfg"]["image_size"] = IMAGE_SIZE
    (FROZEN / "open_clip_config.json").write_text(json.dumps(config, indent=1) + "\n")
    weights = load_file(tiny / "open_clip_model.safetensors")
    recipe = {
        name: recipe_of(name, list(tensor.shape))
        for name, tensor in sorted(weights.items())
        if tensor.is_floating_point()
    }
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in recipe.items())
    (FROZEN / "tensors.json").write_text("{\n" + lines + "\n}\n")


def recipe_of(name: str, shape: list[int]) -> dict[str, object]:
    """Return scales that keep activations near 1, with every tensor random."""
    if name == "logit_scale":
        return {"shape": shape, "offset": 3.0, "log2_scale": -20}
    if "norm" in name.lower() and name.endswith("weight"):
        return {"shape": shape, "offset": 1.0, "log2_scale": -3}
    if len(shape) < 2 or "token" in name or "pos" in name:
        return {"shape": shape, "offset": 0.0, "log2_scale": -4}
    width = math.prod(shape[1:])
    return {"shape": shape, "offset": 0.0, "log2_scale": round(math.log2(math.sqrt(3 / width)))}


def main() -> None:
    """Freeze the backbone, then write an adapter for it and its card."""
    with tempfile.TemporaryDirectory() as room:
        freeze_backbone(Path(room))
        backbone = load_backbone(write_golden_backbone(Path(room) / "golden"), name="golden")
        write_made_adapter(ADAPTER, backbone, load_basis(backbone, lambda *_: None))
    CARD.write_text(card_text(read_adapter(ADAPTER)), encoding="utf-8")


if __name__ == "__main__":
    main()
