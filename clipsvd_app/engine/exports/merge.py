"""The whole model with the adapter folded in, as a folder that plain open_clip loads."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, cast

from safetensors.torch import save_file

from clipsvd_app.engine.backbone.folder import read_folder
from clipsvd_app.engine.backbone.weights import read_state
from clipsvd_app.engine.device import torch_setup
from clipsvd_app.engine.exports.class_head import write_head
from clipsvd_app.engine.exports.parity import logit_difference
from clipsvd_app.engine.exports.readme_texts import merged_readme, write_document

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from torch import Tensor, nn

    from clipsvd_app.engine.backbone.folder import BackboneFolder
    from clipsvd_app.engine.sigma.adapter import LoadedAdapter
    from clipsvd_app.jobs.lines import Report

WEIGHTS = "open_clip_model.safetensors"
# Tokenizer and BERT configuration, which open_clip reads from the folder.
_COPIED = (
    "config.json",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
)
_STAGE = "Writing the merged model"


def write_merged(folder: Path, loaded: LoadedAdapter, dtype: torch.dtype, report: Report) -> float:
    """Write the folder, load it with open_clip, and return the largest difference of a logit.

    The weights are those of the backbone's own file with the adapted matrices replaced, so that open_clip
    treats both files alike when it loads them.
    """
    source = read_folder(loaded.adapted.backbone.folder)
    report(_STAGE, 0, 3)
    tensors = _merged_tensors(source, loaded)
    stored = {name: _stored(tensor, dtype) for name, tensor in tensors.items()}
    save_file(stored, folder / WEIGHTS, metadata={"format": "pt"})
    report(_STAGE, 1, 3)
    config = _write_config(folder, source)
    for name in _COPIED:
        if (source.folder / name).is_file():
            shutil.copyfile(source.folder / name, folder / name)
    write_document(folder, loaded.content)
    write_head(folder, loaded.content)
    (folder / "README.md").write_text(merged_readme(loaded.content, config), encoding="utf-8")
    report(_STAGE, 2, 3)
    difference = logit_difference(loaded.adapted, load_plain(folder))
    report(_STAGE, 3, 3)
    return difference


def load_plain(folder: Path) -> nn.Module:
    """Load a merged folder with open_clip only, by the call that its README gives."""
    open_clip = torch_setup.import_open_clip()
    model_config = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))["model_cfg"]
    text = model_config["text_cfg"]
    extra: dict[str, Any] = {}
    if "hf_model_name" in text:
        extra["text_cfg"] = text | {"hf_model_name": str(folder)}
    if "timm_model_name" in model_config["vision_cfg"]:
        extra["force_image_size"] = model_config["vision_cfg"]["image_size"]
    return cast("nn.Module", open_clip.create_model(f"local-dir:{folder}", **extra).eval())


def stored_name(module_path: str, names: set[str]) -> str:
    """Return the name under which a weights file holds the weight of an adapted layer.

    ``in_proj`` is a layer of its own only here; ``nn.MultiheadAttention`` keeps a bare parameter.
    """
    name = f"{module_path}.weight"
    return name if name in names else f"{module_path}_weight"


def _merged_tensors(source: BackboneFolder, loaded: LoadedAdapter) -> dict[str, Tensor]:
    tensors = read_state(source.weights)
    names = set(tensors)
    for path in dict.fromkeys(target.module_path for target in loaded.adapted.basis.targets):
        weight = cast("Tensor", loaded.adapted.model.get_submodule(path).weight)
        name = stored_name(path, names)
        assert tensors[name].shape == weight.shape
        tensors[name] = weight.detach().cpu()
    return tensors


def _stored(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype).contiguous() if tensor.is_floating_point() else tensor.contiguous()


def _write_config(folder: Path, source: BackboneFolder) -> dict[str, Any]:
    """Write open_clip's configuration; images are fitted into a black square, as in training.

    The text tower is located in ".", which needs no network and contains no path of this computer.
    """
    config: dict[str, Any] = json.loads((source.folder / "open_clip_config.json").read_text(encoding="utf-8"))
    config["model_cfg"] = source.model_config | {"text_cfg": dict(source.model_config["text_cfg"])}
    text = config["model_cfg"]["text_cfg"]
    if "hf_model_name" in text:
        text |= {"hf_model_name": ".", "hf_tokenizer_name": "."}
    config["preprocess_cfg"] |= {"resize_mode": "longest", "fill_color": 0}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return config
