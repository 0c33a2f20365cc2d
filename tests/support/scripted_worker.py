"""An engine process that is the true worker but for the computing: it ends a job when a file says go.

Arguments: a folder with ``result.json`` to answer with, in which ``go`` appears. Jobs report until then.
"""

from __future__ import annotations

import queue
import shutil
import sys
import threading
import time
from pathlib import Path

from clipsvd_app import worker
from clipsvd_app.domain.results.run import RunResult, StepMetrics
from clipsvd_app.errors import Cancelled
from clipsvd_app.jobs.folders import read_result
from clipsvd_app.jobs.lines import PROTOCOL, Ready, encode_line
from clipsvd_app.jobs.requests import TrainRequest

PLACE = Path(sys.argv[1])


class Scripted:
    """Does nothing until it may go on, then answers what it was given."""

    def run(self, folder, request, report, announce):
        if not isinstance(request, TrainRequest):
            raise Cancelled
        announce(read_result(PLACE, RunResult).evaluation)
        with (folder / "metrics.jsonl").open("w") as curve:
            curve.write('{"stage": "Training", "done": 1, "total": 4, "loss": 1.0}\n')
        while not (PLACE / "go").exists():
            report("Training", 1, 4, StepMetrics(1, 1.0, 0.5, 0.1))
            time.sleep(0.02)
        (folder / "adapter.safetensors").write_bytes(b"adapter")
        shutil.copyfile(PLACE / "result.json", folder / "result.json")


def main() -> None:
    def send(event):
        sys.stdout.write(encode_line(event))
        sys.stdout.flush()

    inbox = queue.SimpleQueue()
    threading.Thread(target=worker.read_commands, args=(sys.stdin, inbox), daemon=True).start()
    send(Ready(PROTOCOL, "cpu", {}, ("cpu",), ""))
    worker.Worker(Scripted(), send, inbox).serve()


main()
