"""The few-shot benchmark on any labelled folder: the same draws for every method, one record for each."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clipsvd_app.domain.classes import ClassSpec, class_from_name, clean_name
from clipsvd_app.domain.recipe import recipe_for
from clipsvd_app.engine.backbone.prompt_check import require_readable
from clipsvd_app.engine.baselines.methods import MethodOutput
from clipsvd_app.engine.data.splits import Split, check_classes, draw_shots
from clipsvd_app.engine.fewshot.images import (
    BenchImages,
    folder_rules,
    read_bench_images,
    require_data_set,
)
from clipsvd_app.engine.fitting.adapt import adapt, adapted_model
from clipsvd_app.engine.fitting.learner import Learner
from clipsvd_app.engine.sigma.warm import WarmBackbones
from clipsvd_app.engine.statistics import metrics
from clipsvd_app.engine.training.estimate import method_outputs, plain_output
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clipsvd_app.domain.recipe import DeviceName
    from clipsvd_app.engine.sigma.trained import TrainedSigma
    from clipsvd_app.engine.training.labelled_images import LabelledImages
    from clipsvd_app.jobs.lines import Report
    from clipsvd_app.jobs.requests import BackboneRef


@dataclass(frozen=True, slots=True)
class BenchSource:
    """The images of a data set that are used, how to find their patients, and the class names."""

    root: Path
    group_regex: str | None
    include_regex: str | None
    splits: tuple[str, ...]
    prompts: Path | None
    class_names: tuple[str, ...]


def open_bench(
    source: BenchSource, backbone: BackboneRef, preset: str, report: Report, device: DeviceName = "auto"
) -> tuple[BenchImages, Learner]:
    """Read all images and frozen features once, and return them with what all fits share."""
    require_data_set(source.root)
    rules, recipe = folder_rules(source.group_regex, source.include_regex), recipe_for(preset)
    warm = WarmBackbones().get(backbone, device, report)
    data = read_bench_images(source.root, rules, source.splits, source.class_names, warm, report)
    check_classes(data.images.labels(range(len(data.images.inputs))), data.class_names)
    classes = _classes(data, source.prompts)
    require_readable(warm.backbone.tokenizer, classes)
    return data, Learner(warm.backbone, warm.basis(report), classes, recipe)


def few_shot_records(
    root: Path,
    shots: Sequence[int],
    seeds: int,
    backbone: BackboneRef,
    group_regex: str | None,
    include_regex: str | None,
    splits: Sequence[str],
    prompts: Path | None,
    preset: str,
    report: Report,
    device: DeviceName = "auto",
    class_names: Sequence[str] = (),
    most_tested: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield one record for each number of shots, seed and method.

    K images of every class are for training and all others for testing, except those of patients with a
    training image; of these ``most_tested``, drawn by the seed, if there are more. Images and frozen features
    are read once.
    """
    source = BenchSource(root, group_regex, include_regex, tuple(splits), prompts, tuple(class_names))
    data, learner = open_bench(source, backbone, preset, report, device)
    everyone = range(len(data.images.inputs))
    labels, patient_ids = data.images.labels(everyone), data.images.patient_ids(everyone)
    for count in shots:
        for seed in range(seeds):
            split = at_most(draw_shots(labels, patient_ids, count, seed), most_tested, seed)
            stage = f"{count} shots, seed {seed}: "
            trained = adapt(learner, data.images.examples(split.train, report), seed, report, stage)
            adapted = adapted_model(learner, trained)
            labelled = data.images.with_classes(learner.classes, seed)
            others = labelled.frozen_outputs(split)
            others |= plain_output(labelled, learner, split, report, stage)
            outputs = method_outputs(labelled, split, others, trained, adapted, report)
            for method, output in (*outputs.items(), *_start(labelled, split, trained)):
                yield {
                    "dataset": data.name,
                    "backbone": backbone.name,
                    "shots": count,
                    "seed": seed,
                    "method": method,
                    "share": trained.share,
                    **_figures(data, split, output),
                }


def at_most(split: Split, most: int | None, seed: int) -> Split:
    """Return the split with at most so many of its test images, drawn by the seed; None keeps all."""
    if most is None or len(split.test) <= most:
        return split
    drawn = np.random.default_rng(seed).permutation(len(split.test))[:most]
    return Split(split.train, tuple(split.test[place] for place in np.sort(drawn)))


def _start(images: LabelledImages, split: Split, trained: TrainedSigma) -> Iterator[tuple[str, MethodOutput]]:
    """Yield what training started from: the class head on the frozen features, where there is one."""
    head = trained.head
    if head is None:
        return
    vectors = images.texts.astype(np.float64) + head.offsets
    features = images.features[list(split.test)].astype(np.float64)
    logits = images.backbone.logit_scale * features @ vectors.T + head.bias
    yield "start", MethodOutput(metrics.softmax(logits / trained.temperature), head.parameters, 0.0)


def _figures(data: BenchImages, split: Split, output: MethodOutput) -> dict[str, Any]:
    truth = np.asarray(data.images.labels(split.test), dtype=np.int64)
    confusion = metrics.confusion_matrix(truth, output.probabilities.argmax(axis=1), len(data.class_names))
    return {
        "balanced_accuracy": metrics.balanced_accuracy(confusion),
        "auroc": metrics.macro_auroc(truth, output.probabilities),
        "log_loss": metrics.negative_log_likelihood(truth, output.probabilities),
        "accuracy": float(np.trace(confusion) / len(truth)),
        "test_images": len(truth),
        "test_patients": len(set(data.images.patient_ids(split.test))),
        "seconds": output.seconds,
        "trainable_parameters": output.trainable_parameters,
    }


def _classes(data: BenchImages, prompts: Path | None) -> tuple[ClassSpec, ...]:
    """Return the classes with the prompts of the table, or the class name in general templates."""
    table = {} if prompts is None else _read_prompts(prompts, data.class_names)
    return tuple(
        ClassSpec(name, tuple(table[name])) if name in table else class_from_name(name)
        for name in data.class_names
    )


def _read_prompts(table: Path, names: Sequence[str]) -> dict[str, list[str]]:
    """Read lines of class and prompt; a class may have many lines, a heading is skipped."""
    try:
        with table.open(encoding="utf-8", newline="") as stream:
            rows = [row for row in csv.reader(stream) if len(row) >= 2]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            f"“{table.name}” cannot be read as a table of prompts.",
            remedy="Choose a CSV file with the columns class and prompt.",
            code="bad_prompts",
        ) from error
    found: dict[str, list[str]] = {}
    for row in rows:
        if (row[0].strip(), row[1].strip()) != ("class", "prompt"):
            found.setdefault(clean_name(row[0]), []).append(row[1].strip())
    if unknown := sorted(set(found) - set(names)):
        raise UserError(
            f"The table of prompts contains “{unknown[0]}”, which is not a class of the data set.",
            remedy=f"Its classes are {', '.join(names)}.",
            code="bad_prompts",
        )
    return found
