"""The commands that time a training step and the explanations, and the one that kills a labelling process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.requests import BackboneRef
from clipsvd_app.services.models import backbones
from clipsvd_app.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console

RANDOM = "random:"


def add_actions(actions: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the three commands."""
    step = actions.add_parser("step", parents=[shared], help="time one training step in four forms")
    step.add_argument("--backbone", default=f"{RANDOM}biomedclip", metavar="random:biomedclip|B")
    step.add_argument("--batch", type=int, default=16, metavar="N", help="images per step")
    step.add_argument("--classes", type=int, default=4, metavar="N")
    step.add_argument("--dtype", choices=("fp32", "bf16"), default="fp32")
    step.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    step.add_argument("--steps", type=int, default=3, metavar="N", help="measured steps, after a warm-up")
    step.set_defaults(run=run_step)
    explaining = actions.add_parser("explaining", parents=[shared], help="time the explanations")
    explaining.add_argument("--backbone", default=backbones.DEMO, metavar="random:biomedclip|B")
    explaining.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    explaining.add_argument(
        "--rounds", type=int, default=3, metavar="N", help="repetitions for cases and heads"
    )
    explaining.set_defaults(run=run_explaining)
    durable = actions.add_parser(
        "durable", parents=[shared], help="kill a labelling process at random moments and check its labels"
    )
    durable.add_argument("--moments", type=int, default=200, metavar="N")
    durable.add_argument("--seed", type=int, default=0, metavar="N")
    durable.add_argument("--window", type=int, default=0, metavar="N", help="time N labels in a window")
    durable.set_defaults(run=run_durable)


def run_step(options: argparse.Namespace, console: Console) -> int:
    """Time the forms of a training step in turn."""
    from benchmarks.step import StepBench, step_records

    for name, least in (("batch", 1), ("classes", 2), ("steps", 1)):
        if getattr(options, name) < least:
            raise UserError(f"--{name} must be at least {least}.", remedy="Enter a larger number.")
    bench = StepBench(
        _backbone(options.backbone),
        options.batch,
        options.classes,
        options.dtype,
        options.device,
        options.steps,
    )
    records = step_records(bench, console.report)
    bound = next(record["median_step_s"] for record in records if record["form"] == "frozen")
    rows = [
        [
            record["form"],
            record["dtype"],
            f"{record['median_step_s']:.2f}",
            f"{record['median_step_s'] / bound:.2f}",
            f"{record['peak_memory_mb']:,.0f}",
            f"{record['trainable_parameters']:,}",
        ]
        for record in records
    ]
    console.table(["form", "dtype", "s per step", "relative to frozen", "peak MB", "trained"], rows)
    console.document({"records": records})
    return 0


def run_durable(options: argparse.Namespace, console: Console) -> int:
    """Kill a labelling process again and again and look at the project after each time."""
    if options.window:
        return _time_labels(options.window, console)
    from benchmarks.durable import kill_and_look, labelling_command

    if options.moments < 1:
        raise UserError("--moments must be at least 1.", remedy="Enter a larger number.")
    found = kill_and_look(
        labelling_command(),
        options.moments,
        options.seed,
        lambda done, total: console.report("Killing and checking", done, total),
    )
    where = ", ".join(f"{kind} {count}" for kind, count in found.killed_in.items())
    console.say(
        f"Killed {counted(found.moments, 'time')} ({where}) after"
        f" {counted(found.acknowledged, 'acknowledged step')}."
    )
    console.say(f"Projects with lost changes: {found.lost}. Still locked: {found.locked}.")
    console.say(
        f"A label is on disk in {found.label_median_ms:.1f} ms (median), {found.label_p95_ms:.1f} ms (p95);"
        f" the slowest opening took {found.slowest_opening_s:.2f} s."
    )
    console.document(found)
    return 0 if found.passed else 1


def _time_labels(labels: int, console: Console) -> int:
    from benchmarks.durable_window import bench_label_pace

    found = bench_label_pace(max(2, labels))
    if found is None:
        console.note("note: Qt does not run here, so the window was not measured.")
        return 0
    rows = [
        [what, *(f"{value:.1f}" for value in (spread.median, spread.p95, spread.largest))]
        for what, spread in (
            ("the key: processor time of the window's thread", found.key),
            ("the same until all that it changed is painted", found.painted),
            ("by the clock, with the wait for the disk", found.label),
            ("longest hold until the next label, preview included", found.held),
            ("all processor time of the thread until the next label", found.busy),
        )
    ]
    console.table(
        [f"{counted(found.images, 'image')}, {counted(found.runs, 'run')}; ms", "median", "p95", "max"], rows
    )
    console.document(found)
    return 0


def run_explaining(options: argparse.Namespace, console: Console) -> int:
    """Time a case, a run and their parts."""
    from benchmarks.explaining import explain_times
    from clipsvd_app.engine.sigma.warm import WarmBackbones

    if options.rounds < 1:
        raise UserError("--rounds must be at least 1.", remedy="Enter a larger number.")
    warm = WarmBackbones().get(_backbone(options.backbone), options.device, console.report)
    found = explain_times(warm, options.backbone, options.rounds, console.report)
    rows = [
        ["decomposing the backbone", f"{found.basis_s:.2f}"],
        ["one case of a run", f"{found.case_s:.2f}"],
        ["one case of an adapter without its run", f"{found.lone_case_s:.2f}"],
        [f"a run, on {counted(found.run_images, 'image')}", f"{found.run_s:.2f}"],
        [f"embedding {counted(found.phrases, 'phrase')}", f"{found.corpus_s:.2f}"],
    ]
    if found.watch_s is not None and found.heads_s is not None:
        rows.append([f"{counted(found.head_images, 'image')}", f"{found.watch_s:.2f}"])
        rows.append([f"TextSpan of {counted(found.heads, 'head')}", f"{found.heads_s:.2f}"])
    console.table([f"{found.backbone}, {counted(found.threads, 'thread')}", "seconds"], rows)
    console.document(found)
    return 0


def _backbone(name: str) -> BackboneRef:
    """Return a known backbone, or a random one of true size, made when it is first asked for."""
    if not name.startswith(RANDOM):
        return backbones.find(load_settings(), name)
    from clipsvd_app.engine.backbone.random_weights import RANDOM_KINDS, random_backbone_folder

    kind = next((known for known in RANDOM_KINDS if known == name.removeprefix(RANDOM)), None)
    if kind is None:
        choices = " or ".join(RANDOM + known for known in RANDOM_KINDS)
        raise UserError(f"There is no random backbone “{name}”.", remedy=f"Choose {choices}.")
    return BackboneRef(name, str(random_backbone_folder(kind)))
