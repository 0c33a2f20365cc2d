"""Which caches the settings offer to clear."""

from __future__ import annotations

import pytest

from clipsvd_app.settings import HOME_VARIABLE, cache_folder
from clipsvd_app.ui.settings.controller import CACHE_TITLES, PASSING_CACHE_TITLES, _cache_rows


@pytest.mark.parametrize("key", PASSING_CACHE_TITLES)
def test_what_is_there_only_now_and_then_is_listed_only_then(tmp_path, monkeypatch, key):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    assert [row.key for row in _cache_rows()] == list(CACHE_TITLES)
    (cache_folder() / key / "one").mkdir(parents=True)
    (cache_folder() / key / "one" / "part").write_bytes(b"123")
    (added,) = _cache_rows()[len(CACHE_TITLES) :]
    assert (added.key, added.size_bytes) == (key, 3)
