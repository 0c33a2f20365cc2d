"""Prompts that the model cannot read are said where they were written, and keep training from starting."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel
from support.fake_engine import drawn_session

from clipsvd_app.jobs.answers import Obstacle, PreviewResult
from clipsvd_app.services.labels.labels import set_labels
from clipsvd_app.ui.label.preview import PreviewController
from clipsvd_app.ui.train.controller import TrainController
from clipsvd_app.ui.train.page import TrainPage

OBSTACLE = Obstacle("The model cannot read the prompts of the class “肺炎”.", "Write a prompt in English.")


def test_training_waits_until_every_prompt_can_be_read(qtbot, tmp_path, theme):
    session = drawn_session(tmp_path, 4, ("肺炎", "normal"))
    for image, known in zip(session.images(), 2 * session.classes(), strict=True):
        session.do(set_labels([image.id], known.id))
    told = []
    session.notice.connect(told.append)
    preview, page = PreviewController(session), TrainPage(theme)
    qtbot.addWidget(page)
    TrainController(session, page, preview).refresh()
    page.show()
    assert page.setup._train.isEnabled()
    for _ in range(2):
        preview._submit()
        session.engine.answer(PreviewResult((), None, (), "", (OBSTACLE,)))
        qtbot.waitUntil(lambda: not preview.is_waiting)
    assert not page.setup._train.isEnabled()
    assert page.setup._blocked.text() == f"{OBSTACLE.message} {OBSTACLE.remedy}"
    assert [(notice.message, notice.remedy) for notice in told] == [(OBSTACLE.message, OBSTACLE.remedy)]
    preview._submit()
    session.engine.answer(PreviewResult((), None, (), "", warnings=("The prompt of “normal” is cut.",)))
    qtbot.waitUntil(lambda: not preview.is_waiting)
    assert page.setup._train.isEnabled()
    assert any("is cut" in shown.text() for shown in page.setup.findChildren(QLabel))
    session.close()
