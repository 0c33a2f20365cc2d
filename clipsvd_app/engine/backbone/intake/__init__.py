"""Taking in a model as people have it: found, read safely, checked, and written as a complete folder."""

from clipsvd_app.engine.jobs.add_backbone import run_add

__all__ = ["run_add"]
