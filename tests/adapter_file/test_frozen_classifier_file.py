"""The is a frozen classifier, format 1: its golden file opens for ever, damaged ones are refused."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clipsvd_app.adapter_file import card_text, read_adapter, read_exported, write_adapter
from clipsvd_app.adapter_file.writer import adapter_bytes
from clipsvd_app.errors import UserError

GOLDEN = Path(__file__).parents[1] / "golden" / "format1.classifier.safetensors"
SHA256 = "b917d9bcfcbd40b0b0ed488a98afde82e09f0f16b1c4d5f3d26c52e845e9b60e"
KEY = "frozen_classifier"


@pytest.fixture
def content():
    return read_exported(GOLDEN)


def test_the_golden_file_never_changes_and_is_written_again_byte_for_byte(content, tmp_path):
    assert hashlib.sha256(GOLDEN.read_bytes()).hexdigest() == SHA256
    write_adapter(tmp_path / "b.classifier.safetensors", content)
    assert (tmp_path / "b.classifier.safetensors").read_bytes() == GOLDEN.read_bytes()


def test_its_card_says_what_it_is_and_that_the_model_is_unchanged(content):
    said = card_text(content)
    assert "FROZEN CLASSIFIER" in said
    assert "Linear probe on frozen features" in said
    assert "the model itself is unchanged" in said
    assert "Not for diagnostic use." in said


def test_it_is_no_sigma_adapter():
    with pytest.raises(UserError, match="is a frozen classifier"):
        read_adapter(GOLDEN)


def test_reading_it_needs_no_torch():
    code = (
        "import sys; from pathlib import Path; from clipsvd_app.adapter_file import card_text, read_exported;"
        f"card_text(read_exported(Path({str(GOLDEN)!r}))); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def damaged(change) -> bytes:
    raw = GOLDEN.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    header, body = json.loads(raw[8 : 8 + length]), raw[8 + length :]
    body = change(header, body) or body
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def in_document(change):
    def edit(header, _):
        document = json.loads(header["__metadata__"][KEY])
        change(document)
        header["__metadata__"][KEY] = json.dumps(document)

    return edit


def named(header, _):
    header["weights"] = header.pop("weight")


def flat(header, _):
    header["weight"]["shape"] = [int(np.prod(header["weight"]["shape"]))]


def halves(header, _):
    header["weight"]["dtype"] = "F16"
    header["weight"]["shape"][1] *= 2


def not_finite(header, body):
    begin = header["weight"]["data_offsets"][0]
    return body[:begin] + np.float32(np.nan).tobytes() + body[begin + 4 :]


def huge(header, body):
    begin = header["bias"]["data_offsets"][0]
    return body[:begin] + np.float32(1e9).tobytes() + body[begin + 4 :]


def longer(_, body):
    return body + b"\0\0\0\0"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (named, "two tensors"),
        (flat, "a table and a list"),
        (halves, "a table and a list"),
        (not_finite, "not finite"),
        (huge, "implausibly large"),
        (longer, "rejected because"),
        (in_document(lambda d: d.update(format=2)), "format 2"),
        (in_document(lambda d: d.update(method="tip_adapter")), "not valid at “method”"),
        (in_document(lambda d: d.update(patients="Doe")), "unknown entry"),
        (in_document(lambda d: d.pop("base")), "something is missing"),
        (in_document(lambda d: d["base"].update(sha256="ab")), "not valid at “base.sha256”"),
        (in_document(lambda d: d["classes"].append({"name": "more", "prompts": ["more"]})), "canary"),
        (in_document(lambda d: d["classes"][1].update(name=d["classes"][0]["name"])), "same name"),
        (in_document(lambda d: d["classes"][0].update(name="a\u202eb")), "hidden control"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_in_one_sentence(change, said, tmp_path):
    file = tmp_path / "a.classifier.safetensors"
    file.write_bytes(damaged(change))
    with pytest.raises(UserError, match=said) as caught:
        read_exported(file)
    assert caught.value.remedy
    assert caught.value.message.count(". ") == 0


def test_what_breaks_the_format_is_never_written(content, tmp_path):
    with pytest.raises(UserError, match="one row for each class"):
        write_adapter(tmp_path / "a", replace(content, weight=content.weight[:1].copy()))
    assert adapter_bytes(content) == GOLDEN.read_bytes()
