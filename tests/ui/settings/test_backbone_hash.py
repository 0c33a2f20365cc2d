"""The hash of the bundled weights is ready before anybody waits for it."""

from __future__ import annotations

import threading

import pytest
from support.fake_engine import FakeEngine

from clipsvd_app.ui.session import session as session_module
from clipsvd_app.ui.session.session import Session

pytestmark = pytest.mark.gui


def test_the_bundled_weights_are_hashed_before_anybody_waits_for_it(qtbot, monkeypatch):
    threads = []
    monkeypatch.setattr(
        session_module.backbones, "find", lambda *_: threads.append(threading.current_thread())
    )
    session = Session(FakeEngine())
    session.recall_backbone()
    qtbot.waitUntil(lambda: not session.background.busy)
    assert threads
    assert threading.main_thread() not in threads
    session.close()
