from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from support.changing import replace
from support.small_clip import no_report

from clipsvd_app.adapter_file.document import Calibration
from clipsvd_app.adapter_file.generator import canary_image
from clipsvd_app.adapter_file.header import document_from_text
from clipsvd_app.engine.data.images import normalise
from clipsvd_app.engine.exports.onnx_file import ImageClassifier
from clipsvd_app.engine.exports.readme_texts import merged_readme
from clipsvd_app.engine.sigma.adapter import prove
from clipsvd_app.errors import Cancelled

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def written(convert, tmp_path_factory):
    out = tmp_path_factory.mktemp("exports") / "disc.onnx"
    return out, convert("onnx", out)


@pytest.fixture(scope="module")
def session(written):
    return runtime.InferenceSession(str(written[0]), providers=["CPUExecutionProvider"])


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, 3, 64, 64), dtype=np.uint8)


@pytest.mark.parametrize("count", [1, 5])
def test_onnxruntime_agrees_for_any_number_of_images(session, loaded, count):
    logits, probabilities = session.run(["logits", "probabilities"], {"pixels": pictures(count)})
    inputs = normalise(torch.from_numpy(pictures(count)), loaded.adapted.backbone.preprocessing)
    with torch.no_grad():
        np.testing.assert_allclose(logits, loaded.adapted.logits(inputs).numpy(), atol=1e-3)
    np.testing.assert_allclose(probabilities, loaded.adapted.probabilities(inputs).numpy(), atol=1e-3)


def test_the_class_head_is_in_the_graph(convert, headed, headed_file, tmp_path):
    result = convert("onnx", tmp_path / "headed.onnx", adapter=headed_file)
    assert result.logit_difference < 1e-3
    headed_session = runtime.InferenceSession(
        str(tmp_path / "headed.onnx"), providers=["CPUExecutionProvider"]
    )
    (logits,) = headed_session.run(["logits"], {"pixels": pictures(3)})
    inputs = normalise(torch.from_numpy(pictures(3)), headed.adapted.backbone.preprocessing)
    with torch.no_grad():
        np.testing.assert_allclose(logits, headed.adapted.logits(inputs).numpy(), atol=1e-3)
    parity = json.loads(headed_session.get_modelmeta().custom_metadata_map["parity"])
    images = np.stack([canary_image(seed, 64, 64).transpose(2, 0, 1) for seed in parity["seeds"]])
    (logits,) = headed_session.run(["logits"], {"pixels": images})
    np.testing.assert_allclose(logits, parity["logits"], atol=1e-3)


def test_the_file_carries_vectors_by_which_anyone_can_check_it(written, session):
    parity = json.loads(session.get_modelmeta().custom_metadata_map["parity"])
    images = np.stack([canary_image(seed, 64, 64).transpose(2, 0, 1) for seed in parity["seeds"]])
    (logits,) = session.run(["logits"], {"pixels": images})
    np.testing.assert_allclose(logits, parity["logits"], atol=1e-3)
    assert written[1].logit_difference < 1e-3


def test_the_file_says_what_it_is(session, loaded):
    metadata = session.get_modelmeta().custom_metadata_map
    assert document_from_text(metadata["sigma_adapter"]) == loaded.content.document
    assert json.loads(metadata["classes"]) == ["bright disc", "dark disc"]
    assert metadata["notice"] == "Not for diagnostic use."
    assert "uint8" in metadata["input"]


def test_nothing_in_the_file_names_this_machine(written):
    raw = written[0].read_bytes()
    assert not [word for word in (b"site-packages", b".py", b"/home", b"/root", b"/tmp") if word in raw]


def test_a_cancelled_export_leaves_no_file(convert, tmp_path):
    def stop(stage, done, total, metrics=None):
        no_report(stage, done, total)
        if stage == "Writing the ONNX file":
            raise Cancelled

    with pytest.raises(Cancelled):
        convert("onnx", tmp_path / "disc.onnx", report=stop)
    assert list(tmp_path.iterdir()) == []


def test_the_calibration_of_an_adapter_reaches_every_form_and_moves_no_logit(loaded, backbone, basis):
    document = replace(loaded.content.document, calibration=Calibration(temperature=2.0))
    calibrated = prove(replace(loaded.content, document=document), backbone, basis)
    pixels = torch.from_numpy(pictures(3))
    inputs = normalise(pixels, backbone.preprocessing)
    with torch.no_grad():
        logits, probabilities = ImageClassifier(calibrated)(pixels)
    torch.testing.assert_close(logits, loaded.adapted.logits(inputs).detach(), atol=1e-4, rtol=0)
    torch.testing.assert_close(probabilities, (logits / 2).softmax(dim=-1))
    torch.testing.assert_close(calibrated.adapted.probabilities(inputs), probabilities, atol=1e-4, rtol=0)
    bases = calibrated.adapted.base, loaded.adapted.base
    assert (bases[0].probabilities(inputs) == bases[1].probabilities(inputs)).all()
    assert 'adapter["calibration"]["temperature"]' in merged_readme(calibrated.content, {"model_cfg": CONFIG})


CONFIG = {"vision_cfg": {"image_size": 64}, "text_cfg": {}}
