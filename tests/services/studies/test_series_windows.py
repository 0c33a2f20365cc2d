"""Facts about the window that a series of the project shares, from import to jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import SimpleITK

from clipsvd_app.jobs.folders import read_request
from clipsvd_app.jobs.requests import BackboneRef, PredictRequest
from clipsvd_app.project.changes import RemoveImages
from clipsvd_app.services.adapters import application
from clipsvd_app.services.files.job_folders import image_input
from clipsvd_app.services.runs.run_views import RunViews, views_kept
from clipsvd_app.services.studies.import_plan import apply_import, plan_import
from clipsvd_app.ui.session.image_cache import as_model_sees

if TYPE_CHECKING:
    from pathlib import Path

HOT = 2


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """Four slices of noise, one of them with a bright half."""
    voxels = np.random.default_rng(3).integers(0, 30, (4, 12, 12)).astype(np.int16)
    voxels[HOT, :6] = 3000
    path = tmp_path / "in" / "v.nii.gz"
    path.parent.mkdir()
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(voxels), str(path))
    return path


def test_an_added_series_has_one_window_on_screen_and_in_training(project, volume: Path) -> None:
    project.apply(apply_import(project, plan_import(project, [volume])))
    images = project.images()
    (shared,) = {image.series_window for image in images}
    assert shared is not None
    greys = [as_model_sees(image).mean() for image in images]
    assert max(grey for number, grey in enumerate(greys) if number != HOT) < 5
    assert greys[HOT] > 100
    assert image_input(images[0], None).series_window == shared


def test_taking_the_import_back_and_doing_it_again_keeps_the_window(project, volume: Path) -> None:
    change = apply_import(project, plan_import(project, [volume]))
    back = project.apply(change)
    window = project.images()[0].series_window
    again = project.apply(back)
    assert project.images() == ()
    project.apply(again)
    assert project.images()[0].series_window == window


def test_images_taken_out_and_brought_back_keep_the_window(project, volume: Path) -> None:
    project.apply(apply_import(project, plan_import(project, [volume])))
    before = project.images()
    project.apply(project.apply(RemoveImages(tuple(image.id for image in before))))
    assert project.images() == before


def test_a_run_keeps_the_window_that_it_saw(project, volume: Path) -> None:
    project.apply(apply_import(project, plan_import(project, [volume])))
    image = project.images()[0]
    kept = views_kept([image_input(image, None)])
    changed = project.images()[1]
    views = RunViews(frozenset({image.id}), kept)
    assert views.seen(image) == image
    assert views.seen(changed) == changed


def test_new_files_are_predicted_in_the_window_of_their_series(volume: Path, tmp_path: Path) -> None:
    files = application.list_files([volume])
    (shared,) = {file.series_window for file in files}
    assert shared is not None
    adapter = tmp_path / "a.sigma.safetensors"
    adapter.write_bytes(b"")
    folder = application.prepare_predict(adapter, BackboneRef("demo", "."), files)
    request = read_request(folder)
    assert isinstance(request, PredictRequest)
    assert {image.series_window for image in request.images} == {shared}
