"""A run's classifiers on frozen features say what their methods say, on the backbone they are for alone."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from support.changing import replace
from support.made_classifier import made_task, unit_rows, write_made_classifiers
from support.small_clip import CLASSES, EMBEDDING, no_report, small_backbone

from clipsvd_app.adapter_file import read_exported, write_adapter
from clipsvd_app.adapter_file.document import LayerMethod
from clipsvd_app.engine.baselines.frozen_classifier import prove_classifier
from clipsvd_app.engine.baselines.methods import FROZEN_METHODS, LINEAR_METHODS
from clipsvd_app.engine.jobs.verify import run_verify
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.requests import BackboneRef, VerifyRequest

METHODS = get_args(LayerMethod)


@pytest.fixture(scope="module")
def backbone():
    return small_backbone()


@pytest.fixture(scope="module")
def written(tmp_path_factory, backbone):
    folder = tmp_path_factory.mktemp("classifiers") / "new"
    return folder, write_made_classifiers(folder, backbone, EMBEDDING, CLASSES)


def path_of(folder, method):
    return folder / f"{method}.classifier.safetensors"


def checks(path, backbone):
    return run_verify(VerifyRequest(BackboneRef("small", "-"), str(path)), backbone, no_report).checks


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("method", METHODS)
def test_the_layer_of_a_method_is_the_method(method, classes):
    fitted = LINEAR_METHODS[method](made_task(EMBEDDING, classes, 4 * classes))
    weights, offsets = fitted.layer
    features = unit_rows(5, 20, EMBEDDING)
    logits = features @ weights.T + offsets
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        raised / raised.sum(axis=1, keepdims=True), fitted.probabilities(features), atol=1e-6
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_file_says_what_its_method_said(method, written, backbone):
    folder, task = written
    classifier, warnings = prove_classifier(read_exported(path_of(folder, method)), backbone)
    features = unit_rows(5, 20, EMBEDDING)
    expected = FROZEN_METHODS[method](task).probabilities(features)
    np.testing.assert_allclose(classifier.probabilities(features), expected, atol=1e-4)
    assert warnings == ()
    found = checks(path_of(folder, method), backbone)
    assert [check.name for check in found] == ["file", "base", "input", "layer", "prompts", "canaries"]
    assert all(check.passed for check in found)


def test_there_is_no_file_of_a_method_that_keeps_the_images(written):
    folder, _ = written
    assert sorted(file.name.split(".")[0] for file in folder.iterdir()) == sorted(METHODS)


def test_a_file_names_nobody(written):
    folder, _ = written
    assert not any(word in file.read_bytes() for file in folder.iterdir() for word in (b"Doe", b"private"))


def other_base(content):
    base = replace(content.document.base, sha256="ab" * 32)
    return replace(content, document=replace(content.document, base=base))


def other_size(content):
    prepared = replace(content.document.preprocessing, size=(32, 32))
    return replace(content, document=replace(content.document, preprocessing=prepared))


def narrower(content):
    return replace(content, weight=content.weight[:, 1:].copy())


def moved(content):
    return replace(content, weight=content.weight + np.float32(0.5) * np.eye(2, EMBEDDING, dtype=np.float32))


def one_prompt(content):
    first, second = content.document.classes
    classes = (first, replace(second, prompts=first.prompts))
    return replace(content, document=replace(content.document, classes=classes))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (other_base, "base"),
        (other_size, "input"),
        (narrower, "layer"),
        (one_prompt, "prompts"),
        (moved, "canaries"),
    ],
)
def test_a_classifier_that_does_not_fit_is_refused_and_named_by_verify(
    change, name, written, backbone, tmp_path
):
    content = change(read_exported(path_of(written[0], "linear_probe")))
    write_adapter(tmp_path / "a.classifier.safetensors", content)
    with pytest.raises(UserError) as caught:
        prove_classifier(read_exported(tmp_path / "a.classifier.safetensors"), backbone)
    assert caught.value.code == f"adapter_{name}"
    last = checks(tmp_path / "a.classifier.safetensors", backbone)[-1]
    assert (last.name, last.passed) == (name, False)
