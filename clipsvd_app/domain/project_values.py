"""Images and where they belong: patient, study, series. No name, id, date or UID is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from clipsvd_app.domain.records import Record
from clipsvd_app.domain.results.evaluation import EvaluationKind
from clipsvd_app.domain.view import Crop, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

Mark = Literal["", "uncertain", "excluded"]
FEW = 1000  # changed images that are followed one by one


@dataclass(frozen=True, slots=True)
class NewImage:
    """One frame found at import, before it has a row in the project.

    The three keys are salted hashes that only say "same" or "not the same".
    """

    patient_key: str
    study_key: str
    series_key: str
    sha256: str
    path: str
    frame: int
    modality: str
    body_part: str
    rows: int
    columns: int
    position: float
    near_hash: str = ""
    burned_in_text: bool = False


@dataclass(frozen=True, slots=True)
class SeriesFlag:
    """One irregularity of a series: a code for programs, a sentence for people, how many it concerns."""

    code: str
    sentence: str
    count: int


@dataclass(frozen=True, slots=True)
class ProjectImage:
    """One frame of the project as the pages and the engine see it.

    ``class_id`` is None while unlabelled. ``window`` and ``crop`` are what the user chose for
    training. ``series_window`` is shown and trained on where neither user nor file gives one.
    ``near_hash`` is a perceptual hash in hexadecimal, empty where none was taken. ``mark`` says that
    the reader could not decide, or wants the image left out. ``position`` orders the slices of a series:
    of those that say where they lie, millimetres along their normal.
    """

    id: int
    patient_number: int
    study_number: int
    series_number: int
    series_id: int
    patient_key: str
    sha256: str
    path: str
    frame: int
    modality: str
    body_part: str
    rows: int
    columns: int
    burned_in_text: bool
    class_id: int | None
    window: Window | None
    crop: Crop | None
    near_hash: str = ""
    mark: Mark = ""
    series_window: Window | None = None
    position: float = 0.0

    @property
    def example_of(self) -> int | None:
        """The class that the image is an example of; a marked image is an example of none."""
        return None if self.mark else self.class_id

    @property
    def title(self) -> str:
        """A name that distinguishes the image and nothing about the patient."""
        return f"P{self.patient_number:03d} · {self.id}"


def relabelled(
    before: Sequence[ProjectImage], now: Sequence[ProjectImage]
) -> tuple[ProjectImage, ...] | None:
    """Return the images that differ from those before, where nothing but labels, marks and views does.

    None where anything else differs, or so much that the pages are better made again. Images that were not
    read again are the very same objects: ten thousand of them are passed over in a third of a millisecond.
    """
    if before is now:
        return ()
    if len(before) != len(now):
        return None
    known_before, known_now, known = _LAST[0]
    if known_before is before and known_now is now:
        return known
    pairs = [(old, new) for old, new in zip(before, now, strict=True) if old is not new]
    few = len(pairs) <= FEW and all(_differ_by_choice(old, new) for old, new in pairs)
    found = tuple(new for _, new in pairs) if few else None
    _LAST[0] = before, now, found
    return found


# The last answer and what it is of: after a label half a dozen parts of the window ask the same.
_LAST: list[tuple[Sequence[ProjectImage], Sequence[ProjectImage], tuple[ProjectImage, ...] | None]] = [
    ((), (), None)
]


def _differ_by_choice(old: ProjectImage, new: ProjectImage) -> bool:
    return old == replace(new, class_id=old.class_id, mark=old.mark, window=old.window, crop=old.crop)


@dataclass(frozen=True, slots=True)
class ProjectClass:
    """One class of the project; ``position`` counts from 0 and gives key and colour."""

    id: int
    name: str
    prompts: tuple[str, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a second reader calls an image.

    ``settled_class_id`` is what the first reader had called it before the two settled the matter, None
    while they have not.
    """

    image_id: int
    reader: str
    class_id: int
    settled_class_id: int | None


@dataclass(frozen=True, slots=True)
class LabelEvent:
    """One line of the log: a label given or taken away, by the project's reader ("") or a second one."""

    image_id: int
    class_name: str | None
    at: str
    reader: str
    mark: Mark


class RunSummary(Record):
    """One line of the table of runs. Fractions from 0 to 1; None where there is no estimate."""

    number: int
    created: str
    preset: str
    shots: int | None
    seed: int
    train_images: int
    balanced_accuracy: float | None
    interval: tuple[float, float] | None
    zero_shot_accuracy: float | None
    verdict: str
    seconds: float
    evaluation: EvaluationKind
    backbone_name: str
    backbone_sha256: str
