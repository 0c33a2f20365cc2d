"""What the command line says: results to stdout, progress and errors to stderr."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, TextIO

from tqdm import tqdm

from clipsvd_app.domain.records import to_json
from clipsvd_app.text_streams import is_unicode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clipsvd_app.domain.results.run import StepMetrics


class Console:
    """One command's mouth. With ``json`` only ``document`` writes to stdout."""

    def __init__(
        self, *, json: bool = False, quiet: bool = False, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.json = json
        self.quiet = quiet
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._bar: tqdm | None = None
        self._lines = _Lines(self._err)

    def say(self, text: str = "") -> None:
        """Write a line for people; silent with --json."""
        self.close_bar()
        if not self.json:
            self._out.write(_printable(text) + "\n")

    def note(self, text: str) -> None:
        """Write a line to stderr that is no result."""
        self.close_bar()
        self._err.write(_printable(text) + "\n")

    def document(self, value: object) -> None:
        """Write the one JSON document, only with --json."""
        self.close_bar()
        if self.json:
            text = json.dumps(to_json(value), indent=1, ensure_ascii=not is_unicode(self._out))
            self._out.write(text + "\n")

    def error(self, text: str) -> None:
        """Write one line that says what is wrong and what to do."""
        self.note(f"clipsvd: {text}")

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write aligned columns."""
        lines = [list(header), *([cell.replace("\n", " ") for cell in row] for row in rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
        for number, line in enumerate(lines):
            text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            self.say("  " + text.rstrip())
            if number == 0:
                self.say("  " + "  ".join("─" * width for width in widths))

    def report(self, stage: str, done: int, total: int, metrics: StepMetrics | None = None) -> None:
        """Move the progress bar of a stage; has the form of jobs.Report."""
        if self.quiet:
            return
        if not self._err.isatty():
            self._lines.report(stage, done, total)
            return
        if self._bar is None or self._bar.desc != stage or done < self._bar.n:
            self.close_bar()
            self._bar = tqdm(total=total, file=self._err, leave=True, bar_format=_BAR, mininterval=0.2)
            self._bar.set_description_str(stage)
        self._bar.total = total
        self._bar.update(done - self._bar.n)
        if metrics:
            numbers = {name: f"{value:.3g}" for name, value in to_json(metrics).items() if value is not None}
            self._bar.set_postfix(numbers, refresh=False)
        if done >= total:
            self.close_bar()

    def files_report(self, done: int, total: int) -> None:
        """Move the progress bar of reading files."""
        if total:  # none yet while files are looked for
            self.report("Reading files", done, total)

    def close_bar(self) -> None:
        """Leave the progress bar, if one is shown."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class _Lines:
    """Progress for a log file: a line when a stage starts and then at most one every ten seconds."""

    def __init__(self, err: TextIO) -> None:
        self._err = err
        self._stage = ""
        self._told_s = 0.0

    def report(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage == self._stage and now - self._told_s < _BETWEEN_LINES_S:
            return
        self._stage, self._told_s = stage, now
        self._err.write(f"{stage}: {done} of {total}\n")
        self._err.flush()


_BETWEEN_LINES_S = 10.0
_BAR = "{desc:<28} {percentage:3.0f}% |{bar:24}| {n_fmt}/{total_fmt} {elapsed}<{remaining}{postfix}"


def _printable(text: str) -> str:
    """Return text without the control characters by which a file's name could steer the terminal.

    Spaces that forbid a line break are plain ones there, as people search for them.
    """
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
