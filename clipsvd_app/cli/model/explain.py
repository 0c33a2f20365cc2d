"""``clipsvd explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipsvd_app.cli import engine
from clipsvd_app.cli.project.opened import opened
from clipsvd_app.domain.records import to_json
from clipsvd_app.domain.results.explanation import CaseExplanation
from clipsvd_app.domain.words.case import as_unseen, case_statements
from clipsvd_app.domain.words.controls import CONTROL_TITLES
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.domain.words.phrases import part_title
from clipsvd_app.domain.words.run_changes import left_out_notes, run_statements
from clipsvd_app.errors import UserError
from clipsvd_app.services.adapters.application import prepare_explain, run_backbone
from clipsvd_app.services.runs.explanations import prepare_explain_run, record_explanation
from clipsvd_app.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console
    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.domain.results.explanation import (
        ClassChange,
        Control,
        DirectionChange,
        HeadReading,
        RunExplanation,
        ScorePart,
    )
    from clipsvd_app.domain.results.run import RunResult
    from clipsvd_app.domain.words.statement import Statement
    from clipsvd_app.project import Project

NO_WORDS = "no reliable description"
_SHOWN_HEADS, _SHOWN_PARTS = 8, 8
_CASE_FIELDS = ("score", "decomposition", "residual", "attribution", "concepts", "map_passed")


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command that explains a run and a case."""
    explain = commands.add_parser(
        "explain", parents=[shared], help="explain a run or the prediction for one image"
    )
    explain.add_argument("project", type=Path, metavar="PROJECT")
    explain.add_argument("--run", dest="run_number", type=int, metavar="N", help="default: the newest")
    explain.add_argument("--image", type=Path, metavar="PATH", help="an image of the project")
    explain.add_argument(
        "--again",
        action="store_true",
        help="recompute the run's explanation first, for example after adding phrases",
    )
    explain.add_argument("--occlusion", action="store_true", help="also make an occlusion map (slower)")
    explain.set_defaults(run=run_explain)


def run_explain(options: argparse.Namespace, console: Console) -> int:
    """Print what the run changed and, if asked, why one image got its probabilities."""
    with opened(options, console) as project:
        number = options.run_number or project.latest_run()
        if options.again:
            folder = prepare_explain_run(project, number, run_backbone(project, number, load_settings()))
            engine.run(folder, console)
            record_explanation(project, number, folder)
        result = project.run_result(number)
        show_run(console, result, number)
        statements = run_statements(result.explanation, result.class_names)
        document: dict[str, object] = {
            "run": number,
            "explanation": _with_words(result.explanation, statements),
        }
        if options.image is not None:
            image = image_at(project, options.image)
            backbone = run_backbone(project, number, load_settings())
            folder = prepare_explain(project, number, image, backbone, occlusion=options.occlusion)
            case = engine.answer(folder, CaseExplanation, console)
            show_case(console, case)
            prediction = next((p for p in result.predictions if p.image_id == image.id), None)
            for said in as_unseen(prediction, result.class_names):
                console.say(said.text)
            document["case"] = _with_words(case, case_statements(case))
            # what a script asks for first stands at the top as well
            document |= {name: getattr(case, name) for name in _CASE_FIELDS}
    console.document(document)
    return 0


def image_at(project: Project, path: Path) -> ProjectImage:
    """Return the project's image at this path."""
    wanted = str(path.resolve())
    for image in project.images():
        if image.path == wanted:
            return image
    raise UserError(
        f"“{path.name}” is not an image of the project.",
        remedy="Add it with clipsvd add, or use the path under which it was added.",
        code="unknown_image",
    )


