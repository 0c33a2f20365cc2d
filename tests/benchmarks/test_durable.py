from __future__ import annotations

import copy

import pytest

from benchmarks.durable import is_explained, kill_and_look, labelling_command

BEFORE = {"images": {"1": [7, ""], "2": [None, ""]}, "readings": [], "classes": [[7, "cyst"]]}
READY = {"at": "ready", "state": BEFORE}


def after(**labels):
    state = copy.deepcopy(BEFORE)
    state["images"] |= {number.removeprefix("n"): value for number, value in labels.items()}
    return state


@pytest.mark.timeout(120)
def test_no_acknowledged_step_is_lost_to_a_kill_at_random_moments() -> None:
    found = kill_and_look(labelling_command(), moments=4, seed=1)
    assert (found.lost, found.locked) == (0, 0)
    assert sum(found.killed_in.values()) == 4
    assert found.slowest_opening_s < 5
    assert found.acknowledged > 0


def test_a_lost_label_would_be_noticed() -> None:
    done = {"at": "done", "kind": "label", "ms": 1.0, "state": after(n2=[7, ""])}
    assert is_explained([READY, done], after(n2=[7, ""]))
    assert not is_explained([READY, done], BEFORE)
    assert not is_explained([READY, done], after(n1=[None, ""], n2=[7, ""]))


def test_the_step_under_way_may_have_happened_or_not() -> None:
    begun = {"at": "begin", "kind": "label", "touched": [2]}
    assert is_explained([READY, begun], BEFORE)
    assert is_explained([READY, begun], after(n2=[7, ""]))
    assert not is_explained([READY, begun], after(n1=[None, ""]))
    undone = {"at": "begin", "kind": "undo", "touched": []}
    assert not is_explained([READY, undone], after(n2=[7, ""]))
    imported = {"at": "begin", "kind": "import", "touched": []}
    assert is_explained([READY, imported], after(n3=[None, ""]))
    assert not is_explained([READY, imported], after(n1=[None, ""], n3=[None, ""]))
