"""Using a trained adapter: on images of the project, and on new files."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.adapter_file import read_adapter
from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.errors import UserError
from clipsvd_app.jobs import (
    BackboneRef,
    ExplainRequest,
    ImageInput,
    PredictRequest,
    PredictResult,
    VerifyRequest,
    WindowSpec,
    write_request,
)
from clipsvd_app.services import backbones
from clipsvd_app.services.found_files import nothing_found
from clipsvd_app.services.job_folders import image_input, new_folder, new_job, window_spec
from clipsvd_app.services.series_windows import window_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clipsvd_app.domain.recipe import DeviceName
    from clipsvd_app.domain.study import ProjectImage
    from clipsvd_app.imaging import LeftOut
    from clipsvd_app.project import Project
    from clipsvd_app.settings import Settings


@dataclass(frozen=True, slots=True)
class NewFile:
    """One frame to predict: where it lies, its study as a number, and the window its series shares."""

    id: int
    path: Path
    frame: int
    study: int
    series_window: WindowSpec | None = None


@dataclass(frozen=True, slots=True)
class FilePrediction:
    """The answer for one frame; ``refusal`` is empty when there are probabilities."""

    file: NewFile
    probabilities: tuple[float, ...]
    zero_shot: tuple[float, ...]
    refusal: str = ""


def backbone_of(settings: Settings, adapter: Path, backbone: str | None = None) -> BackboneRef:
    """Return the backbone that an adapter needs, found by hash unless named.

    A named one with other weights is refused here, before anything is loaded.
    """
    base = read_adapter(adapter).document.base
    if backbone is None:
        return backbones.find_by_hash(settings, base.sha256, base.name)
    found = backbones.find(settings, backbone)
    if found.sha256 != base.sha256:
        raise UserError(
            f"The adapter belongs to “{plain(base.name)}” ({base.sha256[:12]}…),"
            f" but the backbone is “{found.name}” ({found.sha256[:12]}…).",
            remedy="Name the backbone it was trained on, or leave --backbone out.",
            code="adapter_base",
        )
    return found


def list_files(paths: Sequence[Path]) -> tuple[NewFile, ...]:
    """Return every frame under the paths; unreadable files are kept so that each gets its sentence."""
    from clipsvd_app import imaging

    files = imaging.find_files(paths)
    if not files:
        raise nothing_found(not_read(paths))
    studies: dict[str, int] = {}
    series: dict[str, list[int]] = {}
    found: list[NewFile] = []
    for path in files:
        try:
            header = imaging.read_header(path)
            frames, study = header.frames, header.study_uid or str(path)
            of_series = series.setdefault(header.series_uid or str(path), [])
        except UserError:
            frames, study, of_series = 1, str(path), []
        number = studies.setdefault(study, len(studies) + 1)
        of_series += range(len(found), len(found) + frames)
        found += [NewFile(len(found) + frame, path, frame, number) for frame in range(frames)]
    return _with_series_windows(found, series.values())


def _with_series_windows(files: Sequence[NewFile], series: Iterable[Sequence[int]]) -> tuple[NewFile, ...]:
    from clipsvd_app.imaging.series import series_window

    windows: dict[int, WindowSpec | None] = {}
    for members in series:
        shared = window_value(series_window([(files[place].path, files[place].frame) for place in members]))
        windows |= dict.fromkeys(members, window_spec(shared))
    return tuple(replace(file, series_window=windows.get(place)) for place, file in enumerate(files))


def prepare_predict(
    adapter: Path, backbone: BackboneRef, files: Sequence[NewFile], device: DeviceName = "auto"
) -> Path:
    """Write the job that predicts files and return its folder."""
    images = tuple(
        ImageInput(file.id, str(file.path), file.frame, str(file.study), series_window=file.series_window)
        for file in files
    )
    return new_job(PredictRequest(backbone, str(adapter.resolve()), images, device))


def gather(files: Sequence[NewFile], result: PredictResult) -> tuple[FilePrediction, ...]:
    """Join files and answers, the least certain first and refusals last."""
    answers = {answer.image_id: answer for answer in result.images}
    refusals = dict(result.refused)
    joined = [
        FilePrediction(file, answer.adapted, answer.zero_shot)
        if (answer := answers.get(file.id)) is not None
        else FilePrediction(file, (), (), refusals.get(file.id, "It could not be read."))
        for file in files
    ]
    return tuple(sorted(joined, key=lambda row: max(row.probabilities, default=2.0)))


def write_csv(rows: Sequence[FilePrediction], class_names: Sequence[str], out: Path) -> None:
    """Write one line per frame, as the user asked: file, frame, study, class, probabilities, refusal."""
    try:
        with out.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(
                ["file", "frame", "study", "predicted"]
                + [f"p({name})" for name in class_names]
                + [f"zero_shot({name})" for name in class_names]
                + ["refused"]
            )
            writer.writerows(_csv_row(row, class_names) for row in rows)
    except OSError as error:
        raise UserError(
            f"“{out.name}” cannot be written.",
            remedy="Choose another folder, or close the program that has it open.",
            code="not_writable",
        ) from error


def prepare_explain(
    project: Project,
    number: int,
    image: ProjectImage,
    backbone: BackboneRef,
    device: DeviceName = "auto",
    *,
    occlusion: bool = False,
) -> Path:
    """Write the job that explains one image of the project under a run."""
    folder = new_folder("explain")
    adapter = folder / "adapter.safetensors"
    adapter.write_bytes(project.run_adapter(number))
    write_request(folder, ExplainRequest(backbone, str(adapter), image_input(image, None), device, occlusion))
    return folder


def prepare_verify(adapter: Path, backbone: BackboneRef, device: DeviceName = "auto") -> Path:
    """Write the job that checks an adapter against its backbone."""
    return new_job(VerifyRequest(backbone, str(adapter.resolve()), device))


def run_backbone(project: Project, number: int, settings: Settings) -> BackboneRef:
    """Return the backbone that a run was trained on."""
    run = project.run_summary(number)
    return backbones.find_by_hash(settings, run.backbone_sha256, run.backbone_name)


def not_read(paths: Sequence[Path]) -> tuple[LeftOut, ...]:
    """Return what lies under the paths beside the files that `list_files` lists, each with its reason."""
    from clipsvd_app import imaging

    return imaging.look_through(paths).left_out


def _csv_row(row: FilePrediction, class_names: Sequence[str]) -> list[object]:
    blank = [""] * len(class_names)
    named = class_names[row.probabilities.index(max(row.probabilities))] if row.probabilities else ""
    adapted: list[object] = [f"{p:.4f}" for p in row.probabilities] or list(blank)
    base: list[object] = [f"{p:.4f}" for p in row.zero_shot] or list(blank)
    return [row.file.path.name, row.file.frame, row.file.study, named, *adapted, *base, row.refusal]
