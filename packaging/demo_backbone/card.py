"""The model card that travels with the weights: ``card.md`` with the figures filled in."""

from __future__ import annotations

import statistics
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

PROBES = (
    ("probe", "linear probe on this model's CLS features"),
    ("probe_embedding", "linear probe on its 256 embedding features"),
    ("probe_untrained", "the same probe on the untrained model's CLS features"),
    ("probe_teacher", "the same probe on the teacher's 1,280 features"),
)


METHODS = (
    ("zero_shot", "zero-shot"),
    ("text_probe", "text-initialised probe"),
    ("linear_probe", "linear probe on frozen features"),
    ("tip_adapter", "Tip-Adapter"),
    ("gda", "Gaussian discriminant analysis"),
    ("clip_svd_plain", "CLIP-SVD as in the paper"),
    ("clip_svd", "CLIP-SVD"),
    ("EfficientNet-Lite0 + logistic regression", "peer"),
)


def model_card(
    figures: dict[str, dict[str, float]], records: list[dict[str, Any]], with_real_images: bool
) -> str:
    """Return README.md from what was measured; records are those of the few-shot benchmark with its peer."""
    here = Path(__file__).parent
    run = {name: f"{value:,.0f}" for name, value in figures["learning"].items()}
    rows = [
        *_phantom_rows(figures["retrieval"], figures["modality"]),
        *_word_rows(figures),
        *_probe_rows(figures),
    ]
    real_images = "\n" + (here / "card_real_images.md").read_text().strip()
    return Template((here / "card.md").read_text()).substitute(
        run,
        rows="\n".join(f"| {what} | {value} | {chance} |" for what, value, chance in rows),
        real_images=real_images if with_real_images else "",
        images_per_second=f"{figures['speed']['images_per_second']:.0f}",
        few_shot="\n\n".join(few_shot_tables(records)) or "Not measured.",
    )


def few_shot_tables(records: list[dict[str, Any]]) -> list[str]:
    """Return one Markdown table for each data set: methods down, shots across."""
    tables = []
    for name in dict.fromkeys(record["dataset"] for record in records):
        here = [record for record in records if record["dataset"] == name]
        shots = sorted({int(record["shots"]) for record in here})
        lines = [
            f"| {name} | " + " | ".join(f"{k} shots" for k in shots) + " |",
            "| --- " * (len(shots) + 1) + "|",
        ]
        measured = {record["method"] for record in here}
        for method, spoken in METHODS:
            if method not in measured:
                continue
            cells = [_cell(r for r in here if r["method"] == method and r["shots"] == k) for k in shots]
            lines.append(f"| {spoken} | " + " | ".join(cells) + " |")
        tables.append("\n".join(lines))
    return tables


def _cell(records: Iterable[dict[str, Any]]) -> str:
    values = [100 * float(record["balanced_accuracy"]) for record in records]
    if not values:
        return "-"
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.1f} ({spread:.1f})"


def _word_rows(figures: dict[str, dict[str, float]]) -> list[tuple[str, str, str]]:
    own, teacher = figures["words"], figures["words_teacher"]
    n, chance = f"n = {own['n']:.0f}", f"{own['chance']:.3f}"
    return [
        (f"held-out words whose nearest corpus phrase is right ({n})", f"{own['share']:.3f}", chance),
        (f"the same for the sentence encoder itself ({n})", f"{teacher['share']:.3f}", chance),
    ]


def _phantom_rows(found: dict[str, float], kinds: dict[str, float]) -> list[tuple[str, str, str]]:
    n = found["n"]
    chance = f"{1 / n:.3f} / {5 / n:.3f}"
    rows = [
        (
            f"phantom {name}, recall at 1 / at 5 (n = {n:.0f}, seed 0)",
            f"{found[key + '_r1']:.3f} / {found[key + '_r5']:.3f}",
            chance,
        )
        for key, name in (("image_to_text", "image to text"), ("text_to_image", "text to image"))
    ]
    what = f"zero-shot kind of phantom, 9 kinds, balanced accuracy (n = {kinds['n']:.0f})"
    return [*rows, (what, f"{kinds['balanced_accuracy']:.3f}", f"{1 / 9:.3f}")]


def _probe_rows(figures: dict[str, dict[str, float]]) -> list[tuple[str, str, str]]:
    scores = [(name, figures[key]) for key, name in PROBES if key in figures]
    return [
        (
            f"{name}, balanced accuracy (n = {score['n']:.0f} images)",
            f"{score['mean']:.3f} (sd {score['sd']:.3f})",
            "0.500",
        )
        for name, score in scores
    ]
