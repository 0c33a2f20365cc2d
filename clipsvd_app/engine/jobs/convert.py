"""The job that writes an adapter in another form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from clipsvd_app.adapter_file import read_adapter
from clipsvd_app.engine.exports.class_head import head_usage
from clipsvd_app.engine.exports.lora import write_lora
from clipsvd_app.engine.exports.merge import write_merged
from clipsvd_app.engine.exports.onnx_file import CHECKED, write_onnx
from clipsvd_app.engine.exports.parity import SEEDS
from clipsvd_app.engine.exports.readme_texts import loading_call
from clipsvd_app.engine.exports.whole import new_file, new_folder
from clipsvd_app.jobs.answers import ConvertResult

if TYPE_CHECKING:
    from clipsvd_app.engine.sigma.adapter import LoadedAdapter
    from clipsvd_app.engine.sigma.warm import WarmBackbone
    from clipsvd_app.jobs.lines import Report
    from clipsvd_app.jobs.requests import ConvertRequest

_DTYPES = {"fp32": torch.float32, "fp16": torch.float16}


def run_convert(request: ConvertRequest, warm: WarmBackbone, report: Report) -> ConvertResult:
    """Check the adapter, write it in the requested form, and measure the difference from the adapter."""
    loaded = warm.adapter(read_adapter(Path(request.adapter)), report)
    match request.form:
        case "open_clip":
            return _merged(request, loaded, report)
        case "lora":
            return _lora(request, loaded, report)
        case "onnx":
            return _onnx(request, loaded, report)


def _merged(request: ConvertRequest, loaded: LoadedAdapter, report: Report) -> ConvertResult:
    target = Path(request.out)
    with new_folder(target, overwrite=request.overwrite) as draft:
        difference = write_merged(draft, loaded, _DTYPES[request.dtype], report)
    config = json.loads((target / "open_clip_config.json").read_text(encoding="utf-8"))
    usage = f"In that folder, open_clip loads it with {loading_call(config)}; README.md has the rest."
    usage += head_usage(loaded.content)
    return ConvertResult(
        request.form,
        request.out,
        _sizes(target),
        difference,
        len(SEEDS),
        loaded.adapted.backbone.parameters,
        usage,
    )


def _lora(request: ConvertRequest, loaded: LoadedAdapter, report: Report) -> ConvertResult:
    target = Path(request.out)
    with new_folder(target, overwrite=request.overwrite) as draft:
        written = write_lora(draft, loaded, request.energy, report)
    return ConvertResult(
        request.form,
        request.out,
        _sizes(target),
        written.logit_difference,
        len(SEEDS),
        written.parameters,
        "peft loads it onto the plain open_clip model with PeftModel.from_pretrained(model, folder)."
        + head_usage(loaded.content),
        energy=request.energy,
        ranks=written.ranks,
    )


def _onnx(request: ConvertRequest, loaded: LoadedAdapter, report: Report) -> ConvertResult:
    target = Path(request.out)
    with new_file(target, overwrite=request.overwrite) as draft:
        difference = write_onnx(draft, loaded, report)
    side = loaded.adapted.backbone.preprocessing.size
    usage = f"Input pixels: (images, 3, {side}, {side}) uint8, RGB, fitted into a black square."
    image_tower = loaded.adapted.model.get_submodule("visual")
    parameters = sum(weight.numel() for weight in image_tower.parameters())
    return ConvertResult(
        request.form,
        request.out,
        ((target.name, target.stat().st_size),),
        difference,
        CHECKED,
        parameters,
        usage,
    )


def _sizes(folder: Path) -> tuple[tuple[str, int], ...]:
    return tuple((file.name, file.stat().st_size) for file in sorted(folder.iterdir()))
