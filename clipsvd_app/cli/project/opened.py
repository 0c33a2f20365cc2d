"""Opening the project that a command names, with what was noticed said first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app import project as projects

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.console import Console
    from clipsvd_app.project import Project


def opened(options: argparse.Namespace, console: Console) -> Project:
    """Open ``options.project``; remarks go to stderr."""
    project = projects.open_project(options.project)
    for remark in project.remarks:
        console.note(f"clipsvd: {remark.message} {remark.remedy}".rstrip())
    return project
