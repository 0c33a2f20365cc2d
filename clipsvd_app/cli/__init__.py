"""The command line: the same services as the window, in the caller's own process."""

from clipsvd_app.cli.main import main

__all__ = ["main"]
