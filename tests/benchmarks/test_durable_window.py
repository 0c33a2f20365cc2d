"""What the benchmark of labels in a large project measures, in a small one."""

from __future__ import annotations

import pytest

from benchmarks.durable_window import bench_label_pace


@pytest.mark.gui
def test_labels_by_key_are_timed_in_a_window_with_its_pages_and_runs():
    found = bench_label_pace(4, images=40, runs=1)
    assert found is not None
    assert (found.images, found.runs, found.labels) == (40, 1, 4)
    for spread in (found.key, found.painted, found.label, found.held, found.busy):
        assert 0 < spread.median <= spread.largest
    assert found.key.median <= found.painted.median <= found.busy.largest
