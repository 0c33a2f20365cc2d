"""Where there is nothing to learn, nothing is shown."""

from __future__ import annotations

import numpy as np

from clipsvd_app.engine.baselines.methods import FROZEN_METHODS, MethodOutput
from clipsvd_app.engine.baselines.task import BaselineTask
from clipsvd_app.engine.data.splits import folds_by_patient
from clipsvd_app.engine.training.evaluate import evaluate

CLASSES, EACH, WIDTH, DRAWS = 3, 16, 12, 20


def verdict(seed: int) -> str:
    """Cross-validate Gaussians in CLIP-SVD's place, on labels dealt at random."""
    generator = np.random.default_rng(seed)
    truth = generator.permutation(np.repeat(np.arange(CLASSES), EACH))
    rows = generator.normal(size=(len(truth), WIDTH))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    patient_ids = [str(place) for place in range(len(truth))]
    task = BaselineTask(rows, tuple(truth.tolist()), tuple(patient_ids), rows[:CLASSES], 10.0, seed)
    found = {"zero_shot": np.zeros((len(truth), CLASSES)), "clip_svd": np.zeros((len(truth), CLASSES))}
    for split in folds_by_patient(truth.tolist(), patient_ids, 3, seed):
        train, test = task.subset(split.train), list(split.test)
        found["zero_shot"][test] = FROZEN_METHODS["zero_shot"](train).probabilities(rows[test])
        found["clip_svd"][test] = FROZEN_METHODS["gda"](train).probabilities(rows[test])
    outputs = {method: MethodOutput(answers, 0, 0.0) for method, answers in found.items()}
    return evaluate([outputs], truth.tolist(), patient_ids, ["a", "b", "c"], "cross_validated", 3).verdict


def test_shuffled_labels_hardly_ever_show_that_adaptation_helped():
    verdicts = [verdict(seed) for seed in range(DRAWS)]
    assert verdicts.count("helped") <= 1
    assert verdicts.count("not_shown") >= 17
