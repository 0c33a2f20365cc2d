"""``python -m benchmarks explanations``: how often explanations name a planted attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.demo_studies.lesion import PLANTED_AXES
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.errors import UserError
from clipsvd_app.services.models import backbones
from clipsvd_app.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from clipsvd_app.cli.commands import Commands
    from clipsvd_app.cli.console import Console


def add_actions(actions: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the benchmark of explanations."""
    planted = actions.add_parser(
        "explanations", parents=[shared], help="plant an attribute and count how often explanations name it"
    )
    planted.add_argument("--seeds", type=int, default=10, metavar="N")
    planted.add_argument(
        "--axis", choices=PLANTED_AXES, default=PLANTED_AXES[0], help="the planted attribute"
    )
    planted.add_argument("--backbone", default=backbones.DEMO, metavar="B")
    planted.set_defaults(run=run_planted)


def run_planted(options: argparse.Namespace, console: Console) -> int:
    """Plant an attribute in drawn pictures, adapt, and count how often its axis leads."""
    from benchmarks.explanations import planted_figures
    from clipsvd_app.engine.sigma.warm import WarmBackbones

    if options.seeds < 1:
        raise UserError("--seeds must be at least 1.", remedy="Enter a larger number.")
    backbone = backbones.find(load_settings(), options.backbone)
    warm = WarmBackbones().get(backbone, "auto", console.report)
    found = planted_figures(warm, options.axis, options.seeds, console.report)
    console.table(
        ["seed", "leads", "before", "shuffled", "planted attribute, before and after", "accuracy"],
        [
            [
                str(record.seed),
                record.led or "nothing",
                record.led_before_adaptation or "nothing",
                record.led_shuffled or "nothing",
                f"{record.planted_before:.3f} → {record.planted_after:.3f}",
                f"{record.accuracy:.2f}",
            ]
            for record in found.records
        ],
    )
    console.say(
        f"{options.axis.capitalize()} phrases lead in {found.named} of {options.seeds} seeds"
        f" ({found.named_before_adaptation} before adaptation),"
        f" with shuffled labels in {found.named_shuffled}."
    )
    console.say(
        f"Adaptation strengthened its phrases in {found.strengthened} of {options.seeds};"
        f" controls withheld something in {found.unreliable}."
    )
    console.say(
        f"Heads with phrases {percent(found.heads_above_null)},"
        f" maps that passed {percent(found.maps_passed)}"
        f" (specific to their class {percent(found.maps_specific)}), images explained by concepts"
        f" {percent(found.explained_by_concepts)}."
    )
    console.document(found)
    return 0
