from __future__ import annotations

import dataclasses

from support.project_images import project_image

from clipsvd_app.jobs.answers import PoolItem, PreviewResult
from clipsvd_app.services.labels import pool_order
from clipsvd_app.services.labels.second_reader import as_read_by

IMAGES = tuple(project_image(number, class_id=7 if number < 3 else None) for number in range(6))


def preview(probabilities, doubts=(0.0,) * 6, suggested=(), texts=(None,) * 6, nearest=((),) * 6):
    items = zip(range(6), probabilities, doubts, texts, nearest, strict=True)
    return PreviewResult(tuple(PoolItem(*item) for item in items), None, suggested, "")


EVEN = ((0.5, 0.5),) * 6


def test_what_to_label_next_never_leads_with_what_is_decided() -> None:
    seen = preview(EVEN, (0.9, 0.9, 0.9, 0.1, 0.3, 0.2), suggested=(5, 0))
    assert pool_order.by_worth(IMAGES, seen) == (5, 4, 3, 0, 1, 2)
    marked = (*IMAGES[:5], dataclasses.replace(IMAGES[5], mark="uncertain"))
    assert pool_order.by_worth(marked, seen)[:2] == (4, 3)


def test_likeness_spreads_from_neighbour_to_neighbour() -> None:
    seen = preview(EVEN, nearest=((3, 1), (), (), (5,), (), ()))
    assert pool_order.by_likeness(IMAGES, seen, 0) == (0, 3, 1, 5, 2, 4)


def test_likely_mistakes_are_ordered_by_how_much_speaks_against_the_label() -> None:
    seen = preview(((0.6, 0.4), (0.1, 0.9), (0.4, 0.6), (0.0, 1.0), (0.0, 1.0), (0.0, 1.0)))
    assert pool_order.by_doubt_of_label(IMAGES, {7: 0}, seen) == (1, 2, 0, 3, 4, 5)


def test_a_class_that_is_newer_than_the_preview_is_no_mistake_yet() -> None:
    seen = preview(EVEN)
    assert pool_order.by_doubt_of_label(IMAGES, {7: 2}, seen) == (0, 1, 2, 3, 4, 5)


def test_words_put_the_likest_first_and_the_unread_last() -> None:
    seen = preview(EVEN, texts=(0.1, None, 0.3, 0.2, 0.0, -0.1))
    assert pool_order.by_text(IMAGES, seen) == (2, 3, 0, 4, 5, 1)


def test_a_second_reader_sees_own_labels_only() -> None:
    from clipsvd_app.domain.project_values import Reading

    images = (
        *IMAGES[:2],
        dataclasses.replace(IMAGES[2], mark="excluded"),
        dataclasses.replace(IMAGES[3], mark="uncertain"),
    )
    seen = as_read_by(images, (Reading(1, "B", 8, None), Reading(0, "C", 9, None)), "B")
    assert [(image.id, image.class_id, image.mark) for image in seen] == [
        (0, None, ""),
        (1, 8, ""),
        (3, None, ""),
    ]