def show_run(console: Console, result: RunResult, number: int) -> None:
    """Print the paragraph, the classes' phrases, the largest changes, and what the controls said."""
    explanation = result.explanation
    console.say(f"Run {number}")
    show_statements(console, run_statements(explanation, result.class_names))
    show_classes(console, explanation.classes, result.class_names)
    if explanation.directions:
        console.say()
        console.table(
            ["direction", "sigma", "effect", "phrase"],
            [
                [
                    f"{change.matrix}[{change.index}]",
                    f"{change.sigma_base:.3f} → {change.sigma:.3f}",
                    f"{change.effect:.4f}",
                    _poles(change),
                ]
                for change in explanation.directions
            ],
        )
    if explanation.heads:
        heads = sorted(explanation.heads, key=lambda head: -head.relative_change)[:_SHOWN_HEADS]
        console.say()
        console.table(
            ["head", "change", "before", "after"],
            [
                [
                    f"{head.tower} layer {head.layer + 1} head {head.head + 1}",
                    percent(head.relative_change),
                    _reading(head.before),
                    _reading(head.after),
                ]
                for head in heads
            ],
        )
    for note in left_out_notes(explanation):
        console.say(note)
    show_controls(console, explanation.controls)


def _with_words(found: RunExplanation | CaseExplanation, statements: tuple[Statement, ...]) -> dict[str, Any]:
    """Return an explanation as JSON, with its sentences and how they are known."""
    return {
        **to_json(found),
        "text": " ".join(statement.text for statement in statements),
        "how_we_know": " ".join(dict.fromkeys(one.how_we_know for one in statements)),
    }


def show_statements(console: Console, statements: tuple[Statement, ...]) -> None:
    """Print sentences as a paragraph, then how they are known."""
    console.say(" ".join(statement.text for statement in statements))
    console.say(f"How we know: {' '.join(dict.fromkeys(one.how_we_know for one in statements))}")


def show_classes(console: Console, changes: tuple[ClassChange, ...], class_names: tuple[str, ...]) -> None:
    """Print by which phrases unseen images of each class stand out."""
    rows = [
        [class_names[change.label], phrase.text, *change.figures(phrase)]
        for change in changes
        for phrase in change.phrases
    ]
    if rows:
        console.say()
        console.table(["class", "distinguished by", "before", "after"], rows)
        console.say("Phrases in brackets are not reliable.")


def show_case(console: Console, case: CaseExplanation) -> None:
    """Print one case's probabilities, what makes up its score, concepts and paragraph."""
    console.say()
    console.table(
        ["class", "adapted", "zero-shot"],
        [
            [name, f"{adapted:.3f}", f"{base:.3f}"]
            for name, adapted, base in zip(case.class_names, case.adapted, case.zero_shot, strict=True)
        ],
    )
    show_statements(console, case_statements(case))
    answer, rival = case.class_names[case.winner], case.class_names[case.runner_up]
    if case.decomposition:
        console.say()
        console.say(
            f"The margin of “{answer}” over “{rival}” is {case.margin:+.3f}; its largest contributions:"
        )
        show_parts(console, case.decomposition)
    if case.attribution is not None and case.attribution.parts:
        console.say()
        console.say(
            f"Adaptation changed it from {case.attribution.zero_shot_margin:+.3f} to"
            f" {case.attribution.adapted_margin:+.3f}, mostly here:"
        )
        show_parts(console, case.attribution.parts)
    show_controls(console, case.controls)


def show_parts(console: Console, parts: tuple[ScorePart, ...]) -> None:
    """Print the parts that do most to the margin."""
    largest = sorted(parts, key=lambda part: -abs(part.margin))[:_SHOWN_PARTS]
    console.table(["contribution", "margin"], [[part_title(part), f"{part.margin:+.3f}"] for part in largest])


def show_controls(console: Console, controls: tuple[Control, ...]) -> None:
    """Print which controls held."""
    if controls:
        console.say()
        console.table(
            ["control", "held", "figure", "limit"],
            [
                [
                    CONTROL_TITLES[control.code],
                    "yes" if control.passed else "no",
                    f"{control.value:.3g}",
                    f"{control.limit:.3g}",
                ]
                for control in controls
            ],
        )


def _reading(reading: HeadReading | None) -> str:
    if reading is None:
        return "–"
    return ", ".join(phrase.text for phrase in reading.phrases[:2]) or NO_WORDS


def _poles(change: DirectionChange) -> str:
    if not change.positive and not change.negative:
        return NO_WORDS
    more = ", ".join(phrase.text for phrase in change.positive) or "–"
    less = ", ".join(phrase.text for phrase in change.negative) or "–"
    return f"{more}  |  {less}"
