"""Make the tables of ``docs/benchmarks.md`` from few-shot records: means, and paired differences.

    python docs/fewshot_table.py records.jsonl ...

Every method is compared with CLIP-SVD on the same draws; a difference is given with its standard error over
the draws. ``records.jsonl`` holds one JSON record a line, as ``docs/fewshot_with_peer.py`` prints them.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

METHODS = {
    "zero_shot": "zero-shot",
    "text_probe": "text-initialised probe",
    "linear_probe": "linear probe on frozen features",
    "tip_adapter": "Tip-Adapter",
    "gda": "Gaussian discriminant analysis",
    "former": "CLIP-SVD by the former recipe",
    "clip_svd_plain": "CLIP-SVD as in the paper",
    "start": "the start alone",
    "clip_svd": "**CLIP-SVD**",
    "EfficientNet-Lite0 + logistic regression": "comparator: frozen EfficientNet-Lite0",
}
OURS = "clip_svd"
MEASURES = {"balanced_accuracy": (100, 1), "auroc": (100, 1), "log_loss": (1, 2)}
Values = dict[tuple[str, int, int], float]
"""By method, shots and seed."""


def main(files: list[str]) -> None:
    """Print one table for each measure of each data set."""
    records = [json.loads(line) for file in files for line in Path(file).read_text("utf-8").splitlines()]
    for dataset in dict.fromkeys(record["dataset"] for record in records):
        for measure, (scale, digits) in MEASURES.items():
            values = {
                (record["method"], record["shots"], record["seed"]): scale * record[measure]
                for record in records
                if record["dataset"] == dataset and record.get(measure) is not None
            }
            print(f"\n{dataset}, {measure}: mean; CLIP-SVD minus the method (standard error)\n")
            print("\n".join(_table(values, digits)))


def _table(values: Values, digits: int) -> list[str]:
    shots = sorted({count for _, count, _ in values})
    lines = ["| method | " + " | ".join(map(str, shots)) + " |", "|---" * (len(shots) + 1) + "|"]
    for method, title in METHODS.items():
        cells = [_cell(values, method, count, digits) for count in shots]
        if any(cells):
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return lines


def _cell(values: Values, method: str, shots: int, digits: int) -> str:
    """Return the mean over two draws or more, and the mean difference on those that both methods have."""
    rows = {seed: value for (name, count, seed), value in values.items() if (name, count) == (method, shots)}
    if len(rows) < 2:  # one draw says next to nothing of a method
        return ""
    mean = f"{statistics.fmean(rows.values()):.{digits}f}"
    if method == OURS:
        return mean
    gains = [
        values[OURS, shots, seed] - value for seed, value in rows.items() if (OURS, shots, seed) in values
    ]
    if len(gains) < 2:
        return mean
    error = statistics.stdev(gains) / len(gains) ** 0.5
    return f"{mean}; {statistics.fmean(gains):+.{digits}f} ({error:.{digits}f})"


if __name__ == "__main__":
    main(sys.argv[1:])
