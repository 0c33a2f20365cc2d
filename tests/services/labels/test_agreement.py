from __future__ import annotations

import dataclasses
import random

import pytest
from sklearn.metrics import cohen_kappa_score
from support.project_images import project_image

from clipsvd_app.domain.project_values import Reading
from clipsvd_app.services.labels.agreement import FEWEST_PATIENTS, agreement, cohens_kappa, readers


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_that_of_scikit_learn(seed: int) -> None:
    draw = random.Random(seed)
    first = [draw.randrange(4) for _ in range(60)]
    second = [one if draw.random() < 0.6 else draw.randrange(4) for one in first]
    assert cohens_kappa(list(zip(first, second, strict=True))) == pytest.approx(
        cohen_kappa_score(first, second)
    )


def test_kappa_needs_images_and_more_than_one_class() -> None:
    assert cohens_kappa([]) is None
    assert cohens_kappa([(1, 1), (1, 1)]) is None
    assert cohens_kappa([(1, 1), (2, 2)]) == 1.0


def images_of(patients: int):
    return tuple(
        dataclasses.replace(project_image(number, class_id=number % 2), patient_key=str(number))
        for number in range(patients)
    )


def test_only_images_that_both_have_read_are_compared() -> None:
    images = images_of(6)
    readings = (Reading(0, "B", 0, None), Reading(1, "B", 0, None), Reading(2, "C", 0, None))
    found = agreement(images, readings, "B")
    assert (found.images, found.agreed) == (2, 1)
    (differ,) = found.disagreements
    assert (differ.image_id, differ.first, differ.second, differ.settled) == (1, 1, 0, False)
    assert readers(readings) == ("B", "C")


def test_settling_does_not_raise_the_agreement() -> None:
    images = images_of(2)
    before = agreement(images, (Reading(0, "B", 0, None), Reading(1, "B", 0, None)), "B")
    settled = (images[0], dataclasses.replace(images[1], class_id=0))
    after = agreement(settled, (Reading(0, "B", 0, None), Reading(1, "B", 0, 1)), "B")
    assert after.kappa == before.kappa
    assert [one.settled for one in after.disagreements] == [True]


def test_an_image_the_first_reader_could_not_decide_is_not_compared() -> None:
    (image,) = images_of(1)
    undecided = dataclasses.replace(image, mark="uncertain")
    assert agreement((undecided,), (Reading(0, "B", 1, None),), "B").images == 0


def test_the_interval_spans_kappa_and_needs_enough_patients() -> None:
    images = images_of(40)
    readings = tuple(Reading(i.id, "B", (i.id + (i.id % 5 == 0)) % 2, None) for i in images)
    found = agreement(images, readings, "B")
    assert found.interval is not None
    assert found.interval[0] < found.kappa < found.interval[1]
    few = agreement(images[: FEWEST_PATIENTS - 1], readings[: FEWEST_PATIENTS - 1], "B")
    assert few.interval is None


def test_the_order_of_the_images_does_not_move_the_interval() -> None:
    images = tuple(dataclasses.replace(image, sha256=f"{7 * image.id % 40:064x}") for image in images_of(40))
    readings = tuple(Reading(image.id, "B", int(image.id % 5 < 2), None) for image in images)
    one, other = agreement(images, readings, "B"), agreement(images[::-1], readings, "B")
    assert one.interval == other.interval is not None


def test_readers_who_always_agree_get_no_interval_of_no_width() -> None:
    images = images_of(12)
    found = agreement(images, [Reading(image.id, "B", image.class_id, None) for image in images], "B")
    assert (found.kappa, found.interval) == (1.0, None)
