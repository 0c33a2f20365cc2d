"""The job that adds a backbone: look, check everything that is cheap, copy, and load the copy once.

What is written is a complete folder of its own, even where the source would do as it is: a download folder or
a hub cache may be cleared, and what adapters are tied to must not change under them.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from clipsvd_app.engine.architectures import list_targets
from clipsvd_app.engine.backbone_folder import WEIGHT_FILES, BackboneFolder, read_folder
from clipsvd_app.engine.backbones import build_model, load_backbone
from clipsvd_app.engine.intake.completing import write_small_files
from clipsvd_app.engine.intake.hashing import file_sha256, tensors_sha256
from clipsvd_app.engine.intake.known import KNOWN_RELEASES, KnownRelease
from clipsvd_app.engine.intake.locating import Source, locate
from clipsvd_app.engine.intake.new_folder import new_folder
from clipsvd_app.engine.plain_attention import use_plain_attention
from clipsvd_app.engine.tokenizing import HuggingFaceTokenizer, load_tokenizer, vocabulary_sha256
from clipsvd_app.engine.weights import State, describe_difference, read_state, write_state
from clipsvd_app.errors import UserError
from clipsvd_app.jobs import AddBackboneRequest, AddBackboneResult, Report, read_record, write_record

if TYPE_CHECKING:
    from collections.abc import Mapping

STAGE_WRITE = "Writing the backbone"


@dataclass(frozen=True, slots=True)
class _Found:
    """The tensors of a source with both of their hashes."""

    source: Source
    state: State
    source_sha256: str
    sha256: str


def run_add(
    request: AddBackboneRequest, report: Report, known: Mapping[str, KnownRelease] = KNOWN_RELEASES
) -> AddBackboneResult:
    """Take a model in; each lack is refused with one sentence, and nothing half-done stays behind.

    Equal weights that are here already are not written again: the answer then names the first copy.
    """
    target = Path(request.target)
    found = _read(request, report)
    if (existing := _same_weights(target.parent, found.sha256)) is not None:
        return existing
    release = known.get(found.source_sha256)
    with new_folder(target) as folder:
        write_small_files(found.source, found.state, folder, release)
        notes = _check(folder, found, release)
        weights = folder / WEIGHT_FILES[0]
        total = sum(tensor.nbytes for tensor in found.state.values())
        write_state(weights, found.state, lambda done: report(STAGE_WRITE, done // 2**20, total // 2**20))
        result = _load_once(folder, request, found, notes, report)
        write_record(folder, result)
    report("Checking the backbone", 1, 1)
    return result


def _read(request: AddBackboneRequest, report: Report) -> _Found:
    source = locate(Path(request.source))
    state = read_state(source.weights)
    source_sha256 = file_sha256(source.weights, report)
    return _Found(source, state, source_sha256, tensors_sha256(state, report))


def _same_weights(folder: Path, sha256: str) -> AddBackboneResult | None:
    """Return the backbone of equal weights among those written before."""
    for other in sorted(folder.iterdir()) if folder.is_dir() else ():
        record = read_record(other)
        if record is not None and record.sha256 == sha256 and (other / WEIGHT_FILES[0]).is_file():
            return replace(record, notes=(f"These weights are here already, as “{record.name}”.",))
    return None


def _check(folder: Path, found: _Found, release: KnownRelease | None) -> tuple[str, ...]:
    """Refuse what would not load, before the large file is copied; return what is worth knowing."""
    checked = read_folder(folder, found.source.weights)
    tokenizer = load_tokenizer(checked)
    _require_fit(checked, found.state)
    pieces = _pieces_sha256(tokenizer)
    if release is None:
        return (
            "These weights are no release that the program knows by its hash, which is nothing against them.",
        )
    if release.vocabulary_sha256 not in ("", pieces):
        raise UserError(
            f"The vocabulary beside these weights is not that of {release.title}.",
            remedy="Put the vocab.txt and tokenizer.json of the same release beside the weights.",
            code="backbone_tokenizer",
        )
    return (f"These are the weights of {release.title}.",)


def _require_fit(checked: BackboneFolder, state: State) -> None:
    with torch.device("meta"):
        model = build_model(checked)
    if difference := describe_difference(model.state_dict(), state):
        raise UserError(
            f"The weights do not fit the configuration beside them: {difference}.",
            remedy="Download the folder again, with configuration and weights of one version.",
            code="backbone_weights",
        )
    list_targets(use_plain_attention(model))


def _pieces_sha256(tokenizer: object) -> str:
    if isinstance(tokenizer, HuggingFaceTokenizer):
        return vocabulary_sha256(tokenizer.inner.get_vocab())
    return ""


def _load_once(
    folder: Path, request: AddBackboneRequest, found: _Found, notes: tuple[str, ...], report: Report
) -> AddBackboneResult:
    """Load what was written, which proves it, and say what it is."""
    report("Checking the backbone", 0, 1)
    backbone = load_backbone(folder, name=request.name)
    assert backbone.sha256 == found.sha256, "the copy must hold the numbers of the source"
    targets = list_targets(backbone.model)
    result = AddBackboneResult(
        name=request.name,
        folder=request.target,
        sha256=backbone.sha256,
        source_sha256=found.source_sha256,
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
