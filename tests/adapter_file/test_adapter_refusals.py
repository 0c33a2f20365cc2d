from __future__ import annotations

import json
import struct
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from adapter_examples import example_content, with_classes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clipsvd_app.adapter_file import read_adapter, write_adapter
from clipsvd_app.adapter_file.writer import adapter_bytes
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def parts_of(raw: bytes) -> tuple[dict, bytes]:
    length = struct.unpack("<Q", raw[:8])[0]
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def joined(header: dict | bytes, body: bytes) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + body


def refused(tmp_path: Path, raw: bytes, match: str) -> None:
    (tmp_path / "a.sigma.safetensors").write_bytes(raw)
    with pytest.raises(UserError, match=match) as caught:
        read_adapter(tmp_path / "a.sigma.safetensors")
    assert caught.value.remedy


def with_header(change: Callable[[dict], None]) -> bytes:
    header, body = parts_of(adapter_bytes(example_content()))
    change(header)
    return joined(header, body)


def with_document(change: Callable[[dict], None]) -> bytes:
    def edit(header: dict) -> None:
        document = json.loads(header["__metadata__"]["sigma_adapter"])
        change(document)
        header["__metadata__"]["sigma_adapter"] = json.dumps(document)

    return with_header(edit)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no adapter file"):
        read_adapter(tmp_path / "none.sigma.safetensors")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a file"):
        read_adapter(tmp_path)


def test_a_file_over_16_megabytes_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(16_000_001)
    with pytest.raises(UserError, match="16,000,001 bytes"):
        read_adapter(tmp_path / "big")


@pytest.mark.parametrize("length", [0, 1, 256_001, 2**63, 2**64 - 1])
def test_an_impossible_header_length_is_refused(tmp_path: Path, length: int) -> None:
    refused(tmp_path, struct.pack("<Q", length) + b" " * 300_000, "impossible length")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, b"", "impossible length")


def test_a_text_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, b"hello, this is a letter to my aunt", "impossible length")


def test_a_repeated_key_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, joined(b'{"__metadata__":{},"__metadata__":{}}', b""), "not strict JSON")


def test_deeply_nested_json_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, joined(b'{"a":' + b"[" * 100_000, b""), "not strict JSON")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_not_json_are_refused(tmp_path: Path, value: str) -> None:
    def edit(header: dict) -> None:
        text = header["__metadata__"]["sigma_adapter"]
        header["__metadata__"]["sigma_adapter"] = text.replace("42.5", value)

    refused(tmp_path, with_header(edit), "not strict JSON")


def test_an_ordinary_safetensors_file_is_no_adapter(tmp_path: Path) -> None:
    refused(tmp_path, with_header(lambda header: header.pop("__metadata__")), "not a sigma adapter")


def test_a_newer_format_is_refused_by_number(tmp_path: Path) -> None:
    refused(
        tmp_path,
        with_document(lambda document: document.update(format=3)),
        "format 3, but this program reads format 1 or 2",
    )


def test_an_unknown_field_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, with_document(lambda document: document.update(patient="Doe")), "unknown entry")


def test_one_class_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, with_document(lambda document: document["classes"].pop()), "classes")


def test_two_classes_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="same name"):
        write_adapter(tmp_path / "a", with_classes(("nodule", "nodule")))


def test_a_canary_without_a_logit_for_each_class_is_refused(tmp_path: Path) -> None:
    raw = with_document(lambda document: document["canaries"]["items"][0]["logits"].append(1.0))
    refused(tmp_path, raw, "canary")


@pytest.mark.parametrize("part", ["sigma", "sigma_base", "probe"])
def test_a_matrix_without_one_of_its_parts_is_refused(tmp_path: Path, part: str) -> None:
    header, body = parts_of(adapter_bytes(example_content()))
    name = f"visual.trunk.blocks.0.mlp.fc1.{part}"
    gone = header.pop(name)["data_offsets"]
    for entry in header.values():
        if "data_offsets" in entry and entry["data_offsets"][0] >= gone[1]:
            entry["data_offsets"] = [offset - (gone[1] - gone[0]) for offset in entry["data_offsets"]]
    refused(tmp_path, joined(header, body[: gone[0]] + body[gone[1] :]), f"lacks {part}")


