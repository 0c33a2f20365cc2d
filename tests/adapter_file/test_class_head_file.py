"""An adapter with a class head is a file of format 2; half a head or a wrong one is refused."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from adapter_examples import example_content, headed_content
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.numpy import load_file
from support.changing import replace

from clipsvd_app.adapter_file import HeadTensors, card_text, read_adapter, write_adapter
from clipsvd_app.adapter_file.document import AdapterDocument, HeadedDocument, HeadNote
from clipsvd_app.adapter_file.header import classifier_document_from_text, document_text
from clipsvd_app.adapter_file.writer import adapter_bytes
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

Change = Callable[[dict[str, Any], dict[str, Any], bytearray], object]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.sigma.safetensors"


def changed(change: Change) -> bytes:
    """Return the example with changes to its header, its document and its tensors' bytes."""
    raw = adapter_bytes(headed_content())
    length = struct.unpack("<Q", raw[:8])[0]
    header, body = json.loads(raw[8 : 8 + length]), bytearray(raw[8 + length :])
    document = json.loads(header["__metadata__"]["sigma_adapter"])
    change(header, document, body)
    header["__metadata__"]["sigma_adapter"] = json.dumps(document)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(body)


def without(name: str) -> Change:
    """Take one tensor out, bytes and all, so that only its absence is wrong."""

    def change(header: dict[str, Any], _: object, body: bytearray) -> None:
        begin, end = header.pop(name)["data_offsets"]
        del body[begin:end]
        for key, entry in header.items():
            if key != "__metadata__" and entry["data_offsets"][0] >= end:
                entry["data_offsets"] = [place - (end - begin) for place in entry["data_offsets"]]

    return change


def without_both(header: dict[str, Any], document: dict[str, Any], body: bytearray) -> None:
    for name in ("head.bias", "head.offsets"):
        without(name)(header, document, body)


def shape(name: str, *sides: int) -> Change:
    return lambda header, *_: header[name].update(shape=list(sides))


def number(name: str, value: float) -> Change:
    def change(header: dict[str, Any], _: object, body: bytearray) -> None:
        begin = header[name]["data_offsets"][0]
        body[begin : begin + 4] = struct.pack("<f", value)

    return change


def as_format_1(_: object, document: dict[str, Any], __: object) -> None:
    document["format"] = 1
    del document["head"]


def test_what_is_written_is_read_back(path: Path) -> None:
    content = headed_content()
    write_adapter(path, content)
    back = read_adapter(path)
    assert back.document == content.document
    assert (back.format, back.head_start) == (2, "linear_probe")
    assert back.head is not None
    np.testing.assert_array_equal(back.head.offsets, content.head.offsets)
    np.testing.assert_array_equal(back.head.bias, content.head.bias)
    assert back.trained_numbers == back.singular_values + 8


def test_the_plain_safetensors_library_reads_the_head(path: Path) -> None:
    write_adapter(path, headed_content())
    tensors = load_file(path)
    assert tensors["head.offsets"].shape == (2, 3)
    assert tensors["head.bias"].tolist() == [0.5, -0.5]


def test_a_file_without_a_head_is_of_format_1(path: Path) -> None:
    write_adapter(path, example_content())
    back = read_adapter(path)
    assert (back.format, back.head, back.head_start) == (1, None, "")
    assert type(back.document) is AdapterDocument
    assert b"head." not in path.read_bytes()


