"""Two runs side by side: what is called a change, and which cases flipped."""

from __future__ import annotations

from support.changing import replace
from support.made_evaluation import made_run

from clipsvd_app.domain.results.cases import evidence, winner
from clipsvd_app.domain.results.comparison import changed_facts, flips, label_changes, shared_cases

BEFORE, NOW = made_run(seed=1), made_run(seed=2)


def request(labels, preset="quick"):
    names = [{"name": "a"}, {"name": "b"}]
    return {"classes": names, "labels": labels, "recipe": {"preset": preset, "steps": 60}}


def test_a_flip_is_a_case_that_both_runs_had_not_seen_and_judge_differently():
    found = flips(BEFORE, NOW)
    first = {p.image_id: winner(p.adapted) for p in evidence(BEFORE.predictions)}
    second = {p.image_id: winner(p.adapted) for p in evidence(NOW.predictions)}
    assert {f.image_id for f in found} == {i for i in first if i in second and first[i] != second[i]}
    assert found


def test_what_got_worse_comes_first():
    kinds = [flip.kind for flip in flips(BEFORE, NOW)]
    assert kinds == sorted(kinds, key=("now_wrong", "now_right", "otherwise_wrong").index)


def test_a_run_beside_itself_has_no_flip():
    assert flips(NOW, NOW) == ()


def test_runs_of_other_classes_are_not_set_against_each_other():
    assert flips(replace(BEFORE, class_names=("x", "y", "z")), NOW) is None


def test_what_one_run_was_trained_on_is_not_shared():
    learnt = replace(NOW, predictions=tuple(replace(p, role="train") for p in NOW.predictions))
    assert shared_cases(BEFORE, learnt) == 0
    assert flips(BEFORE, learnt) == ()


def test_labels_are_compared_by_the_names_of_their_classes():
    changes = label_changes(request({"1": 0, "2": 1, "3": 0}), request({"1": 0, "2": 0, "4": 1}))
    assert (changes.added, changes.removed, changes.changed) == (1, 1, (2,))
    assert changes.sentence == "Labels: 1 added, 1 taken away, 1 changed."
    assert label_changes(request({"1": 0}), request({"1": 0})).sentence == "The labels are the same."


def test_differences_in_the_making_come_first():
    facts = changed_facts((BEFORE, request({}, "quick")), (NOW, request({}, "thorough")))
    differing = [fact.differs for fact in facts]
    assert differing == sorted(differing, reverse=True)
    assert ("Preset", "quick", "thorough") in [(f.name, f.before, f.now) for f in facts]
