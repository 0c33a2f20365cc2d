"""Do our verdicts hold? Estimates from a few images against all the images that were left out of them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import structs

from clipsvd_app import __version__
from clipsvd_app.domain.results.evaluation import detectable, gain_of
from clipsvd_app.domain.words.evaluation import no_estimate_text, verdict_sentence
from clipsvd_app.engine.baselines.inner_folds import score
from clipsvd_app.engine.data.splits import draw_shots
from clipsvd_app.engine.fewshot.benchmark import BenchSource, open_bench
from clipsvd_app.engine.fitting.adapt import adapt, adapted_model
from clipsvd_app.engine.fitting.lower_cache import LowerCache
from clipsvd_app.engine.training.estimate import (
    cross_validated,
    cross_validation_rounds,
    fit_baselines,
    method_outputs,
    plain_output,
)
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.requests import BackboneRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clipsvd_app.domain.results.evaluation import Evaluation
    from clipsvd_app.domain.results.run import StepMetrics
    from clipsvd_app.engine.data.splits import Split
    from clipsvd_app.engine.fewshot.images import BenchImages
    from clipsvd_app.engine.fitting.learner import Learner
    from clipsvd_app.engine.training.labelled_images import LabelledImages
    from clipsvd_app.jobs.lines import Report


@dataclass(frozen=True, slots=True)
class VerdictBench:
    """Draws of ``shots`` images of every class, for seeds from 0; ``lines`` keeps what is done."""

    source: BenchSource
    backbone: BackboneRef
    preset: str
    shots: int
    seeds: int
    lines: Path


def verdict_records(bench: VerdictBench, report: Report) -> Iterator[dict[str, Any]]:
    """Yield a record for every seed with true and with shuffled labels; those on file are not made again."""
    done = _stored(bench)
    yield from done.values()
    wanted = [(seed, shuffled) for seed in range(bench.seeds) for shuffled in (False, True)]
    if set(wanted) <= set(done):
        return
    data, learner = open_bench(bench.source, bench.backbone, bench.preset, report)
    labels, patient_ids = _columns(data.images)
    for seed in range(bench.seeds):
        split = draw_shots(labels, patient_ids, bench.shots, seed)
        # Each draw has pictures of its own: kept activations of earlier ones would only fill the memory.
        fresh = replace(learner, lower=LowerCache())
        for shuffled in (False, True):
            if (seed, shuffled) in done:
                continue
            opening = f"Seed {seed + 1} of {bench.seeds}, {'shuffled' if shuffled else 'true'} labels: "
            facts = _measured(data, fresh, split, seed, shuffled=shuffled, report=_staged(report, opening))
            record = {**_key(bench, seed, shuffled=shuffled), "dataset": data.name, **facts}
            _keep(bench.lines, record)
            yield record


def _measured(
    data: BenchImages, learner: Learner, split: Split, seed: int, *, shuffled: bool, report: Report
) -> dict[str, Any]:
    start = time.monotonic()
    images = _shuffled(data.images, split.train, seed) if shuffled else data.images
    labelled = images.with_classes(learner.classes, seed)
    rounds = cross_validation_rounds(labelled, split.train, learner.recipe)
    baselines = fit_baselines(labelled, rounds, report)
    evaluation = cross_validated(labelled, learner, rounds, baselines, report).evaluation
    found = _estimated(evaluation)
    if not shuffled and evaluation.kind != "none":
        found |= _remaining(images, learner, split, seed, report)
        low, high = found["interval"]
        found["held"] = low <= found["remaining_balanced_accuracy"] <= high
    return {**found, "seconds": time.monotonic() - start}


def _estimated(evaluation: Evaluation) -> dict[str, Any]:
    """Return what the page would show, from the drawn images only."""
    if evaluation.kind == "none":
        return {
            "verdict": evaluation.verdict,
            "sentence": no_estimate_text(evaluation),
            "interval": [0.0, 1.0],
        }
    values = {score.method: score for score in evaluation.methods}
    adapted, gain = values["clip_svd"], gain_of(evaluation.differences)
    return {
        "verdict": evaluation.verdict,
        "sentence": verdict_sentence(evaluation),
        "recommended": evaluation.recommended,
        "balanced_accuracy": adapted.balanced_accuracy,
        "interval": [adapted.interval.low, adapted.interval.high],
        "zero_shot_balanced_accuracy": values["zero_shot"].balanced_accuracy,
        "gain": gain.value,
        "gain_interval": [gain.interval.low, gain.interval.high],
        "detectable": detectable(gain.interval),
        "images": evaluation.images,
        "patients": evaluation.patients,
        "folds": evaluation.folds,
    }


def _remaining(
    images: LabelledImages, learner: Learner, split: Split, seed: int, report: Report
) -> dict[str, Any]:
    """Return how the model trained on all drawn images does on all others."""
    trained = adapt(learner, images.examples(split.train, report), seed, report)
    adapted = adapted_model(learner, trained)
    labelled = images.with_classes(learner.classes, seed)
    others = labelled.frozen_outputs(split) | plain_output(labelled, learner, split, report)
    outputs = method_outputs(labelled, split, others, trained, adapted, report)
    truth = np.asarray(images.labels(split.test), dtype=np.int64)
    right = {method: score(truth, output.probabilities)[0] for method, output in outputs.items()}
    return {
        "remaining_images": len(truth),
        "remaining_balanced_accuracy": right["clip_svd"],
        "remaining_gain": right["clip_svd"] - right["zero_shot"],
        "remaining_by_method": right,
    }


def _shuffled(images: LabelledImages, positions: Sequence[int], seed: int) -> LabelledImages:
    """Return the images with the labels of ``positions`` dealt again among them."""
    inputs, labels = list(images.inputs), images.labels(positions)
    dealt = np.random.default_rng(seed).permutation(labels).tolist()
    for position, label in zip(positions, dealt, strict=True):
        inputs[position] = structs.replace(inputs[position], label=label)
    return replace(images, inputs=tuple(inputs))


def _columns(images: LabelledImages) -> tuple[tuple[int, ...], tuple[str, ...]]:
    everyone = range(len(images.inputs))
    return images.labels(everyone), images.patient_ids(everyone)


def _key(bench: VerdictBench, seed: int, *, shuffled: bool) -> dict[str, Any]:
    return {
        "backbone": bench.backbone.name,
        "backbone_sha256": bench.backbone.sha256,
        "version": __version__,
        "preset": bench.preset,
        "shots": bench.shots,
        "seed": seed,
        "shuffled": shuffled,
    }


def _stored(bench: VerdictBench) -> dict[tuple[int, bool], dict[str, Any]]:
    """Read the records of this very benchmark; a line that was cut off is made again."""
    if not bench.lines.is_file():
        return {}
    found = {}
    for number, line in enumerate(bench.lines.read_text(encoding="utf-8", errors="replace").splitlines()):
        try:
            record = json.loads(line)
            seed, shuffled = int(record["seed"]), bool(record["shuffled"])
        except (ValueError, TypeError, KeyError) as error:
            cut_off = isinstance(error, json.JSONDecodeError) and line.startswith("{")
            if number == 0 and not cut_off:
                raise UserError(
                    f"“{bench.lines.name}” does not contain records of this benchmark.",
                    remedy="Choose a new file.",
                    code="exists_already",
                ) from error
            continue
        if seed < bench.seeds and _key(bench, seed, shuffled=shuffled).items() <= record.items():
            found[seed, shuffled] = record
    return found


def _keep(lines: Path, record: dict[str, Any]) -> None:
    """Add a line; what was cut off before it stays a line of its own."""
    with lines.open("a+", encoding="utf-8") as stream:
        stream.seek(0)
        stream.write("" if (before := stream.read()) == "" or before.endswith("\n") else "\n")
        stream.write(json.dumps(record) + "\n")


def _staged(report: Report, opening: str) -> Report:
    def staged(stage: str, done: int, total: int, metrics: StepMetrics | None = None) -> None:
        report(opening + stage, done, total, metrics)

    return staged
