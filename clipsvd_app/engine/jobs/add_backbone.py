"""The job that adds a backbone: find, check everything that is cheap, copy, and load the copy once.

A complete folder is written even if the source could be used as it is: a download folder or hub cache may be
cleared, and the weights that adapters are tied to must not change.
"""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from msgspec.structs import replace

from clipsvd_app.engine.backbone.architectures import list_targets
from clipsvd_app.engine.backbone.backbone import build_model, load_backbone
from clipsvd_app.engine.backbone.folder import WEIGHT_FILES, BackboneFolder, read_folder
from clipsvd_app.engine.backbone.intake.hashes import file_sha256, tensors_sha256
from clipsvd_app.engine.backbone.intake.known import KNOWN_RELEASES, KnownRelease
from clipsvd_app.engine.backbone.intake.new_folder import folder_beside
from clipsvd_app.engine.backbone.intake.small_files import SMALL_FILES, write_small_files
from clipsvd_app.engine.backbone.intake.sources import Source, locate
from clipsvd_app.engine.backbone.plain_attention import use_plain_attention
from clipsvd_app.engine.backbone.tokenizer import HuggingFaceTokenizer, load_tokenizer, vocabulary_sha256
from clipsvd_app.engine.backbone.weights import (
    OPEN_CLIP_RELEASE,
    State,
    describe_difference,
    read_state,
    write_state,
)
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.answers import AddBackboneResult
from clipsvd_app.jobs.backbone_record import read_record, write_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clipsvd_app.jobs.lines import Report
    from clipsvd_app.jobs.requests import AddBackboneRequest

STAGE_WRITE, STAGE_CHECK = "Writing the backbone", "Checking the backbone"


def run_add(
    request: AddBackboneRequest, report: Report, known: Mapping[str, KnownRelease] = KNOWN_RELEASES
) -> AddBackboneResult:
    """Add a model; each fault is refused with one sentence, and nothing incomplete stays behind.

    Equal weights that exist already are not written again: the answer then names the first copy.
    """
    source, target = locate(Path(request.source)), Path(request.target)
    state = read_state(source.weights)
    _require_open_clip(source, state)
    source_sha256 = file_sha256(source.weights, report)
    release = known.get(source_sha256)
    with folder_beside(target) as folder:
        write_small_files(source, state, folder, release)
        notes = _check(folder, source, state, release)
        sha256 = tensors_sha256(state, report)
        if (existing := _same_weights(folder, target.parent, sha256)) is not None:
            return existing
        total = sum(tensor.nbytes for tensor in state.values())
        weights = folder / WEIGHT_FILES[0]
        write_state(weights, state, lambda done: report(STAGE_WRITE, done // 2**20, total // 2**20))
        report(STAGE_CHECK, 0, 1)
        result = _load_once(folder, request, source_sha256, notes)
        assert result.sha256 == sha256, "the copy must hold the numbers of the source"
        write_record(folder, result)
        folder.rename(target)
    report(STAGE_CHECK, 1, 1)
    return result


def _require_open_clip(source: Source, state: State) -> None:
    """Refuse a model of the transformers library (such as CLIPModel), whose towers have other names."""
    if all(any(name.startswith(tower) for name in state) for tower in ("vision_model.", "text_model.")):
        raise UserError(
            f"“{source.weights.name}” contains a model in the transformers layout, not the open_clip layout.",
            remedy=OPEN_CLIP_RELEASE,
            code="backbone_layout",
        )


def _check(folder: Path, source: Source, state: State, release: KnownRelease | None) -> tuple[str, ...]:
    """Refuse what would not load, before the large file is copied; return notes for the user."""
    checked = read_folder(folder, source.weights)
    tokenizer = load_tokenizer(checked)
    _require_fit(checked, state)
    if release is None:
        return ("Unrecognised weights; you can still use them.",)
    if release.vocabulary_sha256 not in ("", _pieces_sha256(tokenizer)):
        raise UserError(
            f"The vocabulary does not belong to {release.title}.",
            remedy="Copy vocab.txt and tokenizer.json of the same release next to the weights.",
            code="backbone_tokenizer",
        )
    return (f"Recognised weights: {release.title}.",)


def _require_fit(checked: BackboneFolder, state: State) -> None:
    # Shapes only: no memory for 196 million numbers.
    with torch.device("meta"):
        model = build_model(checked)
    if difference := describe_difference(model.state_dict(), state):
        raise UserError(
            f"The weights do not match the configuration: {difference}.",
            remedy="Download the folder again, with configuration and weights of one version.",
            code="backbone_weights",
        )
    list_targets(use_plain_attention(model))


def _pieces_sha256(tokenizer: object) -> str:
    if isinstance(tokenizer, HuggingFaceTokenizer):
        return vocabulary_sha256(tokenizer.inner.get_vocab())
    return ""


def _same_weights(folder: Path, others: Path, sha256: str) -> AddBackboneResult | None:
    """Return the existing backbone of equal weights, with a note of what else differs."""
    for other in sorted(others.iterdir()):
        record = read_record(other)
        if record is None or record.sha256 != sha256 or not (other / WEIGHT_FILES[0]).is_file():
            continue
        notes = [f"These weights have already been added as “{record.name}”."]
        if any(_content(folder / name) != _content(other / name) for name in SMALL_FILES):
            notes.append("The configuration or vocabulary differs. Remove it first to add this one.")
        return replace(record, notes=tuple(notes))
    return None


def _content(file: Path) -> bytes:
    return file.read_bytes() if file.is_file() else b""


def _load_once(
    folder: Path, request: AddBackboneRequest, source_sha256: str, notes: tuple[str, ...]
) -> AddBackboneResult:
    """Load what was written, as its test, and describe it."""
    backbone = load_backbone(folder, name=request.name)
    targets = list_targets(backbone.model)
    result = AddBackboneResult(
        name=request.name,
        folder=request.target,
        sha256=backbone.sha256,
        source_sha256=source_sha256,
        architecture=backbone.architecture,
        parameters=backbone.parameters,
        matrices=len(targets),
        singular_values=sum(min(target.block(backbone.weight(target)).shape) for target in targets),
        notes=notes,
    )
    del backbone
    # The model maps the file that it was read from, and Windows renames no folder with a mapped file in it.
    gc.collect()
    return result
