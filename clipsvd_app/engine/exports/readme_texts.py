"""The README texts of exported folders, with the exact calls that load them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from clipsvd_app.adapter_file import card_text
from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.domain.records import to_json
from clipsvd_app.engine.exports.class_head import HEAD_FILE
from clipsvd_app.engine.exports.whole import MARK

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.adapter_file import AdapterContent

_CLASSIFY = """\
adapter = json.loads(Path(folder, "sigma_adapter.json").read_text(encoding="utf-8"))
unit = torch.nn.functional.normalize
with torch.no_grad():
    texts = [unit(model.encode_text(tokenizer(entry["prompts"])), dim=-1) for entry in adapter["classes"]]
    classes = unit(torch.stack([text.mean(dim=0) for text in texts]), dim=-1)
    image = unit(model.encode_image(preprocess(picture)[None]), dim=-1)  # picture: a PIL image
{logits}
    probabilities = torch.softmax(logits / adapter["calibration"]["temperature"], dim=-1)
"""
_LOGITS = """\
    logits = adapter["logit_scale"] * image @ classes.T"""
_LOGITS_WITH_HEAD = f"""\
    head = load_file(Path(folder, "{HEAD_FILE}"))
    logits = adapter["logit_scale"] * image @ (classes + head["offsets"]).T + head["bias"]"""


def write_document(folder: Path, content: AdapterContent) -> None:
    """Write the adapter's document beside the export."""
    text = json.dumps(to_json(content.document), indent=1, sort_keys=True)
    (folder / MARK).write_text(text + "\n", encoding="utf-8")


def merged_readme(content: AdapterContent, config: dict[str, Any]) -> str:
    """Return the README of a merged folder: how plain open_clip loads it."""
    return f"""\
# {plain(content.document.base.name)} with a sigma adapter folded in

A whole open_clip model. What each class is, and what is known about it, is in `sigma_adapter.json`. The base
model's licence holds for this folder too.
{_head_note(content)}
```python
import json
from pathlib import Path

import open_clip
import torch
{_head_import(content)}
folder = "."  # this folder
{_loading(config)}
{_classify(content)}```

{_card(content)}"""


def lora_readme(content: AdapterContent, energy: float, difference: float) -> str:
    """Return the README of a LoRA folder: how peft loads it, and what it leaves out."""
    return f"""\
# A LoRA of a sigma adapter for {plain(content.document.base.name)}

Keeps at least {energy:.4%} of the squared change of every matrix; the logits of eight synthetic images differ
from the adapter's by at most {difference:.1e}. Load the plain open_clip model first, then:

```python
from peft import PeftModel

model = PeftModel.from_pretrained(model, folder).eval()  # folder: this folder
```

`model.encode_image` and `model.encode_text` then answer as the adapted model. Classes, prompts, `logit_scale`
and the `calibration` temperature, by which logits are divided for probabilities, are in `sigma_adapter.json`.
{_head_note(content)}
{_card(content)}"""


def _classify(content: AdapterContent) -> str:
    return _CLASSIFY.replace("{logits}", _LOGITS if content.head is None else _LOGITS_WITH_HEAD)


def _head_import(content: AdapterContent) -> str:
    return "" if content.head is None else "from safetensors.torch import load_file\n"


def _head_note(content: AdapterContent) -> str:
    """Return the paragraph on the class head, which the model itself cannot hold; empty without one."""
    if content.head is None:
        return ""
    return f"""
The adapter's class head is no part of the model: it is in `{HEAD_FILE}`, with `offsets` (classes, width) and
`bias` (classes,), classes in the order of `sigma_adapter.json`. Without it the logits are not the adapter's,
which are `logit_scale * image @ (classes + offsets).T + bias` with unit embeddings `image` and `classes`.
"""


def loading_call(config: dict[str, Any]) -> str:
    """Return the one call that loads a merged folder from within it, for the console."""
    size = config["model_cfg"]["vision_cfg"]["image_size"]
    extra = f", force_image_size={size}" if "timm_model_name" in config["model_cfg"]["vision_cfg"] else ""
    return f'open_clip.create_model_from_pretrained("local-dir:."{extra})'


def _loading(config: dict[str, Any]) -> str:
    """Return the code that loads model, preprocessing and tokenizer.

    timm builds a ViT at the size in its name, and open_clip looks for a Hugging Face text tower by name.
    """
    model = config["model_cfg"]
    lines, extra = [], ""
    if "timm_model_name" in model["vision_cfg"]:
        extra += f", force_image_size={model['vision_cfg']['image_size']}"
    if "hf_model_name" in model["text_cfg"]:
        lines += [
            'config = json.loads(Path(folder, "open_clip_config.json").read_text(encoding="utf-8"))',
            'text_cfg = config["model_cfg"]["text_cfg"] | {"hf_model_name": folder}',
        ]
        extra += ", text_cfg=text_cfg"
    lines += [
        f'model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{{folder}}"{extra})',
        'tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")',
        "model.eval()",
    ]
    return "\n".join(lines) + "\n"


def _card(content: AdapterContent) -> str:
    return f"```\n{card_text(content).replace('```', '')}```\n"