def test_an_unexpected_tensor_is_refused(tmp_path: Path) -> None:
    def edit(header: dict) -> None:
        header["x.image"] = header.pop("visual.trunk.blocks.0.mlp.fc1.probe")

    refused(tmp_path, with_header(edit), "unexpected tensor")


def test_bytes_after_the_last_tensor_are_refused(tmp_path: Path) -> None:
    refused(tmp_path, adapter_bytes(example_content()) + b"hidden", "truncated or has bytes after")


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, adapter_bytes(example_content())[:-4], "truncated")


def test_overlapping_tensors_are_refused(tmp_path: Path) -> None:
    def edit(header: dict) -> None:
        header["visual.trunk.blocks.0.mlp.fc1.probe"]["data_offsets"] = [0, 32]

    refused(tmp_path, with_header(edit), "overlap")


def test_a_shape_that_lies_is_refused(tmp_path: Path) -> None:
    def edit(header: dict) -> None:
        header["visual.trunk.blocks.0.mlp.fc1.sigma"]["shape"] = [2**40]

    refused(tmp_path, with_header(edit), "not as large")


def test_a_matrix_in_place_of_a_vector_is_refused(tmp_path: Path) -> None:
    def edit(header: dict) -> None:
        header["visual.trunk.blocks.0.mlp.fc1.sigma"]["shape"] = [2, 3]

    refused(tmp_path, with_header(edit), "not a list of fp32")


def test_integers_in_place_of_numbers_are_refused(tmp_path: Path) -> None:
    def edit(header: dict) -> None:
        header["visual.trunk.blocks.0.mlp.fc1.sigma"]["dtype"] = "I32"

    refused(tmp_path, with_header(edit), "fp32")


def with_sigma(values: list[float]) -> bytes:
    content = example_content()
    sigma = np.array(values, dtype=np.float32)
    first = replace(content.spectra[0], sigma=sigma)
    return adapter_bytes(replace(content, spectra=(first, content.spectra[1])))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    refused(tmp_path, with_sigma([1, 1, 1, 1, 1, value]), "not finite")


def test_a_negative_singular_value_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, with_sigma([1, 1, 1, 1, 1, -0.001]), "negative singular value")


def test_a_change_over_ten_rms_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, with_sigma([50, 1, 1, 1, 1, 1]), "implausibly far")


def test_sigma_of_another_length_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, with_sigma([1, 1, 1]), "matching lengths")


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutated_files_are_read_or_refused_and_never_crash(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(adapter_bytes(example_content()))
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place] = data.draw(st.integers(0, 255))
    read_or_refused(tmp_path, bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    read_or_refused(tmp_path, bytes(raw))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutated_documents_are_read_or_refused_and_never_crash(tmp_path: Path, data: st.DataObject) -> None:
    def edit(document: dict) -> None:
        place = document
        while isinstance(place, dict) and place:
            key = data.draw(st.sampled_from(sorted(place)))
            if isinstance(place[key], dict) and data.draw(st.booleans()):
                place = place[key]
                continue
            place[key] = data.draw(JSON)
            return

    read_or_refused(tmp_path, with_document(edit))


@given(name=st.sampled_from(["dtype", "shape", "data_offsets"]), value=JSON)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutated_entries_are_refused_and_never_crash(tmp_path: Path, name: str, value: object) -> None:
    def edit(header: dict) -> None:
        header["visual.trunk.blocks.0.mlp.fc1.sigma"][name] = value

    read_or_refused(tmp_path, with_header(edit))


def read_or_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "m.sigma.safetensors").write_bytes(raw)
    try:
        read_adapter(tmp_path / "m.sigma.safetensors")
    except UserError as error:
        refusal = error
    else:
        return
    assert refusal.message.endswith(".")
    assert refusal.remedy
