"""``python -m benchmarks verdicts``: whether verdicts from a few images hold on all the others."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipsvd_app.cli.model.bench_source import add_source_arguments
from clipsvd_app.domain.recipe import PRESETS
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.errors import UserError
from clipsvd_app.services.files.outputs import require_file
from clipsvd_app.services.models import backbones
from clipsvd_app.settings import cache_folder, load_settings

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console

_CLEAR_GAIN = 0.1


def add_actions(actions: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the benchmark of verdicts."""
    verdicts = actions.add_parser(
        "verdicts", parents=[shared], help="test verdicts from few images on all other images"
    )
    add_source_arguments(verdicts)
    verdicts.add_argument("--shots", type=int, default=16, metavar="K")
    verdicts.add_argument("--seeds", type=int, default=20, metavar="N")
    verdicts.add_argument("--preset", choices=tuple(PRESETS), default="quick")
    verdicts.add_argument(
        "--out", type=Path, metavar="FILE.jsonl", help="file for the records; the command resumes from it"
    )
    verdicts.set_defaults(run=run_verdicts)


def run_verdicts(options: argparse.Namespace, console: Console) -> int:
    """Measure seed after seed, each a line on file at once; the same command resumes where it stopped."""
    from benchmarks.verdicts import VerdictBench, verdict_records
    from clipsvd_app.engine.fewshot.benchmark import BenchSource

    if options.shots < 1 or options.seeds < 1:
        raise UserError("--shots and --seeds must be at least 1.", remedy="Enter a larger number.")
    source = BenchSource(
        options.root.resolve(),
        options.group_regex,
        options.include_regex,
        tuple(part for part in options.splits.split(",") if part),
        options.prompts,
        tuple(options.class_names),
    )
    lines = options.out or _lines_of(repr(source))
    if options.out is None:
        lines.parent.mkdir(parents=True, exist_ok=True)
    require_file(lines, overwrite=True)  # records are added to those of the same command before
    backbone = backbones.find(load_settings(), options.backbone)
    bench = VerdictBench(source, backbone, options.preset, options.shots, options.seeds, lines)
    records = list(verdict_records(bench, console.report))
    summary = summary_of(records)
    _show(console, summary, lines)
    console.document({"summary": summary, "records": records})
    return 0


def summary_of(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Count false alarms, intervals that held, and clear gains that were told or said to be out of reach."""
    true = [record for record in records if not record["shuffled"]]
    shuffled = [record for record in records if record["shuffled"]]
    clear = [record for record in true if record.get("remaining_gain", 0.0) >= _CLEAR_GAIN]
    missed = [record for record in clear if record["verdict"] != "helped"]
    return {
        "seeds": len(true),
        "shuffled": len(shuffled),
        "shuffled_helped": sum(record["verdict"] == "helped" for record in shuffled),
        "shuffled_harmed": sum(record["verdict"] == "harmed" for record in shuffled),
        "true_helped": sum(record["verdict"] == "helped" for record in true),
        "true_harmed": sum(record["verdict"] == "harmed" for record in true),
        "interval_held": sum(bool(record.get("held")) for record in true),
        "clear_gains": len(clear),
        "clear_gains_helped": len(clear) - len(missed),
        "clear_gains_out_of_reach": sum(_out_of_reach(record) for record in missed),
        "seconds": sum(record["seconds"] for record in records),
    }


def _out_of_reach(record: dict[str, Any]) -> bool:
    """Tell whether the page named a larger gain than the true one as what so many cases can show."""
    return bool(record["remaining_gain"] <= record["detectable"])


def _show(console: Console, summary: dict[str, Any], lines: Path) -> None:
    shuffled, seeds = summary["shuffled"], summary["seeds"]
    console.say(
        f"Shuffled labels: “helped” in {summary['shuffled_helped']} of {shuffled},"
        f" “harmed” in {summary['shuffled_harmed']}."
    )
    console.say(
        f"True labels: the confidence interval contained the accuracy on all other images in"
        f" {summary['interval_held']}"
        f" of {seeds} ({percent(summary['interval_held'] / max(1, seeds))})."
    )
    console.say(
        f"True labels: “helped” in {summary['true_helped']} of {seeds}, “harmed” in {summary['true_harmed']}."
        f" Of the {summary['clear_gains']} with a true gain of 10 points or more,"
        f" {summary['clear_gains_helped']} said “helped”,"
        f" and {summary['clear_gains_out_of_reach']} that so few cases cannot show a gain of that size."
    )
    console.say(f"{summary['seconds']:,.0f} s in all; records: {lines}")


def _lines_of(source: str) -> Path:
    return cache_folder() / "bench" / f"verdicts-{hashlib.sha256(source.encode()).hexdigest()[:12]}.jsonl"
