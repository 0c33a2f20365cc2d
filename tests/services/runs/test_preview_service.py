"""When a preview is asked for."""

from __future__ import annotations

import pytest
from support.project_images import project_image

from clipsvd_app.domain.project_values import ProjectClass
from clipsvd_app.jobs.folders import read_request
from clipsvd_app.jobs.requests import BackboneRef
from clipsvd_app.services.files.job_folders import forget_job
from clipsvd_app.services.runs.preview import prepare_preview

BASE = BackboneRef("none", "none")
CLASSES = tuple(ProjectClass(7 + place, name, (name,), place) for place, name in enumerate(("one", "two")))
IMAGES = (project_image(1, class_id=7), project_image(2))


@pytest.mark.parametrize("classes", [0, 1])
def test_fewer_than_two_classes_are_previewed_only_for_a_text(classes):
    assert prepare_preview(CLASSES[:classes], IMAGES[1:], BASE) is None
    assert prepare_preview(CLASSES[:classes], IMAGES[1:], BASE, "  ") is None
    folder = prepare_preview(CLASSES[:classes], IMAGES[1:], BASE, "a nodule")
    assert folder is not None
    assert (read_request(folder).query, len(read_request(folder).classes)) == ("a nodule", classes)
    forget_job(folder)


def test_two_classes_and_an_image_are_enough_and_no_image_never_is():
    assert prepare_preview(CLASSES, (), BASE, "a nodule") is None
    folder = prepare_preview(CLASSES, IMAGES, BASE)
    assert folder is not None
    assert [image.label for image in read_request(folder).images] == [0, None]
    forget_job(folder)
