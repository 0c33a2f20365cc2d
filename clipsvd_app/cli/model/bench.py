"""``clipsvd bench``: what a user measures on images of their own."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from clipsvd_app.cli.model.bench_source import add_source_arguments
from clipsvd_app.domain.recipe import PRESETS
from clipsvd_app.domain.results.evaluation import METHOD_TITLES
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.services.models import backbones
from clipsvd_app.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the benchmarks of accuracy."""
    group = commands.add_parser("bench", help="measure accuracy on your own images")
    actions = group.add_subparsers(title="benchmarks", metavar="fewshot", required=True)
    few = actions.add_parser("fewshot", parents=[shared], help="accuracy by number of shots")
    add_few_shot_arguments(few)
    few.set_defaults(run=run_few_shot)


def add_few_shot_arguments(few: argparse.ArgumentParser) -> None:
    """Add what says which images, draws, backbone and recipe."""
    few.add_argument("--shots", type=int, nargs="+", required=True, metavar="K")
    few.add_argument("--seeds", type=int, default=3, metavar="N")
    add_source_arguments(few)
    few.add_argument("--preset", choices=tuple(PRESETS), default="standard")
    few.add_argument(
        "--test-images", type=int, metavar="N", help="test each draw on at most N of the other images"
    )


def run_few_shot(options: argparse.Namespace, console: Console) -> int:
    """Measure every method for every number of shots and seed, on the same draws."""
    from clipsvd_app.engine.fewshot.benchmark import few_shot_records

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
            class_names=options.class_names,
            most_tested=options.test_images,
        )
    )
    _show(console, records)
    console.document({"records": records})
    return 0


def _show(console: Console, records: list[dict[str, Any]]) -> None:
    shots = sorted({record["shots"] for record in records})
    rows = []
    measured = {record["method"] for record in records}
    for method, title in METHOD_TITLES.items():
        if method not in measured:
            continue
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
