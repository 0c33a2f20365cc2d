"""``clipsvd train`` and ``runs``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.cli import engine
from clipsvd_app.cli.model.evaluate import add_plain_argument, note_changed, show_evaluation
from clipsvd_app.cli.project.opened import opened
from clipsvd_app.domain.recipe import DEFAULT_PRESET, PRESETS
from clipsvd_app.domain.results.evaluation import Interval
from clipsvd_app.domain.words.counting import images_of_patients
from clipsvd_app.domain.words.notes import note_text
from clipsvd_app.domain.words.numbers import duration, percent, percent_with_interval
from clipsvd_app.domain.words.trained import run_trained_words, start_sentence
from clipsvd_app.services.models import backbones
from clipsvd_app.services.runs import training_run as service
from clipsvd_app.settings import load_settings

if TYPE_CHECKING:
    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console
    from clipsvd_app.domain.results.run import RunResult
    from clipsvd_app.project import Project


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the commands that train and list runs."""
    train = commands.add_parser("train", parents=[shared], help="adapt the backbone to the labelled images")
    train.add_argument("project", type=Path, metavar="PROJECT")
    train.add_argument(
        "--shots", type=int, metavar="K", help="train on K images per class, test on the other patients"
    )
    train.add_argument("--seed", type=int, default=service.SEED, metavar="N")
    train.add_argument("--preset", choices=tuple(PRESETS), default=DEFAULT_PRESET)
    add_plain_argument(train)
    train.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    train.add_argument(
        "--mirror",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="mirror images left-right in this and later runs; turn off if sides matter",
    )
    train.add_argument(
        "--locked-test",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="set aside a quarter of the patients as a fixed test set for this and later runs",
    )
    train.set_defaults(run=run_train)

    runs = commands.add_parser("runs", parents=[shared], help="list the runs of a project")
    runs.add_argument("project", type=Path, metavar="PROJECT")
    runs.set_defaults(run=run_runs)


def run_train(options: argparse.Namespace, console: Console) -> int:
    """Train, store the run and print what it showed."""
    with opened(options, console) as project:
        backbone = backbones.find(load_settings(), project.setting("backbone", backbones.DEMO))
        if options.mirror is not None:
            service.choose_mirroring(project, options.mirror)
        folder = service.prepare(
            project,
            backbone,
            options.preset,
            shots=options.shots,
            seed=options.seed,
            device=options.device,
            locked_test=options.locked_test,
            plain=options.plain,
        )
        note_changed(project, console)
        engine.run(folder, console, "Cancelled. To resume, run the same command again.")
        number = service.record(project, folder)
        show_result(console, project.run_result(number), f"Run {number}")
        console.document(run_document(project, number))
    return 0


def run_runs(options: argparse.Namespace, console: Console) -> int:
    """List the runs."""
    with opened(options, console) as project:
        runs = project.runs()
    if not runs:
        console.say("No runs yet. To train: clipsvd train PROJECT")
    else:
        console.table(
            ["run", "preset", "shots", "zero-shot", "CLIP-SVD", "verdict", "seconds"],
            [
                [
                    str(run.number),
                    run.preset,
                    "all" if run.shots is None else str(run.shots),
                    percent(run.zero_shot_accuracy),
                    percent_with_interval(run.balanced_accuracy, Interval(*run.interval))
                    if run.balanced_accuracy is not None and run.interval is not None
                    else "–",
                    run.verdict.replace("_", " "),
                    f"{run.seconds:.0f}",
                ]
                for run in runs
            ],
        )
    console.document({"runs": runs})
    return 0


def run_document(project: Project, number: int) -> dict[str, object]:
    """Return what ``--json`` prints of a run: all but its per-image predictions."""
    result = project.run_result(number)
    return {
        "run": number,
        "classes": result.class_names,
        "backbone": {"name": result.backbone_name, "sha256": result.backbone_sha256},
        "matrices": result.matrices,
        "trainable_parameters": result.trainable_parameters,
        "train_images": result.train_images,
        "train_patients": result.train_patients,
        "shots": result.shots,
        "seed": result.seed,
        "learning_rate": result.learning_rate,
        "plain": result.plain,
        "start": result.probe or "text",
        "share": result.share,
        "choice_folds": result.choice_folds,
        "device": result.device,
        "seconds": result.seconds,
        "evaluation": result.evaluation,
        "notes": [note_text(note) for note in result.notes],
    }


def show_result(console: Console, result: RunResult, title: str) -> None:
    """Print the table of methods and the verdict."""
    console.say(
        f"{title}: {run_trained_words(result)} trained on"
        f" {images_of_patients(result.train_images, result.train_patients)} in {duration(result.seconds)}."
    )
    console.say(start_sentence(result))
    show_evaluation(console, result.evaluation)
    for note in result.notes:
        console.say(f"Note: {note_text(note)}")
