"""The orders of the pool, from what is known of it, and that only the user changes them."""

from __future__ import annotations

from dataclasses import replace

from support.project_images import project_image

from clipsvd_app.jobs.answers import PoolItem, PreviewResult
from clipsvd_app.ui.label.strip.pool import PoolOrder, next_to_label, orders_of, strip_state

IMAGES = tuple(project_image(number) for number in (1, 2, 3))


def preview(
    probabilities: tuple[float, ...],
    likeness: tuple[float | None, ...] = (None, None, None),
    suggested: tuple[int, ...] = (),
) -> PreviewResult:
    items = tuple(
        PoolItem(image.id, probabilities, 0.5, like, (3, 1)[:1])
        for image, like in zip(IMAGES, likeness, strict=True)
    )
    return PreviewResult(items, None, suggested, "")


def ranked(order, found, reference=None) -> PoolOrder:
    return PoolOrder(order, (), reference, found).ranked_anew(IMAGES, {})


def test_a_search_without_two_classes_orders_the_pool_and_predicts_nothing():
    found = preview((), (0.1, 0.3, 0.2))
    assert orders_of(found, "a nodule", None) == ("text", "name")
    state = strip_state(IMAGES, {}, found, ranked("text", found), ("text", "name"))
    assert [item.image_id for item in state.items] == [2, 3, 1]
    assert {item.predicted for item in state.items} == {None}


def test_images_alike_can_be_asked_for_during_a_search():
    found = preview((), (0.1, 0.3, 0.2))
    assert orders_of(found, "a nodule", 2) == ("text", "similar", "name")
    assert ranked("similar", found, 2).arranged(IMAGES)[:2] == (2, 3)


def test_with_two_classes_every_order_can_be_had():
    found = preview((0.2, 0.8), (0.1, 0.3, 0.2))
    assert orders_of(found, "a nodule", 1) == ("suggested", "similar", "text", "disagree", "name")
    state = strip_state(IMAGES, {}, found, ranked("text", found), ("text",))
    assert {item.predicted for item in state.items} == {1}


def test_without_a_preview_there_is_only_the_name():
    assert orders_of(None, "", 1) == ("name",)


def test_a_newer_preview_moves_nothing_until_it_is_asked_for():
    before = ranked("suggested", preview((0.2, 0.8), suggested=(3, 1, 2)))
    newer = preview((0.2, 0.8), suggested=(2, 1, 3))
    shown = strip_state(IMAGES, {}, newer, before, ("suggested", "name"))
    assert [item.image_id for item in shown.items] == [3, 1, 2]
    assert replace(before, preview=newer).ranked_anew(IMAGES, {}).ranking == (2, 1, 3)


def test_images_that_came_since_stand_last_and_those_gone_leave_no_gap():
    order = PoolOrder("suggested", (9, 3, 1))
    assert order.arranged(IMAGES) == (3, 1, 2)


def test_the_next_to_label_is_the_most_useful_undecided_image_of_the_pool():
    found = preview((0.2, 0.8), suggested=(3, 1, 2))
    labelled = (replace(IMAGES[0], class_id=5), *IMAGES[1:])
    assert next_to_label(labelled, (1, 2, 3), found, 1) == 3
    assert next_to_label(labelled, (1, 2), found, 1) == 2
    marked = (labelled[0], replace(IMAGES[1], mark="excluded"), replace(IMAGES[2], class_id=5))
    assert next_to_label(marked, (1, 2, 3), found, 3) is None


def test_without_predictions_the_next_is_the_next_of_the_pool_round_its_end():
    assert next_to_label(IMAGES, (2, 3, 1), None, 3) == 1
    assert next_to_label((replace(IMAGES[0], class_id=5), *IMAGES[1:]), (2, 3, 1), None, 3) == 2
