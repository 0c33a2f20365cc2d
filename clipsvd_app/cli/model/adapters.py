"""``clipsvd export``, ``predict`` and ``adapter``."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from clipsvd_app.adapter_file import AdapterContent, card_text, read_exported
from clipsvd_app.adapter_file.document import LayerMethod
from clipsvd_app.cli import engine
from clipsvd_app.cli.model import convert
from clipsvd_app.cli.project.opened import opened
from clipsvd_app.domain.words.notice import NOT_FOR_DIAGNOSIS
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.answers import PredictResult, VerifyResult
from clipsvd_app.services.adapters import application
from clipsvd_app.services.adapters.export import ADAPTED, export_run
from clipsvd_app.services.files.outputs import require_file
from clipsvd_app.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console
    from clipsvd_app.services.adapters.application import FilePrediction

EXPORTED_METHODS: tuple[str, ...] = (ADAPTED, *get_args(LayerMethod))


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the commands that write, apply, show and check adapters."""
    export = commands.add_parser(
        "export", parents=[shared], help="write a run as a sigma adapter or frozen classifier"
    )
    export.add_argument("project", type=Path, metavar="PROJECT")
    export.add_argument("--run", dest="run_number", type=int, required=True, metavar="N")
    export.add_argument("--out", type=Path, required=True, metavar="FILE")
    export.add_argument(
        "--method",
        choices=EXPORTED_METHODS,
        default="clip_svd",
        help="clip_svd (default) writes the sigma adapter, other methods a frozen classifier",
    )
    export.add_argument("--overwrite", action="store_true", help="replace an existing file")
    export.set_defaults(run=run_export)

    predict = commands.add_parser("predict", parents=[shared], help="apply an adapter or classifier to files")
    predict.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    predict.add_argument("--adapter", type=Path, required=True, metavar="FILE")
    predict.add_argument("--csv", type=Path, metavar="FILE", help="also write the predictions as a table")
    predict.add_argument(
        "--path-form",
        dest="paths_as",
        choices=application.PATH_FORMS,
        default="given",
        help="how to name files: path as given (default), absolute path, or file name",
    )
    predict.add_argument("--overwrite", action="store_true", help="replace an existing table")
    predict.add_argument(
        "--backbone", metavar="NAME|FOLDER", help="default: found by the hash in the adapter"
    )
    predict.set_defaults(run=run_predict)

    _add_adapter_commands(commands, shared)


def _add_adapter_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    adapter = commands.add_parser("adapter", help="show, verify or convert an adapter or classifier")
    actions = adapter.add_subparsers(
        title="actions", metavar="show|verify|merge|to-lora|to-onnx", required=True
    )
    show = actions.add_parser("show", parents=[shared], help="print the model card")
    show.add_argument("file", type=Path, metavar="FILE")
    show.set_defaults(run=run_show)
    verify = actions.add_parser("verify", parents=[shared], help="verify it against its backbone")
    verify.add_argument("file", type=Path, metavar="FILE")
    verify.add_argument("--backbone", metavar="NAME|FOLDER", help="default: found by the hash in the adapter")
    verify.set_defaults(run=run_verify)
    convert.add_actions(actions, shared)


def run_export(options: argparse.Namespace, console: Console) -> int:
    """Write the adapter and say where and how large."""
    with opened(options, console) as project:
        target = export_run(
            project, options.run_number, options.out, method=options.method, overwrite=options.overwrite
        )
    data = target.read_bytes()
    console.say(f"Wrote {target} ({len(data):,} bytes).")
    console.document(
        {
            "path": str(target),
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "run": options.run_number,
            "method": options.method,
        }
    )
    return 0


