"""``python -m benchmarks step|import|viewer|labelling|durable|explanations|explaining|verdicts``.

Each prints the figures that ``docs/`` states. They time the code that the product runs; the
wheel does not contain them.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from benchmarks import commands, explanations_command, reading_command, verdicts_command
from clipsvd_app.cli.main import run_command, shared_options

if TYPE_CHECKING:
    from collections.abc import Sequence

_GROUPS = (commands, reading_command, verdicts_command, explanations_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one benchmark. Returns 0, 1 (user error), 2 (usage) or 130 (cancelled)."""
    root = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the program itself.")
    actions = root.add_subparsers(title="benchmarks", metavar="NAME", required=True)
    shared = shared_options()
    for group in _GROUPS:
        group.add_actions(actions, shared)
    return run_command(root, arguments)


if __name__ == "__main__":
    sys.exit(main())
