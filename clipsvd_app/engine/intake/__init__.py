"""Taking in a model as people have it: found, read safely, checked, and written as a complete folder."""

from clipsvd_app.engine.intake.run import run_add

__all__ = ["run_add"]
