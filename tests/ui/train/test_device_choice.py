"""The devices offered in the window: those that the engine found right, and never another."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QComboBox, QLabel
from shiboken6 import delete

from clipsvd_app.jobs.lines import PROTOCOL, Ready
from clipsvd_app.settings import Settings
from clipsvd_app.ui.session.engine_process import EngineProcess
from clipsvd_app.ui.session.session import Session
from clipsvd_app.ui.settings.page import SettingsPage
from clipsvd_app.ui.settings.state import SettingsState
from clipsvd_app.ui.train.devices import device_options

pytestmark = pytest.mark.gui
NOTE = "This computer has an NVIDIA GPU, but no driver for it. The CPU is used instead."


def ready(*devices, note="") -> Ready:
    return Ready(PROTOCOL, "cpu", {}, devices, note)


@pytest.fixture
def session(qapp):
    made = Session(EngineProcess())
    yield made
    made.close()
    delete(made)


def test_only_tested_devices_are_offered():
    assert [option.name for option in device_options(("cpu",))] == ["auto", "cpu"]
    assert [option.name for option in device_options(("cuda", "cpu"))] == ["auto", "cuda", "cpu"]
    assert device_options(("cpu",))[0].title == "Automatic (CPU: no usable GPU)"
    assert device_options(("mps", "cpu"))[0].title == "Automatic (GPU)"


def test_a_chosen_gpu_is_used_while_the_engine_can_use_it(session, qtbot):
    session.settings = replace(Settings(), device="cuda")
    assert session.device == "auto"
    with qtbot.waitSignal(session.devices_changed):
        session.engine.ready.emit(ready("cuda", "cpu"))
    assert session.device == "cuda"
    session.engine.ready.emit(ready("cpu", note=NOTE))
    assert (session.device, session.device_note) == ("auto", NOTE)


def test_the_cpu_can_be_chosen_before_the_engine_has_answered(session):
    session.settings = replace(Settings(), device="cpu")
    assert session.device == "cpu"


def test_the_settings_say_why_a_gpu_is_not_used(qtbot, theme):
    page = SettingsPage()
    qtbot.addWidget(page)
    page.set_state(SettingsState(devices=device_options(("cpu",)), device_note=NOTE))
    page.show()
    assert [one for one in page.look.findChildren(QLabel) if one.text() == NOTE and one.isVisible()]
    page.set_state(SettingsState(devices=device_options(("cuda", "cpu")), device="cuda"))
    assert not [one for one in page.look.findChildren(QLabel) if one.text() == NOTE and one.isVisible()]
    (choice,) = page.look.findChildren(QComboBox)
    assert choice.currentText() == "GPU (CUDA)"
    delete(page)
