"""``clipsvd evaluate``, and how an evaluation is printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipsvd_app.cli import engine
from clipsvd_app.cli.project.opened import opened
from clipsvd_app.domain.recipe import DEFAULT_PRESET, PRESETS
from clipsvd_app.domain.records import to_json
from clipsvd_app.domain.results.evaluation import METHOD_TITLES, Evaluation
from clipsvd_app.domain.words.evaluation import (
    calibration_text,
    learning_curve_text,
    no_estimate_text,
    prediction_sets_text,
    recommendation_text,
    verdict_sentence,
    weakness_text,
)
from clipsvd_app.domain.words.numbers import percent, percent_with_interval
from clipsvd_app.domain.words.results import basis_text
from clipsvd_app.domain.words.trained import start_sentence
from clipsvd_app.services.models import backbones
from clipsvd_app.services.runs import training_run
from clipsvd_app.services.studies.changed_files import changed_images, changed_sentence
from clipsvd_app.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console
    from clipsvd_app.project import Project

_SPLIT = ("kind", "patients", "images", "folds", "repeats")


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command that shows the evaluation of a run."""
    evaluate = commands.add_parser(
        "evaluate", parents=[shared], help="show the evaluation of a run on unseen patients"
    )
    evaluate.add_argument("project", type=Path, metavar="PROJECT")
    evaluate.add_argument("--run", dest="number", type=int, metavar="N", help="default: the newest run")
    evaluate.add_argument("--preset", choices=tuple(PRESETS), help="train and evaluate again, as a new run")
    add_plain_argument(evaluate)
    evaluate.set_defaults(run=run_evaluate)


def add_plain_argument(command: argparse.ArgumentParser) -> None:
    """Add the flag that trains plain CLIP-SVD."""
    command.add_argument(
        "--plain",
        action="store_true",
        help="plain CLIP-SVD, as in the paper: from the class texts, no class head, all of the change kept",
    )


def run_evaluate(options: argparse.Namespace, console: Console) -> int:
    """Print the evaluation of a stored run, or of a new one on all labelled images."""
    with opened(options, console) as project:
        if options.preset is None and not options.plain:
            number = options.number or project.latest_run()
        else:
            number = _new_run(project, options, console)
        result = project.run_result(number)
    console.say(f"Run {number}")
    console.say(start_sentence(result))
    show_evaluation(console, result.evaluation)
    console.document({"run": number, "classes": result.class_names, **evaluation_document(result.evaluation)})
    return 0


def evaluation_document(evaluation: Evaluation) -> dict[str, Any]:
    """Return what ``--json`` prints of an evaluation: intervals as [low, high], the split by itself."""
    document = _with_pairs(to_json(evaluation))
    split = {name: document.pop(name) for name in _SPLIT}
    words = {
        "sentence": verdict_sentence(evaluation),
        "reason": no_estimate_text(evaluation) if evaluation.kind == "none" else "",
        "recommendation": recommendation_text(evaluation),
        "warnings": [weakness_text(weakness) for weakness in evaluation.warnings],
    }
    return {**document, **words, "split": split}


def note_changed(project: Project, console: Console) -> None:
    """Say before the work how many files are other ones than were labelled; the engine leaves them out."""
    images = project.images()
    if sentence := changed_sentence(len(changed_images(images)), len(images)):
        console.note(f"note: {sentence} They are left out. clipsvd relink finds files by their content.")


def show_evaluation(console: Console, evaluation: Evaluation) -> None:
    """Print methods with intervals, what they amount to, and what weakens it; or why there is no estimate."""
    if evaluation.kind == "none":
        console.say(f"No estimate: {no_estimate_text(evaluation)}")
        return
    console.say(f"On {basis_text(evaluation)}:")
    console.table(
        ["method", "balanced accuracy (95 % CI)", "accuracy", "AUROC", "trained parameters"],
        [
            [
                METHOD_TITLES[score.method],
                percent_with_interval(score.balanced_accuracy, score.interval),
                percent(score.accuracy),
                "–" if score.macro_auroc is None else f"{score.macro_auroc:.3f}",
                f"{score.trainable_parameters:,}",
            ]
            for score in evaluation.methods
        ],
    )
    for sentence in _sentences(evaluation):
        console.say(sentence)
    for warning in evaluation.warnings:
        console.say(f"Warning: {weakness_text(warning)}")


def _sentences(evaluation: Evaluation) -> list[str]:
    sets, curve = evaluation.conformal, evaluation.learning_curve
    found = [
        verdict_sentence(evaluation),
        recommendation_text(evaluation),
        calibration_text(evaluation),
        prediction_sets_text(sets) if sets is not None else "",
        learning_curve_text(curve) if curve is not None else "",
    ]
    return [sentence for sentence in found if sentence]


def _new_run(project: Project, options: argparse.Namespace, console: Console) -> int:
    """Train with the preset; with an earlier run, on its shots and seed."""
    like = None if options.number is None else project.run_result(options.number)
    backbone = backbones.find(load_settings(), project.setting("backbone", backbones.DEMO))
    folder = training_run.prepare(
        project,
        backbone,
        options.preset or DEFAULT_PRESET,
        shots=None if like is None else like.shots,
        seed=training_run.SEED if like is None else like.seed,
        plain=options.plain,
    )
    note_changed(project, console)
    engine.run(folder, console, "Cancelled. To resume, run the same command again.")
    return training_run.record(project, folder)


def _with_pairs(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        if set(value) == {"low", "high"}:
            return [value["low"], value["high"]]
        return {key: _with_pairs(item) for key, item in value.items()}
    return [_with_pairs(item) for item in value] if isinstance(value, list) else value
