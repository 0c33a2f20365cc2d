"""What a run advises can be exported: the Export page offers its classifiers and marks the one advised."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox, QPushButton
from shiboken6 import delete
from support.changing import replace
from support.fake_engine import drawn_session
from support.made_evaluation import made_run

from clipsvd_app.adapter_file import read_exported
from clipsvd_app.errors import UserError
from clipsvd_app.services.adapters.export import export_run, exportable
from clipsvd_app.ui.export.controller import ExportController
from clipsvd_app.ui.export.page import ExportPage

pytestmark = pytest.mark.gui
GOLDEN = Path(__file__).parents[2] / "golden"
NAMES = ("bright disc", "dark disc")
PROBE = (GOLDEN / "format1.classifier.safetensors").read_bytes()
ADAPTER = (GOLDEN / "adapter_format1_verified.sigma.safetensors").read_bytes()


@pytest.fixture
def session(qapp, tmp_path):
    made = drawn_session(tmp_path, 4, NAMES)
    result = made_run(NAMES, ids=range(1, 5), labels=[0, 1, 0, 1], training=2)
    evaluation = replace(result.evaluation, recommended="linear_probe")
    probes = {"linear_probe": PROBE}
    made.project.add_run("quick", {"labels": {}}, replace(result, evaluation=evaluation), ADAPTER, probes)
    evaluation = replace(evaluation, recommended="tip_adapter")
    made.project.add_run("quick", {"labels": {}}, replace(result, evaluation=evaluation), ADAPTER)
    yield made
    made.close()


@pytest.fixture
def page(qtbot, theme, session):
    made = ExportPage(theme)
    qtbot.addWidget(made)
    made.controller = ExportController(session, made)
    made.show()
    yield made
    delete(made)


def methods(page) -> QComboBox:
    (found,) = [box for box in page.findChildren(QComboBox) if box.accessibleName() == "File type"]
    return found


def test_what_is_recommended_is_offered_beside_the_adapter_and_marked(page):
    page.controller.show_run(1)
    box = methods(page)
    shown = [box.itemText(row) for row in range(box.count())]
    assert shown == ["CLIP-SVD adapter", "Linear probe on frozen features · recommended"]
    assert box.currentIndex() == 0
    assert page.write_tab._path.text().endswith("-run1.sigma.safetensors")
    box.setCurrentIndex(1)
    box.activated.emit(1)
    assert page.write_tab._path.text().endswith("-run1.classifier.safetensors")


def test_a_run_whose_advice_cannot_be_exported_says_why(page):
    page.controller.show_run(2)
    assert methods(page).isHidden()
    assert "It cannot be exported, because the file would contain" in page.write_tab._advice.text()


def test_a_written_classifier_carries_the_card_and_a_missing_one_is_refused(session, tmp_path):
    assert exportable(session.project, 1) == ("clip_svd", "linear_probe")
    written = export_run(session.project, 1, tmp_path / "mine", method="linear_probe")
    assert written.name == "mine.classifier.safetensors"
    assert read_exported(written).document.method == "linear_probe"
    with pytest.raises(UserError, match="cannot export") as caught:
        export_run(session.project, 2, tmp_path / "other", method="gda")
    assert caught.value.code == "not_exported"


def test_the_button_says_what_it_writes(page):
    page.controller.show_run(1, "linear_probe")
    assert any(button.text() == "Write classifier" for button in page.findChildren(QPushButton))
