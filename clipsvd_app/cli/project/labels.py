"""``clipsvd labels``, ``agreement``, ``relink`` and ``collect``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.cli.project.opened import opened
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.services.files.outputs import require_file
from clipsvd_app.services.labels.agreement import Agreement, agreement, readers
from clipsvd_app.services.labels.table import write_labels
from clipsvd_app.services.studies.moved_files import lost_images, plan_collect, plan_relink

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the commands on labels that are there, and on where the images lie."""
    labels = commands.add_parser("labels", parents=[shared], help="write the labels of a project as a table")
    labels.add_argument("project", type=Path, metavar="PROJECT")
    labels.add_argument("--out", type=Path, required=True, metavar="FILE.csv")
    labels.add_argument(
        "--paths",
        action="store_true",
        help="also write paths, which may name patients (default: hashes only)",
    )
    labels.add_argument("--overwrite", action="store_true", help="replace an existing file")
    labels.set_defaults(run=run_labels)

    agree = commands.add_parser("agreement", parents=[shared], help="report inter-rater agreement")
    agree.add_argument("project", type=Path, metavar="PROJECT")
    agree.set_defaults(run=run_agreement)

    relink = commands.add_parser("relink", parents=[shared], help="find moved images by their content")
    relink.add_argument("project", type=Path, metavar="PROJECT")
    relink.add_argument("folder", type=Path, metavar="FOLDER")
    relink.set_defaults(run=run_relink)

    collect = commands.add_parser(
        "collect", parents=[shared], help="copy the images into a folder beside the project"
    )
    collect.add_argument("project", type=Path, metavar="PROJECT")
    collect.set_defaults(run=run_collect)


def run_labels(options: argparse.Namespace, console: Console) -> int:
    """Write the table of labels."""
    require_file(options.out, overwrite=options.overwrite)
    with opened(options, console) as project:
        lines = write_labels(project, options.out, with_paths=options.paths)
    console.say(f"Wrote {counted(lines, 'line')} to {options.out.name}.")
    console.document({"file": str(options.out), "lines": lines})
    return 0


def run_agreement(options: argparse.Namespace, console: Console) -> int:
    """Print Cohen's kappa of every second reader against the project's labels."""
    with opened(options, console) as project:
        images, readings = project.images(), project.readings()
        names = {known.id: known.name for known in project.classes()}
    found = [agreement(images, readings, reader) for reader in readers(readings)]
    if not found:
        raise UserError(
            "The project has no second reader.",
            remedy="Start one on the Label page, or read a table with a column “reader” (clipsvd label).",
            code="no_reader",
        )
    rows = [[f.reader, str(f.images), str(f.agreed), _kappa(f), str(len(f.disagreements))] for f in found]
    console.table(["reader", "images", "agreed", "kappa (95 %)", "differ"], rows)
    console.document(
        [
            {
                "reader": one.reader,
                "images": one.images,
                "agreed": one.agreed,
                "kappa": one.kappa,
                "interval": one.interval,
                "disagreements": [
                    {
                        "image": d.image_id,
                        "first": names[d.first],
                        "second": names[d.second],
                        "settled": d.settled,
                    }
                    for d in one.disagreements
                ],
            }
            for one in found
        ]
    )
    return 0


def run_relink(options: argparse.Namespace, console: Console) -> int:
    """Find moved images again."""
    with opened(options, console) as project:
        if not lost_images(project.images()):
            console.say("No images are missing.")
            console.document({"found": 0, "missing": []})
            return 0
        plan = plan_relink(project, options.folder, console.files_report)
        project.apply(plan.change)
    console.say(f"{counted(plan.files, 'file')} found, {len(plan.left):,} still missing.")
    console.document({"found": plan.files, "missing": plan.left})
    return 1 if plan.left else 0


def run_collect(options: argparse.Namespace, console: Console) -> int:
    """Copy the images beside the project."""
    with opened(options, console) as project:
        plan = plan_collect(project, lambda done, total: console.report("Copying files", done, total))
        project.apply(plan.change)
        folder = project.images_folder
    for name in plan.left:
        console.note(f"not copied: {name}")
    console.say(f"{counted(plan.files, 'file is', 'files are')} in “{folder.name}” beside the project.")
    console.document({"folder": str(folder), "files": plan.files, "left": plan.left})
    return 1 if plan.left else 0


def _kappa(found: Agreement) -> str:
    if found.kappa is None:
        return "–"
    spread = f" ({found.interval[0]:.2f}–{found.interval[1]:.2f})" if found.interval else ""
    return f"{found.kappa:.2f}{spread}"
