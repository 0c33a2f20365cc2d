"""``clipsvd new``, ``add``, ``remove`` and ``label``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.cli.project.opened import opened
from clipsvd_app.domain.classes import require_distinct
from clipsvd_app.domain.records import to_json
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.project import create_project
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.services.labels.class_folders import (
    FolderChoice,
    chosen_files,
    class_folders,
    labels_by_content,
)
from clipsvd_app.services.labels.labels import parse_class, plan_folders
from clipsvd_app.services.labels.table import plan_labels
from clipsvd_app.services.models import backbones
from clipsvd_app.services.studies.found_files import read_files
from clipsvd_app.services.studies.import_plan import (
    ImportPlan,
    labelled_import,
    left_out_words,
    plan_groups,
    summary,
)
from clipsvd_app.services.studies.patient_rules import parse_rule
from clipsvd_app.services.studies.removal import images_below, removal
from clipsvd_app.settings import load_settings, save_settings

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console
    from clipsvd_app.services.studies.found_files import FilesRead


_GROUPS_SHOWN = 30


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the commands that make and fill a project."""
    new = commands.add_parser("new", parents=[shared], help="create a project")
    new.add_argument("project", type=Path, metavar="PROJECT.clipsvd")
    new.add_argument(
        "--class",
        dest="classes",
        action="append",
        default=[],
        metavar="NAME[=PROMPT]",
        help="a class, optionally with its prompt",
    )
    new.add_argument("--backbone", default=backbones.DEMO, metavar="demo|NAME|FOLDER")
    new.set_defaults(run=run_new)

    add = commands.add_parser("add", parents=[shared], help="add images to a project")
    add.add_argument("project", type=Path, metavar="PROJECT")
    add.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    add.add_argument(
        "--patient-from",
        default="auto",
        metavar="header|folder[:LEVELS]|regex:RE|csv:FILE",
        help="how to identify patients (default: DICOM header; other images by similarity)",
    )
    add.add_argument(
        "--classes-from-folders",
        action="store_true",
        help="label images by folder name; missing classes are created",
    )
    add.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="FOLDER",
        help="with --classes-from-folders: leave out this folder",
    )
    add.add_argument("--dry-run", action="store_true", help="list the patients without adding anything")
    add.set_defaults(run=run_add)

    remove = commands.add_parser("remove", parents=[shared], help="remove images from a project")
    remove.add_argument("project", type=Path, metavar="PROJECT")
    remove.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    remove.set_defaults(run=run_remove)

    label = commands.add_parser("label", parents=[shared], help="label images of a project")
    label.add_argument("project", type=Path, metavar="PROJECT")
    source = label.add_mutually_exclusive_group(required=True)
    source.add_argument("--from-folders", action="store_true", help="use folder names as classes")
    source.add_argument(
        "--csv", type=Path, metavar="FILE", help="a table path,class, or one that clipsvd labels wrote"
    )
    label.add_argument("--dry-run", action="store_true", help="show what would change without changing it")
    label.add_argument(
        "--overwrite", action="store_true", help="with --from-folders: also replace labels and marks"
    )
    label.add_argument(
        "--new-classes",
        action="store_true",
        help="also create classes whose name differs by one letter from another",
    )
    label.set_defaults(run=run_label)


def run_new(options: argparse.Namespace, console: Console) -> int:
    """Make a project with its classes."""
    specs = [parse_class(text) for text in options.classes]
    require_distinct(specs)
    settings = load_settings()
    chosen = backbones.find(settings, options.backbone)
    if Path(options.backbone).is_dir() and chosen.name != backbones.DEMO:
        save_settings(backbones.add_folder(settings, Path(chosen.folder), chosen.name))
    with create_project(options.project) as project:
        project.set_setting("backbone", chosen.name)
        for spec in specs:
            project.apply(AddClass(spec))
        classes = counted(len(specs), "class", "classes")
        console.say(f"Created {project.path.name} with {classes} on the backbone {chosen.name}.")
        console.document(
            {
                "project": str(project.path),
                "classes": [{"name": c.name, "prompts": c.prompts} for c in project.classes()],
                "backbone": {"name": chosen.name, "sha256": chosen.sha256},
            }
        )
    return 0


