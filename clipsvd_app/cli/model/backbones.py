"""``clipsvd backbones add|list|make-random|remove``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.cli.model import fetch, registration
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.backbone_record import read_record
from clipsvd_app.services.models import backbones
from clipsvd_app.settings import load_settings, save_settings

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console
    from clipsvd_app.services.models.backbones import BackboneEntry

# As the engine has them; naming them here keeps torch out of the parser.
RANDOM_KINDS = ("biomedclip", "ViT-B-16")


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the commands about backbones."""
    group = commands.add_parser("backbones", help="manage models that can be adapted")
    actions = group.add_subparsers(
        title="actions", metavar="add|fetch|list|make-random|remove", required=True
    )

    add = actions.add_parser("add", parents=[shared], help="check a model and copy it into the data folder")
    add.add_argument("path", type=Path, metavar="PATH", help="a folder, a hub cache, or a weights file")
    add.add_argument("--name", default="", help="default: the name of its folder")
    add.set_defaults(run=run_add)

    fetch.add_command(actions, shared)

    listing = actions.add_parser("list", parents=[shared], help="list the models")
    listing.set_defaults(run=run_list)

    random = actions.add_parser(
        "make-random", parents=[shared], help="write a real architecture with random weights"
    )
    random.add_argument("kind", choices=RANDOM_KINDS, metavar="biomedclip|ViT-B-16")
    random.add_argument("folder", type=Path, metavar="DIR")
    random.set_defaults(run=run_make_random)

    remove = actions.add_parser(
        "remove", parents=[shared], help="forget a model and delete the program's copy"
    )
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(run=run_remove)


def run_add(options: argparse.Namespace, console: Console) -> int:
    """Take a model in, and say what it is."""
    backbones.require_there(options.path)
    registration.take_in(backbones.prepare_add(options.path, options.name), console)
    return 0


def run_list(options: argparse.Namespace, console: Console) -> int:
    """List the embedded backbone and the user's own."""
    del options
    entries = [_described(entry) for entry in backbones.available(load_settings())]
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


def run_make_random(options: argparse.Namespace, console: Console) -> int:
    """Write a backbone folder with random weights; it is not added."""
    from clipsvd_app.adapter_file.base_hash import canonical_sha256
    from clipsvd_app.engine.backbone.random_weights import make_random

    console.report("Making a random backbone", 0, 1)
    folder = make_random(options.kind, options.folder.absolute())
    console.report("Making a random backbone", 1, 1)
    console.say(f"Wrote {folder}. Its weights are random.")
    console.document(
        {
            "kind": options.kind,
            "folder": str(folder),
            "sha256": canonical_sha256(folder / backbones.WEIGHTS),
        }
    )
    return 0


def run_remove(options: argparse.Namespace, console: Console) -> int:
    """Forget a backbone."""
    save_settings(backbones.remove(load_settings(), options.name))
    console.say(f"Removed “{options.name}”.")
    console.document({"removed": options.name})
    return 0


def _described(entry: BackboneEntry) -> dict[str, object]:
    """Say what is known of a backbone without loading it; a folder that was only pointed to has no record."""
    record = read_record(entry.folder)
    sha256, parameters = "", record.parameters if record else None
    if entry.usable:
        try:
            sha256 = backbones.reference(entry).sha256
            parameters = parameters or backbones.parameter_count(entry)
        except UserError:
            sha256 = ""  # a damaged file is listed as missing
    return {
        "name": entry.name,
        "embedded": entry.embedded,
        "folder": str(entry.folder),
        "bytes": entry.size_bytes,
        "sha256": sha256,
        "source_sha256": record.source_sha256 if record else None,
        "architecture": record.architecture if record else None,
        "parameters": parameters,
        "matrices": record.matrices if record else None,
        "singular_values": record.singular_values if record else None,
    }
