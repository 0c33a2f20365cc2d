"""``clipsvd-app``: the window."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from clipsvd_app.domain.words.notice import NOT_FOR_DIAGNOSIS
from clipsvd_app.text_streams import use_readable_streams


def main(arguments: list[str] | None = None) -> int:
    """Open the window, on a file if one is given. Returns Qt's exit code, or 1 where there is no display."""
    use_readable_streams()
    parser = argparse.ArgumentParser(prog="clipsvd-app", description=f"CLIP-SVD Studio. {NOT_FOR_DIAGNOSIS}")
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="a project, an adapter, or images"
    )
    parser.add_argument("--demo", action="store_true", help="open the demo project")
    options = parser.parse_args(arguments)

    from clipsvd_app.ui.display import Probe, display_error

    probe = Probe()
    try:
        from clipsvd_app.ui.app import run
    except ImportError as error:  # a system library that Qt needs
        reason = probe.error()
        if reason is None and ".so" not in str(error):
            raise
        return _refuse(str(reason or display_error(str(error), {})))
    reason = probe.error()
    if reason is not None:
        return _refuse(str(reason))
    return run(options.files, demo=options.demo)


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"clipsvd-app: {sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