def run_add(options: argparse.Namespace, console: Console) -> int:
    """Add images and say what was taken and what was not."""
    with opened(options, console) as project:
        read = read_files(options.paths, console.files_report, project.images_folder)
        labels: dict[tuple[str, int], str] = {}
        if options.classes_from_folders:
            read, labels = _by_folder(options, read, project.images_folder)
        plan = plan_groups(project, read, parse_rule(options.patient_from), console.files_report)
        if not options.dry_run and (change := labelled_import(project, plan, labels)) is not None:
            project.apply(change)
    by_class = Counter(labels.values())
    for refusal in plan.refused:
        console.note(f"refused: {refusal.sentence}")
    for warning in (*plan.notes, *filter(None, [left_out_words(plan)]), *plan.warnings):
        console.note(f"note: {warning}")
    for report in plan.series:
        for flag in report.flags:
            what = f"{report.modality} series of " if report.modality else ""
            console.note(f"flag: {what}{counted(report.images, 'image')}: {flag.sentence}")
    if by_class:
        console.table(["class", "images"], [[name, str(count)] for name, count in by_class.items()])
    if options.dry_run:
        _show_groups(plan, console)
    else:
        console.say(summary(plan))
    console.document(
        {
            "dry_run": options.dry_run,
            "groups": [{"example": example, "images": count} for example, count in plan.patients],
            "moved": len(plan.moved),
            "found": plan.account.found,
            "accepted": plan.account.taken,
            "labelled": dict(by_class),
            "known": plan.account.known,
            "left_out": plan.account.left_out,
            "patients": len({image.patient_key for image in plan.images}),
            "refused": plan.refused,
            "notes": plan.notes,
            "warnings": plan.warnings,
            "series": [
                {
                    "modality": report.modality,
                    "images": report.images,
                    "spacing_mm": report.spacing_mm,
                    "flags": report.flags,
                }
                for report in plan.series
            ],
        }
    )
    return 0 if plan.images or plan.known else 1


def _by_folder(
    options: argparse.Namespace, read: FilesRead, unpacked: Path
) -> tuple[FilesRead, dict[tuple[str, int], str]]:
    """Return the files that are wanted, and their classes by content, as the window's tick does."""
    folders = class_folders(options.paths, read, unpacked)
    if folders is None:
        raise UserError(
            "The folders do not look like classes.",
            remedy="Add a folder that contains one folder per class, or label from a table (clipsvd label).",
            code="no_class_folders",
        )
    if strange := set(options.without) - {folder.name for folder in folders.folders}:
        raise UserError(
            f"There is no folder “{min(strange)}” among the added files.",
            remedy=f"The folders are: {', '.join(folder.name for folder in folders.folders)}.",
            code="no_such_folder",
        )
    choice = FolderChoice(True, folders.suggested().left_out | frozenset(options.without))
    chosen = chosen_files(read, folders, choice)
    return chosen, labels_by_content(chosen, folders, choice)


def _show_groups(plan: ImportPlan, console: Console) -> None:
    """Print who would count as one patient, the largest groups first."""
    shown = plan.patients[:_GROUPS_SHOWN]
    console.table(["example", "images of this patient"], [[name, str(count)] for name, count in shown])
    if len(plan.patients) > len(shown):
        console.say(f"… and {counted(len(plan.patients) - len(shown), 'more patient')}.")
    console.say(f"Dry run: nothing was changed. Without --dry-run: {summary(plan)}")


def run_remove(options: argparse.Namespace, console: Console) -> int:
    """Take images and their labels out of the project, never their files."""
    with opened(options, console) as project:
        gone = images_below(project, options.paths)
        project.apply(removal(project, gone))
        flagged = project.series_flags()
    console.say(f"{counted(len(gone), 'image')} removed from the project; the files were not deleted.")
    console.document({"removed": len(gone), "flagged_series": len(flagged)})
    return 0


def run_label(options: argparse.Namespace, console: Console) -> int:
    """Label by folder or by table."""
    with opened(options, console) as project:
        if options.from_folders:
            plan = plan_folders(project, overwrite=options.overwrite, new_classes=options.new_classes)
        else:
            plan = plan_labels(project, options.csv, new_classes=options.new_classes)
        if not options.dry_run:
            project.apply(plan.change)
    report = plan.report
    for name in report.unmatched:
        console.note(f"no image of the project matches “{name}”")
    for sentence in report.sentences():
        console.note(f"note: {sentence}")
    console.table(["class", "images"], [[name, str(count)] for name, count in report.labelled])
    if not report.labelled and not plan.change.mark_by_image and not plan.change.readings:
        console.say("No images were labelled.")
    if options.dry_run:
        console.say("Nothing was changed.")
    console.document({**to_json(report), "labelled": dict(report.labelled), "dry_run": options.dry_run})
    return 0
