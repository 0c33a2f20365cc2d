"""Run every case of a folder and print what is right and what is wrong."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from support.field_cases.imaging_cases import IMAGING
from support.field_cases.verdicts import Verdict, judge
from support.field_cases.workflow_cases import WORKFLOW


def main() -> int:
    """Judge the named cases, or all."""
    parser = argparse.ArgumentParser(prog="python -m support.field_cases", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="holds imaging/ and workflow/")
    parser.add_argument("names", nargs="*", metavar="CASE", help="only these cases")
    options = parser.parse_args()
    verdicts = []
    for group, judges in (("imaging", IMAGING), ("workflow", WORKFLOW)):
        for case in sorted((options.folder / group).iterdir()):
            if (
                case.name.startswith("_")
                or not case.is_dir()
                or (options.names and case.name not in options.names)
            ):
                continue
            began = time.monotonic()
            wrong = judge(case.resolve(), judges)
            verdicts.append(Verdict(f"{group}/{case.name}", wrong, time.monotonic() - began))
            print(f"{'wrong' if wrong else 'right'}  {group}/{case.name}  {wrong}", flush=True)  # noqa: T201
    wrong_ones = [verdict for verdict in verdicts if verdict.wrong]
    seconds = sum(verdict.seconds for verdict in verdicts)
    print(f"{len(verdicts) - len(wrong_ones)} right, {len(wrong_ones)} wrong, {seconds:.0f} s")  # noqa: T201
    return 1 if wrong_ones else 0


if __name__ == "__main__":
    sys.exit(main())
