"""Facts about figures in print: every kind is drawn, says its axes, and is the same twice."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from html import escape

import pytest
from support.made_figures import EMPTY, FIGURES

from clipsvd_app.figures.confusion import confusion_figure
from clipsvd_app.services.report.plots import plotted


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn_with_its_axes(name):
    text = "".join(ET.fromstring(plotted(FIGURES[name], "svg")).itertext())
    for panel in FIGURES[name].panels:
        assert panel.x.label in text
        assert panel.y.label in text


@pytest.mark.parametrize(("kind", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_a_figure_is_the_same_bytes_twice_without_a_date(kind, start):
    data = plotted(FIGURES["reliability"], kind)
    assert data.startswith(start)
    assert data == plotted(FIGURES["reliability"], kind)
    assert b"CreationDate" not in data
    assert b"dc:date" not in data


def test_nothing_can_be_drawn():
    assert b"<svg" in plotted(EMPTY["roc"], "svg")


@pytest.mark.parametrize("kind", ["svg", "pdf", "png"])
def test_class_names_are_no_formulas_and_may_be_of_any_script(kind):
    names = ("$x_1$ <b>", "正常")
    data = plotted(confusion_figure(names, ((1, 2), (3, 4))), kind)
    if kind == "svg":
        assert all(escape(name) in data.decode() for name in names)


def test_matplotlib_is_loaded_when_something_is_drawn():
    told = "import sys, clipsvd_app.services.report.writer, clipsvd_app.services.report.plots; "
    done = subprocess.run(
        [sys.executable, "-c", told + "print('matplotlib' in sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "False"
