"""Reading the command, running it, and turning its end into an exit code."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from clipsvd_app import __version__
from clipsvd_app.cli import doctor
from clipsvd_app.cli.console import Console
from clipsvd_app.cli.model import adapters, backbones, bench, corpus, evaluate, explain, train
from clipsvd_app.cli.project import demo, image, images, labels, report
from clipsvd_app.domain.words.notice import NOT_FOR_DIAGNOSIS
from clipsvd_app.errors import Cancelled, UserError, file_error
from clipsvd_app.text_streams import use_readable_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

USER_ERROR, USAGE, CANCELLED = 1, 2, 130
_COMMANDS = (
    demo,
    images,
    labels,
    train,
    evaluate,
    explain,
    corpus,
    report,
    adapters,
    backbones,
    image,
    bench,
    doctor,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command of ``clipsvd``. Returns 0, 1 (user error), 2 (usage) or 130 (cancelled)."""
    return run_command(parser(), arguments)


def run_command(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> int:
    """Run one command of a parser whose commands set ``run``, and turn its end into an exit code."""
    use_readable_streams()
    options = parser.parse_args(arguments)
    console = Console(json=options.json, quiet=options.quiet)
    try:
        code = int(options.run(options, console))
        sys.stdout.flush()
        return code
    except UserError as error:
        console.error(str(error))
        return USER_ERROR
    except (Cancelled, KeyboardInterrupt) as wish:
        console.error(str(wish) or "Cancelled. Nothing was changed.")
        return CANCELLED
    except BrokenPipeError:
        _silence(sys.stdout)
        return 0
    except OSError as error:
        # a folder of the program's own, a file or stdout itself: every reader of images has its own sentences
        console.error(str(file_error(Path(error.filename or "the output"), error)))
        _silence(sys.stdout)
        return USER_ERROR


def _silence(stream: TextIO) -> None:
    """Let what is left to be written go nowhere, so that the end of Python does not fail on it again."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    root = argparse.ArgumentParser(
        prog="clipsvd",
        description="Adapt a biomedical vision-language model to your classes from a few labelled images."
        f" {NOT_FOR_DIAGNOSIS}",
    )
    root.add_argument("--version", action="version", version=f"clipsvd {__version__}")
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    shared = shared_options()
    for module in _COMMANDS:
        module.add_commands(commands, shared)
    return root


def shared_options() -> argparse.ArgumentParser:
    """Return the options that every command has."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print one JSON document to stdout")
    shared.add_argument("--quiet", action="store_true", help="hide progress")
    return shared
