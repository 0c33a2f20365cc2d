"""Labels that the user reviewed and kept although the model disagrees."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.project import Project

_SETTING = "kept_labels"


def kept_labels(project: Project) -> frozenset[int]:
    """Return the images whose present label was confirmed; a label changed since is doubted again."""
    kept = _stored(project)
    return frozenset(
        image.id
        for image in project.images([int(image_id) for image_id in kept])
        if image.class_id == kept[str(image.id)]
    )


def keep_label(project: Project, image: ProjectImage) -> None:
    """Remember that an image's label was reviewed and is intended."""
    assert image.class_id is not None
    project.set_setting(_SETTING, json.dumps(_stored(project) | {str(image.id): image.class_id}))


def _stored(project: Project) -> dict[str, int]:
    """Return class by image, both as the project numbers them."""
    found: dict[str, int] = json.loads(project.setting(_SETTING, "{}"))
    return found