def run_predict(options: argparse.Namespace, console: Console) -> int:
    """Predict files, those unlike the training images and the least certain first."""
    from clipsvd_app.imaging.files.left_out import quiet_words

    if options.csv is not None:
        require_file(options.csv, overwrite=options.overwrite)
    backbone = application.backbone_of(load_settings(), options.adapter, options.backbone)
    files = application.list_files(options.paths)
    left_out = application.not_read(options.paths)
    folder = application.prepare_predict(options.adapter, backbone, files)
    result = engine.answer(folder, PredictResult, console)
    rows = application.gather(files, result)
    if options.csv is not None:
        application.write_csv(rows, result.class_names, options.csv, options.paths_as)
    for warning in result.warnings:
        console.note(warning)
    _show_predictions(console, rows, result.class_names, options.paths_as)
    if summary := application.unlike_summary(rows, result.learnt_kind):
        console.note(f"note: {summary}")
    for item in left_out:
        if item.sentence:
            console.note(f"refused: {item.sentence}")
    if words := quiet_words(Counter(item.reason for item in left_out)):
        console.note(f"note: Left out: {words}.")
    console.document(
        {
            "classes": result.class_names,
            "images": [
                _prediction(row, result.class_names, options.paths_as) for row in rows if row.probabilities
            ],
            "refused": [{"path": str(row.file.path), "sentence": row.refusal} for row in rows if row.refusal]
            + [{"path": item.path, "sentence": item.sentence} for item in left_out if item.sentence],
            "left_out": Counter(item.reason for item in left_out if not item.sentence),
            "learnt_kind": result.learnt_kind,
            "unlike": sum(bool(row.unlike) for row in rows),
            "warnings": result.warnings,
        }
    )
    if all(row.refusal for row in rows):
        raise UserError(
            "None of the files could be read.", remedy="Choose DICOM, PNG, JPEG, TIFF or NIfTI files."
        )
    return 0


def run_show(options: argparse.Namespace, console: Console) -> int:
    """Print the card."""
    content = read_exported(options.file)
    console.say(card_text(content).rstrip())
    console.document(
        {
            "document": content.document,
            "matrices": len(content.spectra) if isinstance(content, AdapterContent) else 0,
            "trained_numbers": content.trained_numbers,
            "bytes": options.file.stat().st_size,
        }
    )
    return 0


def run_verify(options: argparse.Namespace, console: Console) -> int:
    """Check base hash, names, shapes, probes and canaries; exit code 1 when one fails."""
    backbone = application.backbone_of(load_settings(), options.file, options.backbone)
    result = engine.answer(application.prepare_verify(options.file, backbone), VerifyResult, console)
    for check in result.checks:
        console.say(f"  {'✓' if check.passed else '✗'} {check.name}: {check.detail}")
    deviations = {check.name: check for check in result.checks if check.deviation is not None}
    if result.passed:
        console.say("Largest deviations, with their tolerances:")
        console.table(
            ["", "found", "allowed"],
            [[name, f"{c.deviation:.2e}", f"{c.allowed:.0e}"] for name, c in deviations.items()],
        )
    console.say("All checks passed." if result.passed else "Do not use this file: a check failed.")
    console.document(
        {
            "passed": result.passed,
            "largest_deviation": {name: check.deviation for name, check in deviations.items()},
            "allowed_deviation": {name: check.allowed for name, check in deviations.items()},
            "checks": result.checks,
        }
    )
    return 0 if result.passed else 1


def _show_predictions(
    console: Console, rows: tuple[FilePrediction, ...], names: tuple[str, ...], form: application.PathForm
) -> None:
    read = [row for row in rows if row.probabilities]
    console.table(
        ["file", "study", "predicted", *names, "unlike"],
        [
            [
                row.file.shown(form) + (f" #{row.file.frame}" if row.file.frame else ""),
                str(row.file.study),
                names[row.probabilities.index(max(row.probabilities))],
                *(f"{p:.3f}" for p in row.probabilities),
                "yes" if row.unlike else "",
            ]
            for row in read
        ],
    )
    for row in rows:
        if row.refusal:
            console.note(f"refused: {row.file.shown(form)}: {row.refusal}")
    console.say(NOT_FOR_DIAGNOSIS)


def _prediction(row: FilePrediction, names: tuple[str, ...], form: application.PathForm) -> dict[str, object]:
    return {
        "path": str(row.file.path),
        "file": row.file.shown(form),
        "frame": row.file.frame,
        "study": row.file.study,
        "predicted": names[row.probabilities.index(max(row.probabilities))],
        "probabilities": dict(zip(names, row.probabilities, strict=True)),
        "zero_shot": dict(zip(names, row.zero_shot, strict=True)),
        "unlike_training": row.unlike,
    }
