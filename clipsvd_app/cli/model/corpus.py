"""``clipsvd corpus``: the phrases in which explanations speak."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.corpus import check_pack
from clipsvd_app.services.models import phrase_packs

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console
    from clipsvd_app.corpus import PackReport


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the commands on packs of phrases."""
    corpus = commands.add_parser("corpus", parents=[shared], help="manage your own phrases for explanations")
    actions = corpus.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, help_text, run in (
        ("check", "check a pack of phrases", run_check),
        ("add", "check a pack and store it", run_add),
    ):
        action = actions.add_parser(name, parents=[shared], help=help_text)
        action.add_argument("file", type=Path, metavar="FILE")
        action.set_defaults(run=run)
    listing = actions.add_parser("list", parents=[shared], help="list your packs")
    listing.set_defaults(run=run_list)
    removing = actions.add_parser("remove", parents=[shared], help="remove a pack")
    removing.add_argument("name", metavar="NAME")
    removing.set_defaults(run=run_remove)


def run_check(options: argparse.Namespace, console: Console) -> int:
    """Judge a pack; the exit code is 1 where it cannot be used."""
    report = check_pack(options.file)
    show_report(console, report)
    console.document(report)
    return 0 if report.is_usable else 1


def run_add(options: argparse.Namespace, console: Console) -> int:
    """Keep a pack that passes its check."""
    report = phrase_packs.add_pack(options.file)
    show_report(console, report)
    console.say("New explanations will use it.")
    console.document(report)
    return 0


def run_list(_options: argparse.Namespace, console: Console) -> int:
    """Name the user's packs."""
    packs = phrase_packs.list_packs()
    if not packs:
        console.say("No packs yet. To add one: clipsvd corpus add FILE")
    for report in packs:
        show_report(console, report)
    console.document({"packs": packs})
    return 0


def run_remove(options: argparse.Namespace, console: Console) -> int:
    """Take a pack away."""
    phrase_packs.remove_pack(options.name)
    console.say(f"“{options.name}” removed.")
    console.document({"removed": options.name})
    return 0


def show_report(console: Console, report: PackReport) -> None:
    """Print counts, warnings and faults of a pack."""
    console.say(
        f"{report.name}: {report.phrases} descriptions, {report.controls} controls,"
        f" {report.disabled} disabled."
    )
    for title, counts in (("Modalities", report.by_modality), ("Axes", report.by_axis)):
        if counts:
            console.say(f"{title}: {', '.join(f'{name} {count}' for name, count in counts.items())}")
    for warning in report.warnings:
        console.say(f"Warning: {warning}")
    for fault in report.faults:
        console.say(f"Fault: {fault}")
