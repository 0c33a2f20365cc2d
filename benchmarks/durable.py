"""Killing a labelling process at random moments, and looking whether what it acknowledged is still there."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipsvd_app.project import create_project, open_project
from clipsvd_app.settings import HOME_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipsvd_app.project import Project

    State = dict[str, Any]

START_WITHIN_S = 60.0
LONGEST_LIFE_S = 0.5
SLOWEST_OPENING_S = 5.0


@dataclass(frozen=True, slots=True)
class DurabilityReport:
    """What came of killing a process ``moments`` times.

    ``acknowledged`` steps in all; ``lost`` moments after which the project was not as acknowledged, and
    ``locked`` ones after which it could not be written to; ``killed_in`` says which step the process was
    in, "between" none. Milliseconds are those of labelling steps, on disk when they end.
    """

    moments: int
    acknowledged: int
    lost: int
    locked: int
    killed_in: dict[str, int]
    label_median_ms: float
    label_p95_ms: float
    slowest_opening_s: float

    @property
    def passed(self) -> bool:
        """Whether nothing acknowledged was lost and every project opened at once."""
        return not self.lost and not self.locked and self.slowest_opening_s < SLOWEST_OPENING_S


def state_of(project: Project) -> State:
    """Return what a user would miss: labels and marks by image, readings, and classes in their order."""
    return {
        "images": {str(image.id): [image.class_id, image.mark] for image in project.images()},
        "readings": [[r.image_id, r.reader, r.class_id, r.settled_class_id] for r in project.readings()],
        "classes": [[known.id, known.name] for known in project.classes()],
    }


def kill_and_look(
    command: Sequence[str], moments: int, seed: int, report: Callable[[int, int], None] | None = None
) -> DurabilityReport:
    """Run ``command PROJECT SEED`` again and again on one project and kill it (SIGKILL) at random moments.

    Each life goes on where the one before it ended. report: told (moments done, moments in all).
    """
    draw = random.Random(seed)
    lost = locked = acknowledged = 0
    killed_in: Counter[str] = Counter()
    label_ms: list[float] = []
    slowest_s = 0.0
    with tempfile.TemporaryDirectory(prefix="clipsvd-durable-") as scratch:
        path = Path(scratch) / "labelled.clipsvd"
        create_project(path).close()
        for moment in range(moments):
            if report is not None:
                report(moment, moments)
            lines = _one_life([*command, str(path), str(draw.getrandbits(32))], Path(scratch), draw)
            done = [line for line in lines if line["at"] == "done"]
            acknowledged += len(done)
            label_ms += [line["ms"] for line in done if line["kind"] == "label"]
            killed_in[str(lines[-1]["kind"]) if lines[-1]["at"] == "begin" else "between"] += 1
            started_s = time.perf_counter()
            with open_project(path) as project:
                slowest_s = max(slowest_s, time.perf_counter() - started_s)
                locked += project.read_only
                lost += not is_explained(lines, state_of(project))
    return DurabilityReport(
        moments,
        acknowledged,
        lost,
        locked,
        dict(sorted(killed_in.items())),
        statistics.median(label_ms) if label_ms else 0.0,
        _p95(label_ms),
        slowest_s,
    )


def is_explained(lines: Sequence[dict[str, Any]], found: State) -> bool:
    """Whether the project is as last acknowledged, or as the one step under way may have left it.

    That step may have changed the images it announced, or, being an undo or redo, have brought back a state
    that was acknowledged before. Only an import adds images, and only class edits change classes.
    """
    states = [line["state"] for line in lines if "state" in line]
    last, under_way = states[-1], lines[-1] if lines[-1]["at"] == "begin" else None
    if found == last:
        return True
    if under_way is None:
        return False
    kind, touched = under_way["kind"], {str(number) for number in under_way["touched"]}
    if kind in ("undo", "redo"):
        return found in states
    if kind == "import":
        kept = {number: found["images"].get(number) for number in last["images"]}
        return kept == last["images"] and _beside(found, "images") == _beside(last, "images")
    if kind != "class" and found["classes"] != last["classes"]:
        return False
    return all(
        found["images"].get(number) == value
        for number, value in last["images"].items()
        if number not in touched
    )


def _beside(state: State, key: str) -> State:
    return {name: value for name, value in state.items() if name != key}


def _one_life(command: Sequence[str], scratch: Path, draw: random.Random) -> list[dict[str, Any]]:
    """Start the process, let it work for a moment, kill it, and return the lines it wrote."""
    spoken = scratch / "lines.txt"
    environment = {**os.environ, HOME_VARIABLE: str(scratch / "home"), "QT_QPA_PLATFORM": "offscreen"}
    with spoken.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, env=environment)
        try:
            _wait_for_ready(process, spoken)
            time.sleep(draw.uniform(0, LONGEST_LIFE_S))
        finally:
            process.kill()
            process.wait()
    whole = spoken.read_bytes().rpartition(b"\n")[0]
    lines = [json.loads(line) for line in whole.splitlines()]
    ready = next(place for place, line in enumerate(lines) if line["at"] == "ready")
    return lines[ready:]


def _wait_for_ready(process: subprocess.Popen[bytes], spoken: Path) -> None:
    deadline_s = time.monotonic() + START_WITHIN_S
    while b'"ready"' not in spoken.read_bytes():
        assert process.poll() is None, "the labelling process ended by itself"
        assert time.monotonic() < deadline_s, "the labelling process did not start"
        time.sleep(0.01)


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else 0.0


def labelling_command() -> tuple[str, ...]:
    """Return the command that labels until it is killed."""
    return (sys.executable, "-P", "-m", "benchmarks.labelling_process")
