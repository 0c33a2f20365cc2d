"""A wrong label must not vouch for itself."""

from __future__ import annotations

import numpy as np

from clipsvd_app.engine.jobs.preview import _accuracy, _Labelled, _leave_one_patient_out


def test_a_wrong_label_is_contradicted_by_the_other_patients():
    random = np.random.default_rng(0)
    centres = np.eye(2, 16, dtype=np.float32)
    truth = [0] * 6 + [1] * 6
    features = centres[truth] + 0.1 * random.normal(size=(12, 16)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    labels = [1, *truth[1:]]
    labelled = _Labelled(list(range(12)), labels, [str(number) for number in range(12)])
    unseen = _leave_one_patient_out(features, labelled, centres, 20.0)
    assert unseen is not None
    against = 1 - unseen[np.arange(12), labels]
    assert against.argmax() == 0
    assert unseen[0].argmax() == 0
    assert _accuracy(labelled, unseen) < 1


def test_with_one_patient_in_a_class_nothing_is_said():
    labelled = _Labelled([0, 1, 2], [0, 0, 1], ["a", "b", "c"])
    assert (
        _leave_one_patient_out(np.eye(3, dtype=np.float32), labelled, np.eye(2, 3, dtype=np.float32), 1.0)
        is None
    )
