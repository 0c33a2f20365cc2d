"""What the Export page is told to show, and what it says was typed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clipsvd_app.adapter_file.names import SIGMA_SUFFIX
from clipsvd_app.domain.results.evaluation import MethodName
from clipsvd_app.jobs.answers import VerifyResult

if TYPE_CHECKING:
    from clipsvd_app.services.adapters.application import FilePrediction, NewFile

NEVER_INSIDE = (
    "Names, IDs and dates of patients",
    "Pixels, file names and paths",
    "Your identity, except the contact that you enter",
)


@dataclass(frozen=True, slots=True)
class CardFields:
    """What the user says of the adapter; written into it as typed."""

    intended_use: str = ""
    contact: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The file that was written, and what checking it found."""

    file_name: str
    checks: VerifyResult


@dataclass(frozen=True, slots=True)
class MethodChoice:
    """A method of a run that can be written as a file."""

    method: MethodName
    title: str


@dataclass(frozen=True, slots=True)
class ExportState:
    """What would be written; ``blocked`` says why nothing can be, ``writing`` that it is under way.

    ``advice`` says which method the run recommends, and why not where that one cannot be written.
    """

    runs: tuple[int, ...] = ()
    run: int | None = None
    file_name: str = ""
    path: str = ""
    size_bytes: int = 0
    facts: tuple[tuple[str, str], ...] = ()
    card: CardFields = field(default_factory=CardFields)
    never_inside: tuple[str, ...] = NEVER_INSIDE
    blocked: str = ""
    writing: bool = False
    result: ExportResult | None = None
    methods: tuple[MethodChoice, ...] = ()
    method: MethodName = "clip_svd"
    suffix: str = SIGMA_SUFFIX
    advice: str = ""


@dataclass(frozen=True, slots=True)
class ReportState:
    """A report that could be written; ``progress`` (done, total) while it is, ``written`` its file's name."""

    runs: tuple[int, ...] = ()
    run: int | None = None
    path: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    failures_possible: bool = True
    failures_note: str = ""
    progress: tuple[int, int] | None = None
    written: str | None = None
    written_note: str = ""


@dataclass(frozen=True, slots=True)
class AdapterView:
    """An opened adapter in its own words; everything is shown as plain text."""

    file_name: str
    class_names: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    intended_use: str = ""
    checks: VerifyResult | None = None


@dataclass(frozen=True, slots=True)
class AppliedRow:
    """One image that an adapter was applied to; ``file_name`` is for the screen only.

    ``unlike`` warns in a sentence of an image unlike those of training, else "".
    """

    image_id: int
    file_name: str
    study: str
    adapted: tuple[float, ...]
    zero_shot: tuple[float, ...]
    unlike: str = ""


def applied_row(row: FilePrediction) -> AppliedRow:
    """Return a prediction as the page shows it."""
    name = file_title(row.file)
    return AppliedRow(
        row.file.id, name, f"Study {row.file.study}", row.probabilities, row.zero_shot, row.unlike
    )


def file_title(file: NewFile) -> str:
    """Return what a frame is called on the screen, as in a saved table; frames are counted from 1."""
    return f"{file.shown()} · {file.frame + 1}" if file.frame else file.shown()


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A file that could not be used, with one sentence why and what to do."""

    file_name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ApplyState:
    """An opened adapter and what it said; ``progress`` is (stage, done, total) while it works.

    ``warning`` counts the images unlike those of training.
    """

    adapter: AdapterView | None = None
    rows: tuple[AppliedRow, ...] = ()
    refused: tuple[RefusedRow, ...] = ()
    progress: tuple[str, int, int] | None = None
    warning: str = ""
