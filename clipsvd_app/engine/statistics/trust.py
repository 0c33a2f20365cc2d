"""When a prediction can be relied on: calibration, prediction sets and flags, for all images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from clipsvd_app.domain.results.cases import NEARLY_AS_LIKELY
from clipsvd_app.engine.statistics.abstention import coverage_risk
from clipsvd_app.engine.statistics.calibration import apply_temperature, calibrate
from clipsvd_app.engine.statistics.conformal import conformal_sets, members_of
from clipsvd_app.engine.statistics.metrics import Floats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.domain.results.evaluation import Evaluation
    from clipsvd_app.domain.results.run import Doubt


@dataclass(frozen=True, slots=True)
class Judged:
    """One image's calibrated probabilities (classes,) and conformal set, None where there is none."""

    probabilities: Floats
    members: tuple[int, ...] | None

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """Return the reasons for doubt in the prediction itself."""
        found: list[Doubt] = []
        if self.members is not None and len(self.members) != 1:
            found.append("set_not_single")
        second, first = np.sort(self.probabilities)[-2:]
        if first - second < NEARLY_AS_LIKELY:
            found.append("nearly_as_likely")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Trust:
    """What evaluated images show for all others: a temperature, and a threshold where one is valid.

    ``judged`` are the evaluated images by position, each with a set calibrated on other patients.
    """

    temperature: float
    threshold: float | None
    judged: Mapping[int, Judged]

    def judge(self, probabilities: Floats, *, trained: bool) -> Judged:
        """Judge the probabilities (classes,) of an image that was not evaluated.

        An image that the model was trained on gets no set, because the guarantee does not hold for it.
        """
        scaled = apply_temperature(probabilities[None], self.temperature)[0]
        if self.threshold is None or trained:
            return Judged(scaled, None)
        return Judged(scaled, _members(members_of(probabilities[None], self.threshold)[0]))


def learn_trust(
    evaluation: Evaluation,
    probabilities: Mapping[int, Floats],
    labels: Sequence[int],
    patient_ids: Sequence[str],
) -> tuple[Evaluation, Trust | None]:
    """Fill in calibration, sets and abstention from evaluated images; nothing without an estimate.

    probabilities: by position, in the order of labels and patients.
    """
    if evaluation.kind == "none":
        return evaluation, None
    truth, rows = np.asarray(labels, dtype=np.int64), np.stack(list(probabilities.values()))
    calibrated = calibrate(rows, truth, patient_ids)
    conformal = conformal_sets(rows, truth, patient_ids, kept_fit=evaluation.kind != "cross_validated")
    shown = apply_temperature(rows, calibrated.summary.temperature)
    judged = {
        position: Judged(shown[row], None if conformal is None else _members(conformal.members[row]))
        for row, position in enumerate(probabilities)
    }
    filled = replace(
        evaluation,
        calibration=calibrated.summary,
        conformal=None if conformal is None else conformal.summary,
        abstention=coverage_risk(calibrated.probabilities, truth),
    )
    threshold = None if conformal is None else conformal.summary.threshold
    return filled, Trust(calibrated.summary.temperature, threshold, judged)


def _members(row: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[int, ...]:
    return tuple(int(index) for index in np.flatnonzero(row))
