"""``clipsvd-app``: the window."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Open the window, on a file if one is given. Returns Qt's exit code."""
    parser = argparse.ArgumentParser(
        prog="clipsvd-app", description="CLIP-SVD Studio. Not for diagnostic use."
    )
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="a project, an adapter, or images"
    )
    parser.add_argument("--demo", action="store_true", help="open the demo project")
    options = parser.parse_args(arguments)

    from clipsvd_app.ui.app import run

    return run(options.files, demo=options.demo)


if __name__ == "__main__":
    sys.exit(main())
