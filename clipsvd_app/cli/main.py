"""Reading the command, running it, and turning its end into an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from clipsvd_app import __version__
from clipsvd_app.cli import (
    adapters,
    backbones,
    bench,
    corpus,
    demo,
    doctor,
    evaluating,
    explaining,
    image,
    labels,
    projects,
    reporting,
    training,
)
from clipsvd_app.cli.console import Console
from clipsvd_app.errors import Cancelled, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

USER_ERROR, USAGE, CANCELLED = 1, 2, 130
_COMMANDS = (
    demo,
    projects,
    labels,
    training,
    evaluating,
    explaining,
    corpus,
    reporting,
    adapters,
    backbones,
    image,
    bench,
    doctor,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0, 1 (user error), 2 (usage) or 130 (cancelled)."""
    options = parser().parse_args(arguments)
    console = Console(json=options.json, quiet=options.quiet)
    try:
        return int(options.run(options, console))
    except UserError as error:
        console.error(str(error))
        return USER_ERROR
    except (Cancelled, KeyboardInterrupt) as wish:
        console.error(str(wish) or "Cancelled; nothing half-done was kept.")
        return CANCELLED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    root = argparse.ArgumentParser(
        prog="clipsvd",
        description="Teach a biomedical vision-language model a new finding from a handful of images."
        " Not for diagnostic use.",
    )
    root.add_argument("--version", action="version", version=f"clipsvd {__version__}")
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print one JSON document to stdout")
    shared.add_argument("--quiet", action="store_true", help="show no progress")
    for module in _COMMANDS:
        module.add_commands(commands, shared)
    return root
