"""Running a process, and all that it starts, with its eyes on the network."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

WATCH = Path(__file__).with_name("network_watch")


@dataclass(frozen=True, slots=True)
class NetworkWatch:
    """``environment`` is for the process; ``started`` and ``seen`` tell of it and its children."""

    log: Path

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(WATCH), *filter(None, [os.environ.get("PYTHONPATH")])])
        return {**os.environ, "PYTHONPATH": path, "NETWORK_WATCH_LOG": str(self.log)}

    def started(self) -> int:
        """How many processes have been watched."""
        return sum(" started " in line for line in self._lines())

    def processes(self, words: str) -> list[str]:
        """The ids of the watched processes that were started with these words."""
        return [line.split()[0] for line in self._lines() if " started " in line and words in line]

    def seen(self) -> list[str]:
        """Every use of the network."""
        return [line for line in self._lines() if " started " not in line]

    def _lines(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
