"""Files that were found and are not read, each with its reason, so that every file is accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipsvd_app.domain.words.counting import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

# Reasons that are usual beside images: counted, and named only as a group ("2 system files").
QUIET = {
    "hidden_file": ("hidden file", "hidden files"),
    "system_file": ("system file", "system files"),
    "index_file": ("disc index (DICOMDIR)", "disc indexes (DICOMDIR)"),
    "other_file": ("other file", "other files"),
    "folder_link": ("link to a folder", "links to folders"),
    "own_file": ("file of CLIP-SVD Studio", "files of CLIP-SVD Studio"),
    "not_chosen": ("image of an excluded folder", "images of excluded folders"),
    "copy": ("copy of another image added", "copies of other images added"),
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that is not read, or ``count`` frames of one.

    reason: a code; sentence: why, and what to do, "" where the reason is quiet.
    """

    path: str
    reason: str
    sentence: str = ""
    count: int = 1


def quiet_words(counts: Mapping[str, int]) -> str:
    """Say how many were left out for quiet reasons, as "2 system files, 1 hidden file"."""
    return ", ".join(
        counted(count, *QUIET[reason]) for reason, count in counts.items() if reason in QUIET and count
    )
