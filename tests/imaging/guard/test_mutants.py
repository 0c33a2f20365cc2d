"""Damaged files cost one sentence each; ``tests/support/mutants.py`` sends thousands."""

from __future__ import annotations

import pytest
from support import mutants


def test_mutants_are_shown_or_refused_in_a_sentence(tmp_path):
    report = mutants.run(200, seed=11, folder=tmp_path)
    faults = [fault for fault in report.faults if "took" not in fault]  # a busy computer is no fault
    assert faults == []
    assert report.mutants == 200
    assert min(report.shown, report.refused) > 20


@pytest.mark.gui
def test_mutants_do_no_harm_to_the_window(tmp_path):
    report = mutants.run(40, seed=12, folder=tmp_path, window=True)
    assert [fault for fault in report.faults if "took" not in fault] == []
    assert (report.windows, report.window_crashes) == (1, 0)
    assert report.window_shown > 0


def test_a_mutant_is_the_same_for_the_same_seed():
    assert mutants.mutant(1, 2) == mutants.mutant(1, 2) != mutants.mutant(1, 3)
