"""Adapters and backbones: save what was trained, and load it only onto a backbone that it fits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.adapter_file import AdapterContent, HeadTensors, Spectrum, read_adapter, write_adapter
from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.engine.backbone.prompt_check import check_prompts
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.engine.sigma.adapter_document import document_of, with_plain_classes
from clipsvd_app.engine.sigma.canaries import canary_check, deviation_check
from clipsvd_app.engine.sigma.class_head import ClassHead
from clipsvd_app.engine.sigma.probes import compute_probes, worst_probe
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.answers import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from clipsvd_app.adapter_file import ClassifierContent
    from clipsvd_app.domain.classes import ClassSpec
    from clipsvd_app.domain.results.evaluation import Evaluation
    from clipsvd_app.engine.backbone.backbone import Backbone
    from clipsvd_app.engine.sigma.basis import Basis
    from clipsvd_app.engine.sigma.likeness import Likeness
    from clipsvd_app.engine.sigma.trained import TrainedSigma
    from clipsvd_app.jobs.requests import ImageInput, TrainRequest

# Of the largest singular value. Two fp64 solvers agree to 1e-12 and storage as fp32 rounds by 6e-8, so the
# same matrix passes on any machine; a matrix of other weights does not.
_SPECTRUM_TOLERANCE = 1e-5
# Allows for one rounding of a mean, a standard deviation or the logit scale to fp32.
_INPUT_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class LoadedAdapter:
    """An adapter that passed every check against its backbone, ready to predict.

    ``weak_prompts``: sentences on the words of its prompts that the model does not know.
    """

    content: AdapterContent
    adapted: AdaptedModel
    weak_prompts: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[ClassSpec, ...]:
        """The classes in the order of the logits."""
        return self.adapted.classes


def save_adapter(
    path: Path,
    adapted: AdaptedModel,
    trained: TrainedSigma,
    request: TrainRequest,
    train_images: Sequence[ImageInput],
    evaluation: Evaluation,
    created: date | None = None,
    likeness: Likeness | None = None,
) -> AdapterContent:
    """Write what was trained, with probes and canaries, and return what was written.

    ``created`` is the day, by default today in UTC.
    """
    # Before the document: canaries must be logits of the class texts as they are written.
    adapted = with_plain_classes(adapted)
    document = document_of(adapted, trained, request, train_images, evaluation, created, likeness)
    content = AdapterContent(document, _spectra(adapted, trained), _head_tensors(adapted))
    write_adapter(path, content)
    return content


def load_adapter(path: Path, backbone: Backbone, basis: Basis) -> LoadedAdapter:
    """Read an adapter and prove that it fits; if a check fails, refuse it and apply nothing."""
    return prove(read_adapter(path), backbone, basis)


def prove(content: AdapterContent, backbone: Backbone, basis: Basis) -> LoadedAdapter:
    """Check that an adapter fits its backbone and fold it in, or refuse it in one sentence."""
    # The cheapest checks first; canaries last, because they need the folded model.
    for check in structure_checks(content, backbone, basis):
        require(check)
    prompts = prompts_check(content, backbone)
    require(prompts.check)
    adapted = adapted_by(content, backbone, basis)
    for check in applied_checks(content, adapted):
        require(check)
    return LoadedAdapter(content, adapted, prompts.warnings)


def require_base(content: AdapterContent, backbone: Backbone) -> None:
    """Refuse a backbone that the adapter was not made for, naming both; needs no basis."""
    require(base_check(content, backbone))


def structure_checks(content: AdapterContent, backbone: Backbone, basis: Basis) -> Iterator[Check]:
    """Yield checks up to and including the first that fails."""
    for look in (base_check, _input_check, _matrices_check, _spectrum_check, _probe_check):
        check = look(content, backbone, basis)
        yield check
        if not check.passed:
            return


def applied_checks(content: AdapterContent, adapted: AdaptedModel) -> Iterator[Check]:
    """Yield checks of the folded model: its class head, if it has one, then the canaries."""
    if adapted.head is not None:
        check = _head_check(adapted.head, adapted)
        yield check
        if not check.passed:
            return
    yield canary_check(content.document.canaries, adapted)


def _head_check(head: ClassHead, adapted: AdaptedModel) -> Check:
    stated, ours = head.offsets.shape[1], adapted.class_embeddings().shape[1]
    if stated == ours:
        return Check("class head", passed=True, detail=f"It has the width of the embeddings, {ours}.")
    detail = f"Its class head has the width {stated}, and the backbone's embeddings have {ours}."
    return Check("class head", passed=False, detail=detail)


def input_checks(content: ClassifierContent, backbone: Backbone) -> Iterator[Check]:
    """Yield whether the backbone and its preprocessing are those that the file states."""
    yield base_check(content, backbone)
    yield _input_check(content, backbone)


def base_check(
    content: AdapterContent | ClassifierContent, backbone: Backbone, _: Basis | None = None
) -> Check:
    """Whether the backbone is the one that the adapter was made for."""
    base = content.document.base
    named = f"“{plain(base.name)}” ({base.sha256[:12]}…)"
    if base.sha256 == backbone.sha256:
        return Check("base", passed=True, detail=f"The backbone is {named}, as the adapter asks.")
    detail = (
        f"The adapter belongs to {named}, but the backbone is “{backbone.name}” ({backbone.sha256[:12]}…)."
    )
    return Check("base", passed=False, detail=detail)


def _input_check(
    content: AdapterContent | ClassifierContent, backbone: Backbone, _: Basis | None = None
) -> Check:
    """Compare the file's preprocessing and logit scale with the backbone's."""
    stated, ours = content.document.preprocessing, backbone.preprocessing
    scale = content.document.logit_scale if isinstance(content, AdapterContent) else backbone.logit_scale
    agree = (
        stated.size == (ours.size, ours.size)
        and stated.interpolation == ours.interpolation
        and np.allclose((stated.mean, stated.std), (ours.mean, ours.std), rtol=0, atol=_INPUT_TOLERANCE)
        and math.isclose(scale, backbone.logit_scale, rel_tol=_INPUT_TOLERANCE)
    )
    detail = "Image size, normalisation and logit scale are the backbone's."
    wrong = "It asks for another image size, normalisation or logit scale than the backbone's."
    return Check("input", passed=agree, detail=detail if agree else wrong)


def _matrices_check(content: AdapterContent, _: Backbone, basis: Basis) -> Check:
    ours = {name: matrix.rank for name, matrix in basis.matrices.items()}
    theirs = {spectrum.name: spectrum.sigma.size for spectrum in content.spectra}
    wrong = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    if wrong:
        which = counted(len(wrong), "matrix does", "matrices do")
        detail = f"{which} not match the backbone's, “{wrong[0]}” among them."
        return Check("matrices", passed=False, detail=detail)
    detail = f"{counted(len(ours), 'matrix has its name and rank', 'matrices have their names and ranks')}."
    return Check("matrices", passed=True, detail=detail)


def _spectrum_check(content: AdapterContent, _: Backbone, basis: Basis) -> Check:
    differences = {
        spectrum.name: _spectrum_difference(spectrum, basis.matrices[spectrum.name].s0.numpy())
        for spectrum in content.spectra
    }
    name, worst = max(differences.items(), key=lambda entry: entry[1])
    return deviation_check("base spectra", f"base spectra (worst: “{name}”)", worst, _SPECTRUM_TOLERANCE)


def _spectrum_difference(spectrum: Spectrum, s0: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float:
    difference = spectrum.sigma_base.astype(np.float64) - s0
    # 1e-30 stands in for the largest value of a matrix of zeros.
    return float(np.abs(difference).max()) / max(float(s0.max()), 1e-30)


def _probe_check(content: AdapterContent, backbone: Backbone, basis: Basis) -> Check:
    name, worst = worst_probe(content, backbone, basis)
    return deviation_check("probes", f"probes (worst: “{name}”)", worst, content.document.probes.tolerance)


@dataclass(frozen=True, slots=True)
class PromptsCheck:
    """Whether the model can read the prompts, and warnings about words it does not know."""

    check: Check
    warnings: tuple[str, ...]


def prompts_check(content: AdapterContent | ClassifierContent, backbone: Backbone) -> PromptsCheck:
    """Check that the model reads all prompts and can distinguish the classes by them."""
    found = check_prompts(backbone.tokenizer, _classes(content))
    said = [error.message for error in found.refusals] or list(found.warnings)
    detail = " ".join(said) or "The model can read all prompts and distinguish the classes."
    return PromptsCheck(Check("prompts", passed=not found.refusals, detail=detail), found.warnings)


def require(check: Check) -> None:
    """Refuse a file of which a check failed, in one sentence."""
    if check.passed:
        return
    if check.name == "prompts":
        raise UserError(
            check.detail,
            remedy="It was trained with these prompts: train one with others, or ask its author to.",
            code="adapter_prompts",
        )
    raise UserError(
        f"The adapter does not fit this backbone: {check.detail}",
        remedy="Choose the backbone it was trained on, or get the adapter again from its author.",
        code=f"adapter_{check.name.replace(' ', '_')}",
    )


def adapted_by(content: AdapterContent, backbone: Backbone, basis: Basis) -> AdaptedModel:
    """Return the backbone with the adapter's singular values folded in, and its class head."""
    sigmas = {spectrum.name: spectrum.sigma for spectrum in content.spectra}
    temperature, head = content.document.calibration.temperature, content.head
    return AdaptedModel(
        backbone,
        basis,
        sigmas,
        _classes(content),
        temperature,
        None if head is None else ClassHead(head.offsets, head.bias, content.head_start),
    )


def _classes(content: AdapterContent | ClassifierContent) -> tuple[ClassSpec, ...]:
    return tuple(entry.spec() for entry in content.document.classes)


def _head_tensors(adapted: AdaptedModel) -> HeadTensors | None:
    head = adapted.head
    if head is None:
        return None
    return HeadTensors(head.offsets.astype(np.float32), head.bias.astype(np.float32))


def _spectra(adapted: AdaptedModel, trained: TrainedSigma) -> tuple[Spectrum, ...]:
    probes = compute_probes(adapted.backbone, adapted.basis, trained.sigmas)
    return tuple(
        Spectrum(name, trained.sigmas[name], trained.sigma_base[name], probes[name])
        for name in sorted(trained.sigmas)
    )
