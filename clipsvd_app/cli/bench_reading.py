"""``clipsvd bench import`` and ``viewer``: how fast studies are read, beside other libraries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.codec import to_json
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console


def add_actions(actions: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the two benchmarks of reading."""
    importing = actions.add_parser("import", parents=[shared], help="files added a second")
    importing.add_argument("folder", type=Path, metavar="DIR")
    importing.add_argument("--runs", type=int, default=3, metavar="N", help="the median counts")
    importing.set_defaults(run=run_import)
    viewer = actions.add_parser("viewer", parents=[shared], help="how soon a series is ready to be looked at")
    viewer.add_argument("folder", type=Path, metavar="DIR")
    viewer.add_argument("--runs", type=int, default=5, metavar="N", help="the median counts")
    viewer.set_defaults(run=run_viewer)


def run_import(options: argparse.Namespace, console: Console) -> int:
    """Time an import into a new project and a plain loop over the same headers."""
    from clipsvd_app.services.bench_reading import bench_import

    found = bench_import(options.folder, _runs(options), console.report)
    console.say(
        f"{found.files:,} files: {found.files_per_s:,.0f} a second,"
        f" pydicom's headers alone {found.pydicom_files_per_s:,.0f}."
    )
    console.document(found)
    return 0


def run_viewer(options: argparse.Namespace, console: Console) -> int:
    """Time how long a whole series takes to be ready, and how soon the window shows it."""
    from clipsvd_app.services.bench_reading import bench_series
    from clipsvd_app.services.bench_window import bench_window

    found = bench_series(options.folder, _runs(options), console.report)
    shown = bench_window(options.folder, _runs(options))
    console.say(
        f"{found.slices:,} slices in {found.series_s:.2f} s; pydicom {found.pydicom_series_s:.2f} s,"
        f" SimpleITK {found.simpleitk_series_s:.2f} s."
    )
    if shown is None:
        console.note("Qt does not run here, so no window was timed.")
        console.document(found)
        return 0
    console.say(
        f"In the window: first image after {shown.first_image_s:.2f} s"
        + ("." if shown.scroll_p95_ms is None else f", scrolling {shown.scroll_p95_ms:.1f} ms a slice (p95).")
    )
    console.document({**to_json(found), **to_json(shown)})
    return 0


def _runs(options: argparse.Namespace) -> int:
    if options.runs < 1:
        raise UserError("--runs must be at least 1.", remedy="Give a larger number.")
    return int(options.runs)