def test_a_reader_of_format_1_refuses_format_2_in_one_sentence() -> None:
    # The classifier has format 1 only: its reader is what an older reader of adapters is.
    with pytest.raises(UserError, match=r"has format 2, but this program reads format 1\.") as caught:
        classifier_document_from_text(document_text(headed_content().document))
    assert caught.value.code == "adapter_format"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("head.bias"), "only one tensor of its class head, “head.offsets”"),
        (without("head.offsets"), "only one tensor of its class head, “head.bias”"),
        (without_both, "disagree on whether it has a class head"),
        (as_format_1, "disagree on whether it has a class head"),
        (shape("head.offsets", 3, 2), "one row for each class"),
        (shape("head.offsets", 6), "a table and a list"),
        (shape("head.offsets", 2, 3, 1), "a table and a list"),
        (shape("head.bias", 2, 1), "a table and a list"),
        (lambda header, *_: header["head.offsets"].update(dtype="I32"), "a table and a list"),
        (number("head.offsets", float("nan")), "“head.offsets” contains a number that is not finite"),
        (number("head.bias", float("inf")), "“head.bias” contains a number that is not finite"),
        (number("head.bias", 1e9), "implausibly large"),
        (number("head.offsets", -1e9), "implausibly large"),
        (lambda _, document, __: document.pop("head"), "something is missing"),
        (lambda _, document, __: document["head"].update(patient="Doe"), "unknown entry"),
        (lambda _, document, __: document["head"].update(start="a\u202eb"), "hidden control"),
        (lambda _, document, __: document.update(format=3), "format 3, but this program reads format 1 or 2"),
    ],
)
def test_a_wrong_head_is_refused_in_one_sentence(change: Change, said: str, path: Path) -> None:
    path.write_bytes(changed(change))
    with pytest.raises(UserError, match=said) as caught:
        read_adapter(path)
    assert caught.value.remedy
    assert caught.value.message.count(". ") == 0


@pytest.mark.parametrize(
    "head",
    [
        None,
        HeadTensors(np.zeros((3, 4), np.float32), np.zeros(3, np.float32)),
        HeadTensors(np.zeros((2, 4), np.float32), np.zeros(3, np.float32)),
        HeadTensors(np.zeros((2, 0), np.float32), np.zeros(2, np.float32)),
        HeadTensors(np.zeros((2, 4), np.float64), np.zeros(2, np.float32)),
        HeadTensors(np.full((2, 4), np.nan, np.float32), np.zeros(2, np.float32)),
    ],
)
def test_what_breaks_the_format_is_never_written(head: HeadTensors | None, path: Path) -> None:
    with pytest.raises(UserError):
        write_adapter(path, replace(headed_content(), head=head))
    assert not path.exists()


def test_a_head_without_its_note_is_never_written(path: Path) -> None:
    with pytest.raises(UserError, match="disagree"):
        write_adapter(path, replace(example_content(), head=headed_content().head))


def test_the_card_says_which_head_it_is_and_counts_it_apart_from_the_model() -> None:
    said = card_text(headed_content())
    assert "12 singular values of 2 matrices (0.000% of the model)" in said
    assert "Class head: 8 numbers beside the model, started from: Linear probe on frozen features" in said
    unknown = replace(headed_content().document, head=HeadNote("a \x1b[31mway"))
    assert "started from: a [31mway" in card_text(replace(headed_content(), document=unknown))
    assert "Class head" not in card_text(example_content())


FINITE = st.floats(-10_000, 10_000, width=32)


@given(data=st.data(), classes=st.integers(2, 5), width=st.integers(1, 9))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_plausible_head_is_written_and_read_back(
    data: st.DataObject, classes: int, width: int, path: Path
) -> None:
    head = HeadTensors(
        data.draw(arrays(np.float32, (classes, width), elements=FINITE)),
        data.draw(arrays(np.float32, classes, elements=FINITE)),
    )
    content = headed_content()
    document = replace(
        content.document,
        classes=tuple(replace(content.document.classes[0], name=f"c{n}") for n in range(classes)),
        canaries=replace(content.document.canaries, items=()),
        training=replace(content.document.training, images_per_class=(1,) * classes),
    )
    write_adapter(path, replace(content, document=document, head=head))
    back = read_adapter(path)
    assert isinstance(back.document, HeadedDocument)
    assert back.head is not None
    np.testing.assert_array_equal(back.head.offsets, head.offsets)
    np.testing.assert_array_equal(back.head.bias, head.bias)
    assert adapter_bytes(back) == path.read_bytes()


@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutated_files_are_read_or_refused_and_never_crash(path: Path, data: st.DataObject) -> None:
    raw = bytearray(adapter_bytes(headed_content()))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    try:
        read_adapter(path)
    except UserError as error:
        refusal = error
    else:
        return
    assert refusal.message.endswith(".")
    assert refusal.remedy
