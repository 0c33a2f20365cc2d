"""``clipsvd image`` and ``series``: what the reader makes of a file, and of many."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.services.files.outputs import require_file, write_whole

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console
    from clipsvd_app.domain.view import Window


def add_commands(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the commands that look at files."""
    image = commands.add_parser("image", parents=[shared], help="show how a file is read")
    image.add_argument("file", type=Path, metavar="FILE")
    image.add_argument("--frame", type=int, default=0, metavar="N", help="counted from 0")
    image.add_argument("--png", type=Path, metavar="OUT", help="write the displayed frame")
    image.add_argument("--overwrite", action="store_true", help="replace an existing image")
    image.set_defaults(run=run_image)
    series = commands.add_parser("series", parents=[shared], help="sort DICOM series and list irregularities")
    series.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    series.set_defaults(run=run_series)


def run_image(options: argparse.Namespace, console: Console) -> int:
    """Print the facts of a file and, if asked, its picture."""
    from clipsvd_app.domain.records import to_json
    from clipsvd_app.imaging.facts import image_facts
    from clipsvd_app.imaging.series.window import window_beside

    if options.png is not None:
        require_file(options.png, overwrite=options.overwrite)
    shared, images = window_beside(options.file)
    facts = image_facts(options.file, options.frame, shared, images)
    if options.png is not None:
        _write_png(options.file, options.frame, shared, options.png)
    document: dict[str, object] = to_json(facts)
    console.table(["what", "value"], [[name, str(value)] for name, value in document.items()])
    console.document(document)
    return 0


def run_series(options: argparse.Namespace, console: Console) -> int:
    """List the DICOM series among files and folders, each with what is irregular about it."""
    from clipsvd_app.imaging.files.discovery import look_through
    from clipsvd_app.imaging.series.listing import list_series

    findings = look_through(options.paths)
    listing = list_series(findings.files, console.files_report)
    left_out = [item.sentence for item in findings.left_out if item.sentence]
    for sentence in (*left_out, *listing.refused):
        console.note(f"refused: {sentence}")
    for sentence in findings.notes:
        console.note(f"note: {sentence}")
    rows = [
        [
            str(number),
            series.modality,
            str(len(series.slices)),
            "" if series.spacing_mm is None else f"{series.spacing_mm:.4g}",
            " ".join(flag.sentence for flag in series.flags) or "regular",
        ]
        for number, series in enumerate(listing.series, 1)
    ]
    if rows:
        console.table(["series", "modality", "slices", "mm apart", "flags"], rows)
    else:
        console.note("No DICOM series found.")
    console.document(
        {
            "series": [
                {
                    "modality": series.modality,
                    "slices": len(series.slices),
                    "spacing_mm": series.spacing_mm,
                    "is_volume": series.is_volume,
                    "flags": series.flags,
                }
                for series in listing.series
            ],
            "refused": [*left_out, *listing.refused],
            "left_out": Counter(item.reason for item in findings.left_out if not item.sentence),
        }
    )
    return 0 if listing.series else 1


def _write_png(file: Path, frame: int, shared: Window | None, out: Path) -> None:
    from PIL import Image

    from clipsvd_app.imaging.display.greys import to_display
    from clipsvd_app.imaging.reading import read_frame

    picture = io.BytesIO()
    shown = to_display(read_frame(file, frame, shared))
    Image.fromarray(shown).save(picture, format="PNG")
    write_whole(out, picture.getvalue())
