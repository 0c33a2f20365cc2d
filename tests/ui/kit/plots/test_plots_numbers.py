"""Facts about numbers in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipsvd_app.domain.results.evaluation import Interval
from clipsvd_app.ui.kit.numbers import (
    change_percent,
    count,
    duration,
    file_size,
    percent,
    percent_with_interval,
    short_hash,
)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")


def test_a_share_comes_with_its_interval():
    assert plain(percent_with_interval(0.78, Interval(0.66, 0.87))) == "78 % (66–87)"


@given(st.floats(0, 1))
def test_only_none_is_written_as_none_and_only_all_as_all(fraction):
    assert (plain(percent(fraction)) == "0 %") == (fraction == 0)
    assert (plain(percent(fraction)) == "100 %") == (fraction == 1)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (9, "9 s"), (59.6, "1 min"), (200, "3 min 20 s"), (3900, "1 h 05 min")],
)
def test_durations_read_as_spoken(seconds, text):
    assert plain(duration(seconds)) == text


@pytest.mark.parametrize(
    ("size", "text"), [(1, "1 byte"), (512, "512 bytes"), (452608, "442 KiB"), (3 * 1024**3, "3.0 GiB")]
)
def test_sizes_keep_two_digits(size, text):
    assert plain(file_size(size)) == text


def test_one_is_not_many():
    assert (plain(count(1, "image")), plain(count(1204, "image"))) == ("1 image", "1,204 images")
    assert plain(count(2, "study", "studies")) == "2 studies"


def test_small_changes_keep_their_digits():
    assert [plain(change_percent(value)) for value in (0, 0.0034, 0.25)] == ["0 %", "0.34 %", "25 %"]


def test_an_unknown_hash_is_said_to_be_unknown():
    assert short_hash("") == "not yet known"
    assert short_hash("0123456789abcdef") == "0123456789ab"
