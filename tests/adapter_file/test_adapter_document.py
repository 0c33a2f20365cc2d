"""The format's document: schema, types, and what is written about them agree."""

from __future__ import annotations

import dataclasses
import json
import re

import jsonschema
import pytest
from adapter_examples import example_document

from clipsvd_app.adapter_file.content import LARGEST_PROMPTS
from clipsvd_app.adapter_file.document import AdapterDocument
from clipsvd_app.adapter_file.plain_text import one_line
from clipsvd_app.adapter_file.reader import LARGEST_FILE, LARGEST_HEADER
from clipsvd_app.domain.codec import from_json, to_json
from clipsvd_app.resources import resource_path


@pytest.fixture(scope="module")
def schema() -> dict:
    return json.loads(resource_path("schema", "sigma_adapter.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def text(repository) -> str:
    return (repository / "docs" / "sigma-adapter.md").read_text(encoding="utf-8")


def objects(value: object, schema: dict, place: str = ""):
    """Every object of a JSON value beside the part of the schema that rules it."""
    if isinstance(value, dict) and "properties" in schema:
        yield place, value, schema
        for key, inner in value.items():
            yield from objects(inner, schema["properties"].get(key, {}), f"{place}.{key}")
    if isinstance(value, list):
        for inner in value:
            yield from objects(inner, schema.get("items", {}), f"{place}[]")


def test_schema_and_types_name_the_same_keys_everywhere(schema):
    seen = 0
    for place, value, rules in objects(to_json(example_document()), schema):
        assert set(value) == set(rules["properties"]), place
        assert rules["additionalProperties"] is False, place
        seen += 1
    assert seen > 12


def test_what_the_schema_does_not_require_has_a_default(schema):
    optional = {
        field.name
        for field in dataclasses.fields(AdapterDocument)
        if field.default is not dataclasses.MISSING
    }
    assert set(schema["properties"]) - set(schema["required"]) == optional - {"format"}


def test_the_table_in_the_documentation_names_every_key_and_no_other(schema, text):
    rows = re.findall(
        r"^\| (`[a-z_`, ]+`) \|(.*)\|$", text.split("## Metadata")[1].split("##")[0], re.MULTILINE
    )
    keys = {key for row, _ in rows for key in re.findall(r"`(\w+)`", row)}
    assert keys == set(schema["properties"])
    for row, meaning in rows:
        names = re.findall(r"`(\w+)`", row)
        inner = schema["properties"][names[0]].get("properties", {})
        assert [name for name in inner if f"`{name}`" not in meaning] == [], names


def test_the_documented_example_obeys_the_schema_and_the_types(repository, schema):
    example = json.loads((repository / "docs" / "sigma-adapter-example.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(example)
    assert to_json(from_json(AdapterDocument, example)) == example


def test_the_documented_limits_are_the_programs(text):
    for limit in (LARGEST_FILE, LARGEST_HEADER, LARGEST_PROMPTS):
        assert f"{limit:,}" in text


@pytest.mark.parametrize(
    "mark", ["\x00", "\x1b", "\n", "\u202e", "\u2066", "\u061c", "\u2028", "\ufeff", "\ud800"]
)
def test_the_writer_cleans_exactly_what_the_schema_forbids(schema, mark):
    hidden = re.compile(schema["$defs"]["hidden"]["pattern"])
    assert hidden.search(f"a{mark}b")
    assert one_line(f" a{mark}b ") == "a b"


@pytest.mark.parametrize("text", ["می‌خواهم", "👩‍⚕️", "naïve", "ד״ר", "李", "µ²"])
def test_living_scripts_pass_as_they_are(schema, text):
    assert not re.search(schema["$defs"]["hidden"]["pattern"], text)
    assert one_line(text) == text
