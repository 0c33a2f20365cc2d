"""``clipsvd adapter merge``, ``to-lora`` and ``to-onnx``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.cli import engine
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.jobs.answers import ConvertResult
from clipsvd_app.services.adapters import application
from clipsvd_app.services.adapters.conversion import prepare_convert
from clipsvd_app.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console


def add_actions(actions: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the actions that write an adapter in another form."""
    merge = actions.add_parser("merge", parents=[shared], help="write a complete model for open_clip")
    _add_arguments(merge, "open_clip", "FOLDER")
    merge.add_argument(
        "--dtype", choices=("fp32", "fp16"), default="fp32", help="number type of the stored weights"
    )
    lora = actions.add_parser("to-lora", parents=[shared], help="write a LoRA for peft")
    _add_arguments(lora, "lora", "FOLDER")
    lora.add_argument(
        "--energy",
        type=float,
        default=0.99,
        metavar="E",
        help="fraction of the squared change to keep (0.99)",
    )
    onnx = actions.add_parser("to-onnx", parents=[shared], help="write an image classifier as one ONNX file")
    _add_arguments(onnx, "onnx", "FILE.onnx")


def run_convert(options: argparse.Namespace, console: Console) -> int:
    """Write the form and say where it lies and how far its logits are from the adapter's."""
    backbone = application.backbone_of(load_settings(), options.file, options.backbone)
    folder = prepare_convert(
        options.file,
        backbone,
        options.form,
        options.out,
        energy=options.energy,
        dtype=options.dtype,
        overwrite=options.overwrite,
    )
    result = engine.answer(folder, ConvertResult, console)
    _say(console, result)
    console.document(
        {
            "path": result.path,
            "form": result.form,
            "files": dict(result.files),
            "bytes": sum(size for _, size in result.files),
            "parameters": result.parameters,
            "largest_logit_difference": result.logit_difference,
            "compared_on_images": result.images,
            "energy": result.energy,
            "ranks": result.ranks,
            "usage": result.usage,
        }
    )
    return 0


def _say(console: Console, result: ConvertResult) -> None:
    total = sum(size for _, size in result.files)
    console.say(f"Wrote {result.path} ({total:,} bytes, {result.parameters:,} numbers).")
    if result.ranks:
        ranks = list(result.ranks.values())
        console.say(
            f"Ranks of {counted(len(ranks), 'layer')} from {min(ranks)} to {max(ranks)},"
            f" {sum(ranks):,} in all, for {result.energy:.2%} of every change."
        )
    images = counted(result.images, "synthetic image")
    console.say(f"Largest difference in logits from the adapter, on {images}: {result.logit_difference:.1e}")
    console.say(result.usage)


def _add_arguments(action: argparse.ArgumentParser, form: str, out: str) -> None:
    action.add_argument("file", type=Path, metavar="FILE")
    action.add_argument("--out", type=Path, required=True, metavar=out)
    action.add_argument("--backbone", metavar="NAME|FOLDER", help="default: found by the hash in the adapter")
    action.add_argument("--overwrite", action="store_true", help="replace an earlier export with this name")
    action.set_defaults(run=run_convert, form=form, energy=0.99, dtype="fp32")
