"""All that a report may contain: an allow-list of numbers, and of words that cannot be a person's name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from clipsvd_app import __version__
from clipsvd_app.adapter_file.plain_text import one_line
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.records import from_json
from clipsvd_app.domain.results.cases import best_known, evidence, is_error, winner
from clipsvd_app.domain.results.run import Prediction, RunResult
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.errors import UserError
from clipsvd_app.imaging.files.known_hashes import require_content
from clipsvd_app.imaging.formats.images import picture_bytes
from clipsvd_app.imaging.thumbnails import thumbnail
from clipsvd_app.services.report.blocks import Picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.project import Project

# Six rows of four in the PDF.
MOST_FAILURES = 24
# As wide as the gallery of the web page shows them (html.py).
_THUMBNAIL_PX = 160
# Codes of PS3.3 C.7.3.1.1.1. Any other text in a header could be a name, and is counted as “other”.
_RADIOLOGY = ("CR", "CT", "DX", "IO", "IVUS", "MG", "MR", "NM", "PT", "PX", "RF", "US", "XA")
_VISIBLE_LIGHT = ("ES", "GM", "OCT", "OP", "OPT", "SM", "XC")
_MODALITIES = (*_RADIOLOGY, *_VISIBLE_LIGHT)


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """How much of a class there is."""

    name: str
    images: int
    patients: int


@dataclass(frozen=True, slots=True)
class ReportContent:
    """A run and its cohort, without the name of any patient, file, date or path.

    ``failures`` are None unless they were asked for; ``withheld`` counts those left out because text may be
    burned into them or they cannot be read.
    """

    version: str
    run: int
    result: RunResult
    recipe: Recipe
    patients: int
    images: int
    labelled: int
    classes: tuple[ClassCounts, ...]
    modalities: tuple[tuple[str, int], ...]
    regions: int
    errors: int
    failures: tuple[Picture, ...] | None = None
    withheld: int = 0

    @property
    def backbone(self) -> str:
        """The backbone's name; of a path only its last part."""
        return one_line(PurePath(self.result.backbone_name.replace("\\", "/")).name)


def gather(
    project: Project, number: int, *, failures: bool, report: Callable[[int, int], None]
) -> ReportContent:
    """Read what a report may hold; ``report(done, total)`` counts pictures and may raise Cancelled."""
    result, images = project.run_result(number), project.images()
    wrong = [p for p in evidence(result.predictions) if is_error(p)]
    wrong.sort(key=lambda p: -max(best_known(p)))
    pictures, withheld = None, 0
    if failures:
        pictures, withheld = _pictures(wrong[:MOST_FAILURES], images, result.class_names, report)
    return ReportContent(
        version=__version__,
        run=number,
        result=result,
        recipe=from_json(Recipe, project.run_request(number)["recipe"]),
        patients=len({image.patient_key for image in images}),
        images=len(images),
        labelled=sum(image.example_of is not None for image in images),
        classes=_class_counts(project, images),
        modalities=_modalities(images),
        regions=sum(image.crop is not None for image in images),
        errors=len(wrong),
        failures=pictures,
        withheld=withheld,
    )


def _class_counts(project: Project, images: Sequence[ProjectImage]) -> tuple[ClassCounts, ...]:
    return tuple(
        ClassCounts(known.name, len(own), len({image.patient_key for image in own}))
        for known in project.classes()
        for own in ([image for image in images if image.example_of == known.id],)
    )


def _modalities(images: Sequence[ProjectImage]) -> tuple[tuple[str, int], ...]:
    """Count modalities; any text that is no image modality (PS3.3 C.7.3.1.1.1) counts as “other”."""
    codes = Counter(image.modality if image.modality in _MODALITIES else "other" for image in images)
    return tuple(sorted(codes.items(), key=lambda entry: (-entry[1], entry[0])))


def _pictures(
    wrong: Sequence[Prediction],
    images: Sequence[ProjectImage],
    names: Sequence[str],
    report: Callable[[int, int], None],
) -> tuple[tuple[Picture, ...], int]:
    """Return thumbnails of errors and how many were left out."""
    by_id = {image.id: image for image in images}
    found: list[Picture] = []
    for done, prediction in enumerate(wrong):
        report(done, len(wrong))
        image = by_id.get(prediction.image_id)
        if image is not None and not image.burned_in_text and (png := _png(image)) is not None:
            found.append(Picture(*png, caption=_caption(prediction, names)))
    report(len(wrong), max(1, len(wrong)))
    return tuple(found), len(wrong) - len(found)


def _png(image: ProjectImage) -> tuple[bytes, int, int] | None:
    """Return a thumbnail as PNG of pixels only, or None for a file that is unreadable or was replaced."""
    try:
        require_content(Path(image.path), image.sha256)
        pixels = thumbnail(Path(image.path), image.frame, _THUMBNAIL_PX, series_window=image.series_window)
    except (UserError, OSError):
        return None
    return picture_bytes(pixels), pixels.shape[1], pixels.shape[0]


def _caption(prediction: Prediction, names: Sequence[str]) -> str:
    assert prediction.label is not None
    shown = best_known(prediction)
    first = winner(shown)
    return f"{names[prediction.label]}, predicted as {names[first]} ({percent(shown[first])})"
