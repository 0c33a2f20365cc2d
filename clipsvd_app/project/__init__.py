"""The project file: studies, labels and runs in one SQLite database that never loses a label."""

from clipsvd_app.project.project import (
    SUFFIX,
    Project,
    Remark,
    create_project,
    draft_project,
    glance_at,
    open_project,
)

__all__ = [
    "SUFFIX",
    "Project",
    "Remark",
    "create_project",
    "draft_project",
    "glance_at",
    "open_project",
]
