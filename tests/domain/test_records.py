from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipsvd_app.domain.classes import ClassSpec, class_from_name, clean_name
from clipsvd_app.domain.recipe import PRESETS, Recipe, recipe_for
from clipsvd_app.domain.records import from_json, from_text, to_text
from clipsvd_app.domain.results.run import StepMetrics
from clipsvd_app.domain.view import Crop, Window
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.folders import read_request, write_request
from clipsvd_app.jobs.lines import Failed, Progress, RunJob, decode_command, decode_event, encode_line
from clipsvd_app.jobs.requests import BackboneRef, ImageInput, TrainRequest

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.text(min_size=1).filter(str.strip)
PARTS = st.floats(0.01, 0.5)
INPUTS = st.builds(
    ImageInput,
    id=st.integers(0, 10**6),
    path=WORDS,
    frame=st.integers(0, 500),
    patient=WORDS,
    label=st.none() | st.integers(0, 9),
    window=st.none() | st.builds(Window, FLOATS, FLOATS),
    crop=st.none() | st.builds(Crop, PARTS, PARTS, PARTS, PARTS),
)
REQUESTS = st.builds(
    TrainRequest,
    backbone=st.builds(BackboneRef, WORDS, WORDS, WORDS),
    classes=st.lists(st.builds(class_from_name, WORDS.filter(clean_name)), min_size=2, max_size=4).map(tuple),
    images=st.lists(INPUTS, max_size=4).map(tuple),
    recipe=st.sampled_from(list(PRESETS.values())),
    seed=st.integers(0, 99),
    shots=st.none() | st.integers(1, 64),
    device=st.sampled_from(["auto", "cpu", "cuda", "mps"]),
)


@given(REQUESTS)
def test_a_request_survives_its_json(request_: TrainRequest) -> None:
    assert from_text(TrainRequest, to_text(request_)) == request_


def test_a_job_folder_gives_back_its_request(tmp_path) -> None:
    request = TrainRequest(
        BackboneRef("demo", "/models/demo"),
        (class_from_name("cyst"), class_from_name("mass")),
        (ImageInput(1, "/images/1.png", 0, "7", 0),),
        Recipe(),
    )
    write_request(tmp_path / "job", request)
    assert read_request(tmp_path / "job") == request


@given(
    st.builds(
        Progress,
        job=st.integers(1),
        stage=st.text(),
        done=st.integers(0),
        total=st.integers(0),
        metrics=st.none() | st.builds(StepMetrics, st.integers(0), st.none() | FLOATS, st.none(), FLOATS),
    )
    | st.builds(Failed, job=st.integers(1), code=st.text(), message=st.text(), remedy=st.text())
)
def test_an_event_is_one_line_and_comes_back(event) -> None:
    line = encode_line(event)
    assert line.count("\n") == 1
    assert decode_event(line) == event


@given(st.text())
def test_a_stray_line_is_refused_and_never_taken_for_a_message(line: str) -> None:
    with pytest.raises((json.JSONDecodeError, msgspec.ValidationError)):
        decode_event(line)


def test_commands_and_events_are_not_mistaken_for_each_other() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_event(encode_line(RunJob(1, "/jobs/1")))
    assert decode_command(encode_line(RunJob(1, "/jobs/1"))) == RunJob(1, "/jobs/1")


@pytest.mark.parametrize(
    "value",
    [
        {"name": "a"},
        {"name": "a", "prompts": ["b"], "colour": "red"},
        {"name": 1, "prompts": ["b"]},
        {"name": "a", "prompts": "b"},
        ["a", ["b"]],
        None,
    ],
)
def test_a_value_that_does_not_fit_its_type_is_refused(value) -> None:
    with pytest.raises(msgspec.ValidationError):
        from_json(ClassSpec, value)


def test_true_is_no_number() -> None:
    with pytest.raises(msgspec.ValidationError):
        from_json(Window, {"centre": True, "width": 1.0, "function": "LINEAR"})


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(UserError, match="quick, standard, thorough"):
        recipe_for("slow")


@pytest.mark.parametrize(("name", "prompts"), [("", ("a",)), ("  ", ("a",)), ("cyst", ()), ("cyst", (" ",))])
def test_a_class_without_name_or_prompt_cannot_be_made(name: str, prompts: tuple[str, ...]) -> None:
    with pytest.raises(UserError) as refused:
        ClassSpec(name, prompts)
    assert refused.value.remedy
