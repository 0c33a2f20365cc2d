"""What a run has to say of how it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.domain.results.run import NoteCode, RunNote

_WORDS: dict[NoteCode, Callable[[RunNote], str]] = {
    "few_images": lambda _: ("The usual share of the change was kept: too few images to choose one."),
    "few_patients": lambda _: ("The usual share of the change was kept: too few patients to choose one."),
    "smaller_parts": lambda note: (
        f"Because memory was short, each step was split into {counted(note.count, 'part')}."
    ),
    "recomputed": lambda _: "Because memory was short, activations were recomputed in each step.",
    "lower_recomputed": lambda _: (
        "Because memory and disk space were short, part of the lower layers was recomputed in every step."
    ),
    "lower_on_disk": lambda _: (
        "Because memory was short, part of the cached activations was stored in a temporary file."
    ),
    "not_finite": lambda _: "After a non-finite step, training went back and halved the learning rate.",
    "unread": lambda note: f"{counted(note.count, 'image')} could not be read and were not used.",
    "replaced": lambda note: f"{replaced_words(note.count, note.of)} They were not used.",
    "fixed_test_set": lambda note: (
        f"{counted(note.count, 'patient is', 'patients are')} set aside as the fixed test set of this and"
        " later runs."
    ),
    "blank": lambda note: (
        f"{counted(note.count, 'labelled image shows', 'labelled images show')} a single shade of grey or"
        " colour. Check their windows and regions."
    ),
    "resumed": lambda _: "This run was resumed; its time counts from there.",
    "no_checkpoints": lambda _: (
        "Checkpoints could not be saved, because the cache folder is full or read-only. An interrupted"
        " training could not have been resumed."
    ),
    "on_cpu": lambda _: "Computed on the CPU, because GPU memory was not enough for a single image.",
    "stated": lambda note: note.detail,
}


def note_text(note: RunNote) -> str:
    """Return the sentence of a note."""
    return _WORDS[note.code](note)


def replaced_words(replaced: int, of: int) -> str:
    """Say how many images are other files than those that were added."""
    which = "was" if replaced == 1 else "were"
    return f"{replaced:,} of {counted(of, 'image')} {which} replaced by different files with the same names."
