"""``clipsvd backbones fetch``: the one command that uses the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.cli.model import registration
from clipsvd_app.errors import Cancelled
from clipsvd_app.network.fetching.published import PUBLISHED
from clipsvd_app.services.files.job_folders import forget_job
from clipsvd_app.services.models import backbones, download

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console
    from clipsvd_app.network.fetching.published import Published

MEGABYTE = 1_000_000


def add_command(actions: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    fetch = actions.add_parser(
        "fetch", parents=[shared], help="download a published model from the Hugging Face Hub and add it"
    )
    fetch.add_argument("model", choices=sorted(PUBLISHED))
    fetch.add_argument("--name", default="", help="name in this program (default: the model's name)")
    fetch.add_argument(
        "--revision",
        default="",
        metavar="COMMIT",
        help="use another commit, whose hash is not known",
    )
    fetch.set_defaults(run=run_fetch)


def run_fetch(options: argparse.Namespace, console: Console) -> int:
    """Fetch a known model and add it."""
    model = download.published(options.model, options.revision)
    fetch_and_add(model, options.name or model.name, console)
    return 0


def fetch_and_add(model: Published, name: str, console: Console) -> None:
    """Fetch, check, convert and register; what has arrived stays when it is cut off."""
    job = backbones.prepare_add(download.folder_of(model), name)
    try:
        _fetch(model, console)
    except BaseException:
        forget_job(job)
        raise
    registration.take_in(job, console)
    download.forget(model)


def _fetch(model: Published, console: Console) -> Path:
    verb = "Resuming" if download.has_begun(model) else "Downloading"
    console.note(
        f"{verb} {model.title} from {download.endpoint()}: {model.size_bytes / 1e6:.0f} MB, {model.licence}."
    )
    try:
        return download.fetch(model, lambda _file, done, total: _show(console, done, total))
    except (Cancelled, KeyboardInterrupt) as wish:
        raise Cancelled("Cancelled. To resume the download, run the same command again.") from wish
    finally:
        console.close_bar()


def _show(console: Console, done_bytes: int, total_bytes: int) -> None:
    if total_bytes:
        console.report("Fetching, MB", done_bytes // MEGABYTE, total_bytes // MEGABYTE)
