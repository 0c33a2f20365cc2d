"""Facts about numbers in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipsvd_app.domain.results.evaluation import Interval
from clipsvd_app.domain.words.numbers import duration, file_size, percent, percent_ci, percent_with_interval


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_a_share_comes_with_its_interval():
    interval = Interval(0.791, 0.93)
    assert plain(percent_with_interval(0.875, interval)) == "87.5 % (79.1–93.0)"
    assert plain(percent_ci(0.875, interval)) == "87.5 % (95 % CI 79.1–93.0)"
    assert plain(percent_with_interval(1.0, Interval(0.62, 1.0))) == "100 % (62.0–100)"


@given(st.floats(0, 1))
def test_only_none_is_written_as_none_and_only_all_as_all(fraction):
    assert (plain(percent(fraction)) == "0 %") == (fraction == 0)
    assert (plain(percent(fraction)) == "100 %") == (fraction == 1)
    assert plain(percent(fraction)) not in ("0.0 %", "100.0 %")


def test_what_is_not_known_is_a_dash():
    assert percent(None) == "–"


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
