"""What the cache of explanations keeps, and how much of it."""

from __future__ import annotations

import os

import numpy as np
import pytest

from clipsvd_app.engine.explain.model.embedded_corpus import keep_array, recall_array
from clipsvd_app.files import MOST_CACHED_BYTES
from clipsvd_app.settings import cache_folder


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("CLIPSVD_HOME", str(tmp_path / "home"))


def test_the_oldest_embeddings_go_when_there_are_too_many(monkeypatch):
    values = np.ones((4, 8), dtype=np.float32)
    monkeypatch.setitem(MOST_CACHED_BYTES, "explanations", 800)
    for number in range(6):
        keep_array(f"k{number}", values)
        file = cache_folder() / "explanations" / f"k{number}.npy"
        os.utime(file, (number, number))
    keep_array("k6", values)
    assert recall_array("k0") is None
    assert np.array_equal(recall_array("k6"), values)
    assert sum(file.stat().st_size for file in (cache_folder() / "explanations").iterdir()) <= 800
