"""One figure of each kind, from made results."""

from __future__ import annotations

from support.made_evaluation import made_run
from support.made_explanation import CLASSES, DIRECTIONS, HEADS, MATRICES, NAMES, WORDS, attribution, case_map

from clipsvd_app.domain.results.contributions import change_steps
from clipsvd_app.domain.results.curves import roc_pairs
from clipsvd_app.domain.results.run import StepMetrics
from clipsvd_app.figures.case_map import MapDot, case_map_figure
from clipsvd_app.figures.confusion import confusion_figure
from clipsvd_app.figures.deletion import deletion_figure
from clipsvd_app.figures.directions import directions_figure
from clipsvd_app.figures.learning import learning_figure, training_figure
from clipsvd_app.figures.methods import methods_figure
from clipsvd_app.figures.phrases import class_phrases_figure, concepts_figure, head_phrases_figure
from clipsvd_app.figures.probabilities import probabilities_figure
from clipsvd_app.figures.reliability import reliability_figure
from clipsvd_app.figures.risk import risk_figure
from clipsvd_app.figures.roc import roc_figure
from clipsvd_app.figures.towers import heads_figure, matrices_figure
from clipsvd_app.figures.waterfall import waterfall_figure

RUN = made_run()
EVALUATION = RUN.evaluation
PAIRS = roc_pairs(RUN.predictions, 3)
COUNTS = ((9, 1), (3, 7))
STEPS = tuple(StepMetrics(step, 1 / step, min(1.0, step / 10), 0.04) for step in range(1, 9))
DOTS = (
    MapDot(1, 0.0, 0.0, 0, "one"),
    MapDot(2, 1.0, 0.0, 1, "two", wrong=True),
    MapDot(3, 0.0, 1.0, None, "three"),
    MapDot(4, 1.0, 1.0, 2, "four", training=True),
)
FIGURES = {
    "roc": roc_figure(RUN.class_names, PAIRS),
    "reliability": reliability_figure(EVALUATION.calibration.bins),
    "risk": risk_figure(EVALUATION.abstention),
    "learning": learning_figure(EVALUATION.learning_curve.points, 3),
    "training": training_figure(STEPS, 10),
    "confusion": confusion_figure(NAMES, COUNTS, opens=True),
    "methods": methods_figure(EVALUATION.methods),
    "matrices": matrices_figure(MATRICES),
    "heads": heads_figure(HEADS, told=True),
    "directions": directions_figure(DIRECTIONS, MATRICES),
    "deletion": deletion_figure(case_map()),
    "waterfall": waterfall_figure(change_steps(attribution(), "layer"), *NAMES),
    "case map": case_map_figure(RUN.class_names, DOTS),
    "class phrases": class_phrases_figure(CLASSES[1], NAMES[1]),
    "head phrases": head_phrases_figure(HEADS[0], told=True),
    "concepts": concepts_figure(WORDS),
    "probabilities": probabilities_figure(NAMES, (0.25, 0.75), (0.6, 0.4), 1),
}
EMPTY = {
    "roc": roc_figure((), ()),
    "reliability": reliability_figure(()),
    "risk": risk_figure(()),
    "learning": learning_figure((), 0),
    "training": training_figure((), 0),
    "confusion": confusion_figure((), ()),
    "methods": methods_figure(()),
    "matrices": matrices_figure(()),
    "heads": heads_figure((), told=True),
    "directions": directions_figure((), ()),
    "deletion": deletion_figure(None),
    "waterfall": waterfall_figure((), "", ""),
    "case map": case_map_figure((), ()),
    "class phrases": class_phrases_figure(None),
    "head phrases": head_phrases_figure(None, told=True),
    "concepts": concepts_figure(()),
    "probabilities": probabilities_figure((), (), ()),
}
