"""``python -m benchmarks import``, ``viewer``, ``labelling``: speed of reading and of the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.domain.records import to_json
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console


def add_actions(actions: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the benchmarks of reading and of the window."""
    importing = actions.add_parser("import", parents=[shared], help="import speed in files per second")
    importing.add_argument("folder", type=Path, nargs="?", metavar="DIR")
    importing.add_argument("--runs", type=int, default=3, metavar="N", help="runs; the median is reported")
    importing.add_argument(
        "--window",
        type=int,
        nargs="?",
        const=10_000,
        metavar="N",
        help="add N drawn files in the window instead, and report how long it was blocked",
    )
    importing.set_defaults(run=run_import)
    viewer = actions.add_parser("viewer", parents=[shared], help="time until a series can be viewed")
    viewer.add_argument("folder", type=Path, metavar="DIR")
    viewer.add_argument("--runs", type=int, default=5, metavar="N", help="runs; the median is reported")
    viewer.set_defaults(run=run_viewer)
    labelling = actions.add_parser("labelling", parents=[shared], help="how long labelling blocks the window")
    labelling.add_argument("--images", type=int, default=1000, metavar="N", help="images in the project")
    labelling.add_argument(
        "--labels", type=int, default=30, metavar="N", help="labels per sort order of the pool"
    )
    labelling.set_defaults(run=run_labelling)


def run_import(options: argparse.Namespace, console: Console) -> int:
    """Time an import into a new project and a plain loop over the same headers."""
    from benchmarks.import_times import bench_import

    if options.window is not None:
        return _run_import_in_window(options.window, console)
    if options.folder is None:
        raise UserError("No folder to import.", remedy="Name one, or measure the window with --window.")
    found = bench_import(options.folder, _runs(options), console.report)
    console.say(
        f"{counted(found.files, 'file')}: {found.files_per_s:,.0f} files per second,"
        f" pydicom's headers alone {found.pydicom_files_per_s:,.0f}."
    )
    console.document(found)
    return 0


def _run_import_in_window(files: int, console: Console) -> int:
    from benchmarks.window import bench_adding

    found = bench_adding(files)
    if found is None:
        raise _no_window()
    console.say(
        f"Adding {counted(found.images, 'image')} took {found.adding_s:.1f} s"
        f" and blocked the window for {found.held_ms:.0f} ms at most,"
        f" {found.busy_ms:.0f} ms of them by work of its own."
    )
    console.document(found)
    return 0


def run_viewer(options: argparse.Namespace, console: Console) -> int:
    """Time how long a whole series takes to be ready, and how soon the window shows it."""
    from benchmarks.import_times import bench_series
    from benchmarks.window import bench_window

    found = bench_series(options.folder, _runs(options), console.report)
    shown = bench_window(options.folder, _runs(options))
    console.say(
        f"{counted(found.slices, 'slice')} in {found.series_s:.2f} s; pydicom {found.pydicom_series_s:.2f} s,"
        f" SimpleITK {found.simpleitk_series_s:.2f} s."
    )
    if shown is None:
        console.note("The window was not timed: Qt does not run here.")
        console.document(found)
        return 0
    console.say(
        f"In the window: first image after {shown.first_image_s:.2f} s"
        + (
            "."
            if shown.scroll_p95_ms is None
            else f", scrolling {shown.scroll_p95_ms:.1f} ms per slice (p95)."
        )
    )
    console.document({**to_json(found), **to_json(shown)})
    return 0


def run_labelling(options: argparse.Namespace, console: Console) -> int:
    """Label by keys among drawn pictures, in every order of the pool, and switch the theme on every page."""
    from benchmarks.window import LABELLED, bench_labelling

    if options.images < 2 * LABELLED or options.labels < 2:
        raise UserError(
            f"--images must be at least {2 * LABELLED} and --labels at least 2.",
            remedy="Enter larger numbers.",
        )
    found = bench_labelling(options.images, options.labels)
    if found is None:
        raise _no_window()
    console.say(
        f"Opening {counted(found.images, 'image')} takes {found.opening_processor_s:.2f} s of processor time."
    )
    rows = [[order, f"{held:.0f}"] for order, held in found.held_p95_ms.items()]
    console.table(["sort order", "blocked after a label, p95 ms"], rows)
    console.table(
        ["page", "theme change, ms"], [[page, f"{took:.0f}"] for page, took in found.theme_ms.items()]
    )
    console.document(found)
    return 0


def _runs(options: argparse.Namespace) -> int:
    if options.runs < 1:
        raise UserError("--runs must be at least 1.", remedy="Enter a larger number.")
    return int(options.runs)


def _no_window() -> UserError:
    return UserError(
        "The window cannot be timed: Qt does not run here.", remedy="Run `clipsvd doctor` for details."
    )
