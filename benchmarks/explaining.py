"""How long explanations take: the basis, a case, a run, the corpus, and the reading of all heads."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.explanations import draw_planted, planted_inputs
from clipsvd_app.corpus import MODALITIES, load_corpus
from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.engine.explain.case import explain_case
from clipsvd_app.engine.explain.model.embedded_corpus import EmbeddedCorpus, embed_corpus
from clipsvd_app.engine.explain.model.image_tower import open_tower
from clipsvd_app.engine.explain.model.text_span import gather_heads, read_heads
from clipsvd_app.engine.explain.run import explain_run
from clipsvd_app.engine.sigma.adapted import AdaptedModel
from clipsvd_app.engine.sigma.basis import load_basis

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.engine.sigma.warm import WarmBackbone
    from clipsvd_app.jobs.lines import Report

PHRASES, HEAD_IMAGES, RUN_IMAGES = 1000, 200, 64
_MOVED = 0.03


@dataclass(frozen=True, slots=True)
class ExplainTimes:
    """Seconds; ``case_s`` and ``heads_s`` are medians over ``rounds``, the rest is taken once.

    ``basis_s`` is for decomposing every matrix and writing the result, as at the first use of a model.

    ``lone_case_s`` is a case of an adapter that came without its run: the phrases are embedded, and the mean
    image is that of shuffled copies. ``run_s`` comes after it and finds the adapted phrases embedded;
    ``case_s`` finds what the run kept as well. ``corpus_s`` is for ``phrases`` phrases. ``heads_s`` is
    TextSpan of all ``heads`` at ``head_images`` images and ``phrases`` phrases, apart from ``watch_s``,
    passing the images; None where the tower has no exact sum.
    """

    backbone: str
    threads: int
    rounds: int
    basis_s: float
    lone_case_s: float
    case_s: float
    run_s: float
    run_images: int
    corpus_s: float
    phrases: int
    watch_s: float | None
    heads_s: float | None
    heads: int
    head_images: int


def explain_times(warm: WarmBackbone, name: str, rounds: int, report: Report) -> ExplainTimes:
    """Time explanations of drawn pictures under singular values moved at random by 3 %."""
    with tempfile.TemporaryDirectory() as folder:
        basis_s = _seconds(lambda: load_basis(warm.backbone, report, Path(folder)))
    adapted = _moved(warm, report)
    drawn = draw_planted(np.random.default_rng(0), "margin", HEAD_IMAGES)
    images = planted_inputs(warm, drawn)
    corpus, corpus_s = _embedded(adapted, report)
    lone_case_s = _seconds(lambda: explain_case(adapted, images[0], 0, report))
    run_s = _seconds(lambda: explain_run(adapted, images[:RUN_IMAGES], report))
    cases = [
        _seconds(lambda image=image: explain_case(adapted, image, 0, report))  # type: ignore[misc]
        for image in images[1 : 1 + rounds]
    ]
    view = open_tower(adapted.model)
    watch_s, heads_s, heads = None, None, 0
    if view is not None:
        start = time.perf_counter()
        found = gather_heads(adapted.model, view, images, report)
        watch_s = time.perf_counter() - start
        heads = len(list(read_heads(view, found, corpus, report)))  # once before it counts
        heads_s = statistics.median(
            _seconds(lambda: list(read_heads(view, found, corpus, report))) for _ in range(rounds)
        )
    return ExplainTimes(
        backbone=name,
        threads=torch.get_num_threads(),
        rounds=rounds,
        basis_s=basis_s,
        lone_case_s=lone_case_s,
        case_s=statistics.median(cases),
        run_s=run_s,
        run_images=RUN_IMAGES,
        corpus_s=corpus_s,
        phrases=len(corpus.phrases),
        watch_s=watch_s,
        heads_s=heads_s,
        heads=heads,
        head_images=HEAD_IMAGES,
    )


def _moved(warm: WarmBackbone, report: Report) -> AdaptedModel:
    basis = warm.basis(report)
    # Never the same twice: the first case has to find nothing embedded already.
    generator = np.random.default_rng()
    sigmas = {}
    for name, matrix in basis.matrices.items():
        base = matrix.s0.numpy()
        sigmas[name] = (base * (1 + _MOVED * generator.standard_normal(base.shape))).astype(np.float32)
    classes = class_from_name("round mass"), class_from_name("ragged mass")
    return AdaptedModel(warm.backbone, basis, sigmas, classes)


def _embedded(adapted: AdaptedModel, report: Report) -> tuple[EmbeddedCorpus, float]:
    phrases = [phrase for phrase in load_corpus().phrases if not phrase.is_control]
    start = time.perf_counter()
    found = embed_corpus(adapted, phrases, MODALITIES, report, lasting=False)
    seconds = (time.perf_counter() - start) * PHRASES / len(found.phrases)
    return EmbeddedCorpus(found.phrases[:PHRASES], found.centred[:PHRASES]), seconds


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
