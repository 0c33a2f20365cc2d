"""What an adaptation trained, where it started and how much of it was kept, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.results.evaluation import METHOD_WORDS
from clipsvd_app.domain.words.counting import counted

if TYPE_CHECKING:
    from clipsvd_app.domain.results.run import RunResult

PLAIN_TITLE = "Plain CLIP-SVD, as in the paper"
PLAIN_SENTENCE = "Starts from the class texts, adds no class head and keeps all of the trained change."
_PROBES: dict[str, str] = {
    **{str(method): said for method, said in METHOD_WORDS.items()},
    "text_initialised_probe": "a text-initialised linear probe",
}


def trained_words(singular_values: int, matrices: int, head_numbers: int = 0) -> str:
    """Return how many singular values of how many matrices were trained, and how large the class head is."""
    said = f"{singular_values:,} singular values of {counted(matrices, 'matrix', 'matrices')}"
    return f"{said} and a class head of {head_numbers:,} numbers" if head_numbers else said


def run_trained_words(result: RunResult) -> str:
    """Return what a run trained."""
    head = result.head_parameters
    return trained_words(result.trainable_parameters - head, result.matrices, head)


def start_sentence(result: RunResult) -> str:
    """Say where a run started, how much of the trained change it kept, and on what that was chosen."""
    if result.plain:
        return f"{PLAIN_TITLE}: started from the class texts; all of the trained change was kept."
    folds = f"{counted(result.choice_folds, 'fold')} of the training patients"
    if result.start == "text" and not result.share:
        return f"No adaptation was better than the unchanged model, judged on {folds}."
    start = probe_words(result.probe) if result.start == "probe" else "the class texts"
    chosen = f", chosen on {folds}" if result.choice_folds else ""
    return f"Started from {start}; {_kept(result.share)} of the trained change was kept{chosen}."


def probe_words(name: str) -> str:
    """Return what the probe that a class head starts from is called within a sentence."""
    return _PROBES.get(name, name)


def _kept(share: float) -> str:
    return {0.0: "none", 1.0: "all"}.get(share, f"{100 * share:g} %")
