"""``clipsvd explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.cli import engine
from clipsvd_app.domain.explanation import CaseExplanation
from clipsvd_app.errors import UserError
from clipsvd_app.project import open_project
from clipsvd_app.services.applying import prepare_explain, run_backbone
from clipsvd_app.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console
    from clipsvd_app.domain.explanation import DirectionChange, RunExplanation
    from clipsvd_app.domain.study import ProjectImage
    from clipsvd_app.project import Project


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command that explains a run and a case."""
    explain = commands.add_parser("explain", parents=[shared], help="say what a run changed, and why a case")
    explain.add_argument("project", type=Path, metavar="PROJECT")
    explain.add_argument("--run", dest="run_number", type=int, metavar="N", help="default: the newest")
    explain.add_argument("--image", type=Path, metavar="PATH", help="an image of the project")
    explain.set_defaults(run=run_explain)


def run_explain(options: argparse.Namespace, console: Console) -> int:
    """Print what the run changed and, if asked, why one image got its probabilities."""
    with open_project(options.project) as project:
        number = options.run_number or project.latest_run()
        explanation = project.run_result(number).explanation
        show_run(console, explanation, number)
        document: dict[str, object] = {"run": number, "explanation": explanation}
        if options.image is not None:
            image = image_at(project, options.image)
            folder = prepare_explain(project, number, image, run_backbone(project, number, load_settings()))
            case = engine.answer(folder, CaseExplanation, console)
            show_case(console, case)
            document["case"] = case
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
        remedy="Add it first (clipsvd add), or give the path as it was added.",
        code="unknown_image",
    )


def show_run(console: Console, explanation: RunExplanation, number: int) -> None:
    """Print the paragraph and the directions that changed most."""
    console.say(f"Run {number}")
    console.say(explanation.text)
    console.say(f"How we know: {explanation.how_we_know}")
    if explanation.directions:
        console.say()
        console.table(
            ["direction", "sigma", "effect", "reads as"],
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


def show_case(console: Console, case: CaseExplanation) -> None:
    """Print one case's probabilities, concepts and paragraph."""
    console.say()
    console.table(
        ["class", "adapted", "zero-shot"],
        [
            [name, f"{adapted:.3f}", f"{base:.3f}"]
            for name, adapted, base in zip(case.class_names, case.adapted, case.zero_shot, strict=True)
        ],
    )
    console.say(case.text)
    console.say(f"How we know: {case.how_we_know}")


def _poles(change: DirectionChange) -> str:
    if not change.positive and not change.negative:
        return "no reliable description"
    more = ", ".join(phrase.text for phrase in change.positive) or "–"
    less = ", ".join(phrase.text for phrase in change.negative) or "–"
    return f"{more}  |  {less}"
