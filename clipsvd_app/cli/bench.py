"""``clipsvd bench fewshot``: figures on a folder of classes, by nobody's choice but the seeds'."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipsvd_app.cli.console import Console, percent
from clipsvd_app.domain.recipe import PRESETS
from clipsvd_app.domain.results import METHOD_TITLES
from clipsvd_app.services import backbones
from clipsvd_app.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the benchmark."""
    group = commands.add_parser("bench", help="measure the method on labelled folders")
    actions = group.add_subparsers(title="benchmarks", metavar="fewshot", required=True)
    few = actions.add_parser("fewshot", parents=[shared], help="accuracy against shots")
    few.add_argument(
        "root", type=Path, metavar="ROOT|FILE.npz", help="one folder per class, or a MedMNIST file"
    )
    few.add_argument("--shots", type=int, nargs="+", required=True, metavar="K")
    few.add_argument("--seeds", type=int, default=3, metavar="N")
    few.add_argument("--backbone", default=backbones.DEMO, metavar="B")
    few.add_argument("--group-regex", metavar="RE", help="its first group in the file name is the patient")
    few.add_argument("--include-regex", metavar="RE", help="take only files whose name it finds")
    few.add_argument(
        "--splits", default="val,test", metavar="val,test", help="parts of a MedMNIST file to use"
    )
    few.add_argument("--prompts", type=Path, metavar="CSV", help="class,prompt")
    few.add_argument("--preset", choices=tuple(PRESETS), default="standard")
    few.set_defaults(run=run_few_shot)


def run_few_shot(options: argparse.Namespace, console: Console) -> int:
    """Measure every method for every number of shots and seed, on the same draws."""
    from clipsvd_app.engine.bench import few_shot_records

    backbone = backbones.find(load_settings(), options.backbone)
    records = list(
        few_shot_records(
            options.root,
            shots=options.shots,
            seeds=options.seeds,
            backbone=backbone,
            group_regex=options.group_regex,
            include_regex=options.include_regex,
            splits=tuple(part for part in options.splits.split(",") if part),
            prompts=options.prompts,
            preset=options.preset,
            report=console.report,
        )
    )
    _show(console, records)
    console.document({"records": records})
    return 0


def _show(console: Console, records: list[dict[str, Any]]) -> None:
    shots = sorted({record["shots"] for record in records})
    rows = []
    for method, title in METHOD_TITLES.items():
        cells = [
            [r["balanced_accuracy"] for r in records if r["shots"] == k and r["method"] == method]
            for k in shots
        ]
        rows.append([title, *(_mean(cell) for cell in cells)])
    console.say("Balanced accuracy, mean (standard deviation over seeds):")
    console.table(["method", *(f"{k} shots" for k in shots)], rows)


def _mean(values: list[float]) -> str:
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{percent(statistics.fmean(values))} ({100 * spread:.1f})" if values else "–"
