"""Damaged files cost one sentence each; ``tests/support/mutants.py`` sends thousands."""

from __future__ import annotations

from support import mutants


def test_mutants_are_shown_or_refused_in_a_sentence(tmp_path):
    report = mutants.run(200, seed=11, folder=tmp_path)
    faults = [fault for fault in report.faults if "took" not in fault]  # a busy computer is no fault
    assert faults == []
    assert report.mutants == 200
    assert min(report.shown, report.refused) > 20


def test_a_mutant_is_the_same_for_the_same_seed():
    assert mutants.mutant(1, 2) == mutants.mutant(1, 2) != mutants.mutant(1, 3)
