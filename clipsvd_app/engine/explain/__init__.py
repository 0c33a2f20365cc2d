"""Why the model answers as it does: corpus, concepts, directions, occlusion, and their controls."""

from clipsvd_app.engine.explain.case import explain_case, run_explain
from clipsvd_app.engine.explain.class_words import UnseenReader
from clipsvd_app.engine.explain.run import explain_run
from clipsvd_app.engine.jobs.explain_run import run_explain_run

__all__ = ["UnseenReader", "explain_case", "explain_run", "run_explain", "run_explain_run"]
