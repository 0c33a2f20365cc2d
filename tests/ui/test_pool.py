"""The orders of the pool, from what is known of it."""

from __future__ import annotations

from support.project_images import project_image

from clipsvd_app.jobs import PoolItem, PreviewResult
from clipsvd_app.ui.controllers.pool import strip_state

IMAGES = tuple(project_image(number) for number in (1, 2, 3))


def preview(probabilities: tuple[float, ...], likeness: tuple[float | None, ...]) -> PreviewResult:
    items = tuple(
        PoolItem(image.id, probabilities, 0.5, like, (3, 1)[:1])
        for image, like in zip(IMAGES, likeness, strict=True)
    )
    return PreviewResult(items, None, (), "")


def test_a_search_without_two_classes_orders_the_pool_and_predicts_nothing():
    state = strip_state(IMAGES, {}, preview((), (0.1, 0.3, 0.2)), "suggested", None, "a nodule")
    assert [item.image_id for item in state.items] == [2, 3, 1]
    assert state.orders == ("text", "name")
    assert {item.predicted for item in state.items} == {None}


def test_images_alike_can_be_asked_for_during_a_search():
    state = strip_state(IMAGES, {}, preview((), (0.1, 0.3, 0.2)), "similar", 2, "a nodule")
    assert state.orders == ("text", "similar", "name")
    assert [item.image_id for item in state.items][:2] == [2, 3]


def test_with_two_classes_every_order_can_be_had():
    state = strip_state(IMAGES, {}, preview((0.2, 0.8), (0.1, 0.3, 0.2)), "text", 1, "a nodule")
    assert state.orders == ("suggested", "similar", "text", "disagree", "name")
    assert {item.predicted for item in state.items} == {1}


def test_without_a_preview_there_is_only_the_name():
    assert strip_state(IMAGES, {}, None, "text", 1, "").orders == ("name",)
