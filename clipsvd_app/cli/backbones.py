"""``clipsvd backbones``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.cli import fetching
from clipsvd_app.services import backbones
from clipsvd_app.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the commands about backbones."""
    group = commands.add_parser("backbones", help="the models that can be adapted")
    actions = group.add_subparsers(title="actions", metavar="list|fetch", required=True)
    listing = actions.add_parser("list", parents=[shared], help="list them")
    listing.set_defaults(run=run_list)
    fetching.add_command(actions, shared)


def run_list(options: argparse.Namespace, console: Console) -> int:
    """List the embedded backbone and the user's own."""
    del options
    entries = [
        {
            "name": entry.name,
            "embedded": entry.embedded,
            "folder": str(entry.folder),
            "bytes": entry.size_bytes,
            "sha256": backbones.reference(entry).sha256 if entry.usable else "",
        }
        for entry in backbones.available(load_settings())
    ]
    console.table(
        ["name", "kind", "size", "weights"],
        [
            [
                str(entry["name"]),
                "embedded" if entry["embedded"] else "own",
                f"{int(str(entry['bytes'])) / 1e6:.1f} MB",
                f"{str(entry['sha256'])[:12]}…" if entry["sha256"] else "missing",
            ]
            for entry in entries
        ],
    )
    console.document({"backbones": entries})
    return 0
