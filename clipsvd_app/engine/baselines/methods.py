"""The baselines of CLIP-SVD: one entry for each method, all fitted on the same images."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from clipsvd_app.engine.baselines.gda import fit_gda
from clipsvd_app.engine.baselines.linear_probe import fit_linear_probe
from clipsvd_app.engine.baselines.task import BaselineTask
from clipsvd_app.engine.baselines.text_probe import fit_text_probe
from clipsvd_app.engine.baselines.tip_adapter import fit_tip_adapter
from clipsvd_app.engine.statistics.metrics import Floats, softmax

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from clipsvd_app.adapter_file.document import LayerMethod
    from clipsvd_app.domain.results.evaluation import MethodName
    from clipsvd_app.engine.baselines.linear_probe import LinearProbe
    from clipsvd_app.engine.baselines.task import Fitted, Linear
    from clipsvd_app.engine.baselines.text_probe import TextProbe
    from clipsvd_app.engine.data.features import Features


@dataclass(frozen=True, slots=True)
class MethodOutput:
    """Probabilities (images, classes) of one method on the evaluated images, and what it cost."""

    probabilities: Floats
    trainable_parameters: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ZeroShot:
    """The unadapted model; only the texts and the scale of the task are used."""

    task: BaselineTask
    trainable_parameters: int = 0

    @property
    def layer(self) -> tuple[Floats, Floats]:
        """Return weights (classes, width) and offsets (classes,): the scaled texts, and none."""
        return self.task.scale * self.task.texts.astype(np.float64), np.zeros(self.task.classes)

    def probabilities(self, features: Features) -> Floats:
        """Return (images, classes)."""
        return softmax(self.task.zero_shot_logits(features))


def _text_probe(task: BaselineTask) -> TextProbe:
    return fit_text_probe(task.features, task.labels, task.texts, task.scale)


def _linear_probe(task: BaselineTask) -> LinearProbe:
    return fit_linear_probe(task.features, task.labels, task.patient_ids, task.classes, task.seed)


LINEAR_METHODS: dict[LayerMethod, Callable[[BaselineTask], Linear]] = {
    "zero_shot": ZeroShot,
    "text_probe": _text_probe,
    "linear_probe": _linear_probe,
    "gda": fit_gda,
}
"""The methods that are one linear layer, so that they can be exported without any image."""

FROZEN_METHODS: dict[MethodName, Callable[[BaselineTask], Fitted]] = {
    "zero_shot": ZeroShot,
    "text_probe": _text_probe,
    "linear_probe": _linear_probe,
    "tip_adapter": fit_tip_adapter,
    "gda": fit_gda,
}


def frozen_outputs(task: BaselineTask, features: Features) -> dict[MethodName, MethodOutput]:
    """Return each method's output for images (images, width) after fitting it on the task."""
    with small_products():
        return {method: _output(fit, task, features) for method, fit in FROZEN_METHODS.items()}


def small_products() -> AbstractContextManager[object]:
    """Keep small matrices on one thread: beside a busy process, two threads wait for each other."""
    one: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return one


def _output(fit: Callable[[BaselineTask], Fitted], task: BaselineTask, features: Features) -> MethodOutput:
    start = time.monotonic()
    fitted = fit(task)
    seconds = time.monotonic() - start
    return MethodOutput(fitted.probabilities(features), fitted.trainable_parameters, seconds)
