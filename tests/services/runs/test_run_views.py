"""Facts about what a run saw of images that were changed since."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from support.project_images import project_image

from clipsvd_app.domain.view import Crop, Window
from clipsvd_app.services.files.job_folders import image_input
from clipsvd_app.services.runs.run_views import views_kept, views_of_run

WINDOW, CROP = Window(40.0, 400.0), Crop(0.25, 0.25, 0.5, 0.5)


def run_of(images, *, kept=True):
    """Return a project whose run 1 was given these images."""
    views = {"views": views_kept([image_input(image, None) for image in images])} if kept else {}
    predictions = [SimpleNamespace(image_id=image.id) for image in images]
    return SimpleNamespace(
        run_request=lambda _number: {"labels": {}, **views},
        run_result=lambda _number: SimpleNamespace(predictions=predictions),
    )


def test_a_run_remembers_windows_and_regions_that_were_changed_since():
    first, second = replace(project_image(1), window=WINDOW), replace(project_image(2), crop=CROP)
    views = views_of_run(run_of([first, second]), 1)
    assert views.seen(project_image(1)).window == WINDOW
    assert views.seen(project_image(2)).crop == CROP


def test_a_window_chosen_after_the_run_was_not_what_it_saw():
    views = views_of_run(run_of([project_image(1)]), 1)
    assert views.seen(replace(project_image(1), window=WINDOW)).window is None


def test_images_that_came_later_and_older_runs_are_shown_as_they_are_now():
    later = replace(project_image(9), window=WINDOW)
    assert views_of_run(run_of([project_image(1)]), 1).seen(later) == later
    assert views_of_run(run_of([later], kept=False), 1).seen(later) == later


def test_only_images_with_a_view_of_their_own_take_room():
    plain, changed = project_image(1), replace(project_image(2), crop=CROP)
    assert set(views_kept([image_input(image, None) for image in (plain, changed)])) == {"2"}
