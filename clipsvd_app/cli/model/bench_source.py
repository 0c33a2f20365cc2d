"""The arguments that say which images a benchmark measures on, and with which backbone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.services.models import backbones

if TYPE_CHECKING:
    import argparse


def add_source_arguments(command: argparse.ArgumentParser) -> None:
    """Add the data set, its patients and classes, and the backbone."""
    command.add_argument(
        "root",
        type=Path,
        metavar="ROOT|FILE.npz",
        help="a folder with one folder per class, or a MedMNIST file",
    )
    command.add_argument("--backbone", default=backbones.DEMO, metavar="B")
    command.add_argument(
        "--group-regex",
        metavar="RE",
        help="regular expression on the file name; its first group is the patient",
    )
    command.add_argument("--include-regex", metavar="RE", help="use only files whose name matches")
    command.add_argument(
        "--splits", default="val,test", metavar="val,test", help="parts of a MedMNIST file to use"
    )
    command.add_argument(
        "--class-names",
        nargs="+",
        default=(),
        metavar="NAME",
        help="class names of a MedMNIST file, in label order",
    )
    command.add_argument("--prompts", type=Path, metavar="CSV", help="class,prompt")
