"""Facts about the Settings page."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from shiboken6 import delete

from clipsvd_app.domain.classes import TEMPLATES, class_from_name
from clipsvd_app.ui.settings.page import SettingsPage
from clipsvd_app.ui.settings.state import (
    BackboneActivity,
    BackboneRow,
    BackboneWork,
    CacheRow,
    FetchOffer,
    SettingsState,
)
from clipsvd_app.ui.train.state import DeviceOption

pytestmark = pytest.mark.gui
STATE = SettingsState(
    backbones=(
        BackboneRow("demo", "Demo", "bundled", 5_000_000, "ab" * 32, True, True),
        BackboneRow("own", "Own", "…/own", None, "", False, False, removal="Its copy is deleted."),
        BackboneRow("bad", "Broken", "…/bad", None, "", False, False, "vocab.txt is missing: add it."),
    ),
    offer=FetchOffer("Fetch Model…", "Fetch Model?", "784 MB, licence MIT.", "Fetch 784 MB"),
    classes=(class_from_name("normal"), class_from_name("lesion")),
    devices=(DeviceOption("auto", "Automatic"), DeviceOption("cpu", "CPU")),
    caches=(CacheRow("features", "Features", 2048), CacheRow("basis", "Basis", 0)),
    version="0.1.0",
)


@pytest.fixture
def page(qtbot, theme):
    page = SettingsPage()
    qtbot.addWidget(page)
    page.resize(1200, 800)
    page.set_state(STATE)
    page.show()
    yield page
    delete(page)


def named(page, name) -> list[QPushButton]:
    return [button for button in page.findChildren(QPushButton) if button.accessibleName() == name]


def press(page, text) -> None:
    (found,) = [
        button for button in page.findChildren(QPushButton) if button.text() == text and button.isVisible()
    ]
    found.click()


def said(page) -> str:
    return " ".join(shown.text() for shown in page.backbones.findChildren(QLabel) if shown.isVisible())


def test_a_backbone_is_used_by_its_key(page, qtbot):
    with qtbot.waitSignal(page.backbones.use_requested) as used:
        named(page, "Use Own")[0].click()
    assert used.args == ["own"]


def test_removing_first_says_what_is_deleted(page, qtbot):
    with qtbot.assertNotEmitted(page.backbones.remove_requested):
        named(page, "Remove Own")[0].click()
    assert "Its copy is deleted." in said(page)
    with qtbot.waitSignal(page.backbones.remove_requested) as removed:
        press(page.backbones._removal, "Remove")
    assert removed.args == ["own"]


def test_a_question_outlives_news_and_goes_with_its_backbone(page):
    named(page, "Remove Own")[0].click()
    page.set_state(replace(STATE, theme="light"))
    assert "Its copy is deleted." in said(page)
    page.set_state(replace(STATE, backbones=STATE.backbones[:1]))
    assert "Its copy is deleted." not in said(page)


def test_keeping_a_backbone_asks_for_nothing(page, qtbot):
    named(page, "Remove Own")[0].click()
    with qtbot.assertNotEmitted(page.backbones.remove_requested):
        press(page, "Keep")
    assert "Its copy is deleted." not in said(page)


def test_a_fetch_is_asked_about_before_it_begins(page, qtbot):
    with qtbot.assertNotEmitted(page.backbones.fetch_requested):
        press(page, "Fetch Model…")
    assert "784 MB" in said(page)
    with qtbot.waitSignal(page.backbones.fetch_requested):
        press(page, "Fetch 784 MB")
    assert "licence MIT" not in said(page)


def test_one_backbone_at_a_time_and_every_state_is_seen(page, qtbot):
    page.backbones.set_activity(
        BackboneActivity(BackboneWork("Fetching", "From the hub", "3 of 784 MB", 3, 784))
    )
    assert "3 of 784 MB" in said(page)
    assert not named(page, "Add a backbone")[0].isEnabled()
    with qtbot.waitSignal(page.backbones.cancel_requested):
        press(page, "Cancel")
    page.backbones.set_activity(BackboneActivity(BackboneWork("Fetching", cancelling=True)))
    assert "Stopping…" in said(page)
    page.backbones.set_activity(BackboneActivity(error="The disk is full.", remedy="Make room."))
    assert "The disk is full. Make room." in said(page)
    assert named(page, "Add a backbone")[0].isEnabled()
    page.backbones.set_activity(BackboneActivity())
    assert "The disk is full." not in said(page)


def test_what_is_here_is_not_offered_again(page):
    page.set_state(replace(STATE, offer=None))
    assert "Fetch Model…" not in [
        button.text() for button in page.findChildren(QPushButton) if button.isVisible()
    ]


def test_the_embedded_backbone_cannot_be_removed(page):
    assert not named(page, "Remove Demo")


def test_a_broken_backbone_cannot_be_used(page):
    assert not named(page, "Use Broken")[0].isEnabled()


def test_prompts_are_saved_for_their_class_without_empty_lines(page, qtbot):
    page.prompts._choice.setCurrentIndex(1)
    page.prompts._editor.setPlainText("a dark mass\n\n  a shadow  ")
    with qtbot.waitSignal(page.prompts.prompts_changed) as caught:
        page.prompts._save.click()
    assert caught.args == [1, ("a dark mass", "a shadow")]


def test_a_class_never_goes_without_a_prompt(page):
    page.prompts._editor.setPlainText("  \n ")
    assert not page.prompts._save.isEnabled()


def test_reset_writes_the_templates_and_saves_nothing_by_itself(page, qtbot):
    page.prompts._editor.setPlainText("own words")
    with qtbot.assertNotEmitted(page.prompts.prompts_changed):
        page.prompts._reset.click()
    assert page.prompts.prompts() == tuple(template.format("normal") for template in TEMPLATES)


def test_unsaved_prompts_outlive_news_of_other_settings(page):
    page.prompts._editor.setPlainText("half a sentence")
    page.set_state(replace(STATE, show_identity=True))
    assert page.prompts.prompts() == ("half a sentence",)


def test_choices_are_told_and_showing_them_is_silent(page, qtbot):
    with qtbot.waitSignal(page.look.theme_chosen) as theme:
        page.look._themes.card("light").click()
    with qtbot.waitSignal(page.privacy.toggled) as identity:
        page.privacy.box.click()
    assert (theme.args, identity.args) == (["light"], [True])
    with (
        qtbot.assertNotEmitted(page.look.theme_chosen),
        qtbot.assertNotEmitted(page.privacy.toggled),
    ):
        page.set_state(replace(STATE, theme="light", show_identity=True))


def test_an_empty_cache_cannot_be_cleared_and_a_full_one_is_named(page, qtbot):
    assert not named(page, "Clear Basis")[0].isEnabled()
    with qtbot.waitSignal(page.caches.clear_requested) as caught:
        named(page, "Clear Features")[0].click()
    assert caught.args == ["features"]
