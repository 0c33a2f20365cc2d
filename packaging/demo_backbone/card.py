"""The model card that travels with the weights: ``card.md`` with the figures filled in."""

from __future__ import annotations

from pathlib import Path
from string import Template

PROBES = (
    ("probe", "linear probe on this model's CLS features"),
    ("probe_embedding", "linear probe on its 256 embedding features"),
    ("probe_untrained", "the same probe on the untrained model's CLS features"),
    ("probe_teacher", "the same probe on the teacher's 1,280 features"),
)


def model_card(figures: dict[str, dict[str, float]], with_real_images: bool) -> str:
    """Return README.md from what was measured."""
    here = Path(__file__).parent
    run = {name: f"{value:,.0f}" for name, value in figures["training"].items()}
    rows = [*_phantom_rows(figures["retrieval"], figures["modality"]), *_probe_rows(figures)]
    real_images = "\n" + (here / "card_real_images.md").read_text().strip()
    return Template((here / "card.md").read_text()).substitute(
        run,
        rows="\n".join(f"| {what} | {value} | {chance} |" for what, value, chance in rows),
        real_images=real_images if with_real_images else "",
        images_per_second=f"{figures['speed']['images_per_second']:.0f}",
    )


def _phantom_rows(found: dict[str, float], kinds: dict[str, float]) -> list[tuple[str, str, str]]:
    n = found["n"]
    chance = f"{1 / n:.3f} / {10 / n:.3f}"
    rows = [
        (
            f"phantom {name}, recall at 1 / at 10 (n = {n:.0f}, seed 0)",
            f"{found[key + '_r1']:.3f} / {found[key + '_r10']:.3f}",
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
