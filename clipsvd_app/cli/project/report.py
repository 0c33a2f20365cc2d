"""``clipsvd report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.cli.project.opened import opened
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.services.report import write_report

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command that writes a report."""
    report = commands.add_parser(
        "report", parents=[shared], help="write a report of a run as PDF or web page"
    )
    report.add_argument("project", type=Path, metavar="PROJECT")
    report.add_argument("--run", dest="run_number", type=int, required=True, metavar="N")
    report.add_argument("--out", type=Path, required=True, metavar="FILE.pdf|FILE.html")
    report.add_argument(
        "--failures", action="store_true", help="include images of errors, which can identify a person"
    )
    report.add_argument("--overwrite", action="store_true", help="replace an existing file")
    report.set_defaults(run=run_report)


def run_report(options: argparse.Namespace, console: Console) -> int:
    """Write the report and say what is in it."""
    with opened(options, console) as project:
        written = write_report(
            project,
            options.run_number,
            options.out,
            lambda done, total: console.report("Writing the report", done, total),
            failures=options.failures,
            overwrite=options.overwrite,
        )
    console.say(f"Wrote {written.path} ({written.size_bytes:,} bytes).")
    if options.failures:
        shown = counted(written.failures, "error is", "errors are")
        console.say(f"{shown} shown, {counted(written.withheld, 'was', 'were')} left out.")
    console.document(
        {
            "path": str(written.path),
            "bytes": written.size_bytes,
            "run": options.run_number,
            "failures": written.failures,
            "withheld": written.withheld,
        }
    )
    return 0
