"""``clipsvd image``: what the reader makes of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command that looks at one file."""
    image = commands.add_parser("image", parents=[shared], help="say what the reader makes of a file")
    image.add_argument("file", type=Path, metavar="FILE")
    image.add_argument("--frame", type=int, default=0, metavar="N", help="counted from 0")
    image.add_argument("--png", type=Path, metavar="OUT", help="write the frame as it is shown")
    image.set_defaults(run=run_image)


def run_image(options: argparse.Namespace, console: Console) -> int:
    """Print the facts of a file and, if asked, its picture."""
    from clipsvd_app import imaging
    from clipsvd_app.domain.codec import to_json

    facts = imaging.image_facts(options.file, options.frame)
    if options.png is not None:
        _write_png(options.file, options.frame, options.png)
    document: dict[str, object] = to_json(facts)
    console.table(["what", "value"], [[name, str(value)] for name, value in document.items()])
    console.document(document)
    return 0


def _write_png(file: Path, frame: int, out: Path) -> None:
    from PIL import Image

    from clipsvd_app import imaging

    shown = imaging.to_display(imaging.read_frame(file, frame))
    try:
        Image.fromarray(shown).save(out, format="PNG")
    except OSError as error:
        raise UserError(
            f"“{out.name}” cannot be written.", remedy="Choose another folder.", code="not_writable"
        ) from error
