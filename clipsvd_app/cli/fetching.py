"""``clipsvd backbones fetch``: the one command that uses the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.cli import adding
from clipsvd_app.errors import Cancelled
from clipsvd_app.fetching.published import PUBLISHED
from clipsvd_app.services import backbones, fetching
from clipsvd_app.services.job_folders import forget_job

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console
    from clipsvd_app.fetching.published import Published

MEGABYTE = 1_000_000


def add_command(actions: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    fetch = actions.add_parser(
        "fetch", parents=[shared], help="fetch a published model from the Hugging Face hub and add it"
    )
    fetch.add_argument("model", choices=sorted(PUBLISHED))
    fetch.add_argument("--name", default="", help="what to call it here (default: the model's name)")
    fetch.add_argument(
        "--revision",
        default="",
        metavar="COMMIT",
        help="another commit than the known one; its hash is unknown",
    )
    fetch.set_defaults(run=run_fetch)


def run_fetch(options: argparse.Namespace, console: Console) -> int:
    """Fetch a known model and add it."""
    model = fetching.published(options.model, options.revision)
    fetch_and_add(model, options.name or model.name, console)
    return 0


def fetch_and_add(model: Published, name: str, console: Console) -> None:
    """Fetch, check, convert and register; what has arrived stays when it is cut off."""
    job = backbones.prepare_add(fetching.folder_of(model), name)
    try:
        _fetch(model, console)
    except BaseException:
        forget_job(job)
        raise
    adding.take_in(job, console)
    fetching.forget(model)


def _fetch(model: Published, console: Console) -> Path:
    verb = "Going on with" if fetching.has_begun(model) else "Fetching"
    console.note(
        f"{verb} {model.title} from {fetching.endpoint()}: {model.size_bytes / 1e6:.0f} MB, {model.licence}."
    )
    try:
        return fetching.fetch(model, lambda _file, done, total: _show(console, done, total))
    except (Cancelled, KeyboardInterrupt) as wish:
        raise Cancelled("Cancelled; what has arrived stays, and the same command goes on with it.") from wish
    finally:
        console.close_bar()


def _show(console: Console, done_bytes: int, total_bytes: int) -> None:
    if total_bytes:
        console.report("Fetching, MB", done_bytes // MEGABYTE, total_bytes // MEGABYTE)
