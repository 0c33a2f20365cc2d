"""The format's document: schema, types, and what is written about them agree."""

from __future__ import annotations

import json
import re

import adapter_schemas
import pytest

from clipsvd_app.adapter_file.content import LARGEST_PROMPTS
from clipsvd_app.adapter_file.document import AdapterDocument
from clipsvd_app.adapter_file.plain_text import HIDDEN, one_line
from clipsvd_app.adapter_file.reader import LARGEST_FILE, LARGEST_HEADER
from clipsvd_app.domain.records import from_json, to_json
from clipsvd_app.resources import resource_path


@pytest.fixture(scope="module")
def text(repository) -> str:
    return (repository / "docs" / "sigma-adapter.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", adapter_schemas.DOCUMENTS)
def test_the_published_schema_is_the_one_that_the_program_reads_by(name):
    published = resource_path("schema", name).read_text(encoding="utf-8")
    assert published == adapter_schemas.schema_text(adapter_schemas.DOCUMENTS[name])


@pytest.mark.parametrize("name", adapter_schemas.DOCUMENTS)
def test_no_part_of_a_document_takes_what_the_schema_does_not_name(name):
    schema = json.loads(adapter_schemas.schema_text(adapter_schemas.DOCUMENTS[name]))
    parts = [part for part in schema["$defs"].values() if part["type"] == "object"]
    assert len(parts) > 9
    assert [part["title"] for part in parts if part["additionalProperties"] is not False] == []


def test_the_table_in_the_documentation_names_every_key_and_no_other(text):
    schema = json.loads(adapter_schemas.schema_text(AdapterDocument))["$defs"]
    document = schema["AdapterDocument"]["properties"]
    rows = re.findall(
        r"^\| (`[a-z_`, ]+`) \|(.*)\|$", text.split("## Metadata")[1].split("##")[0], re.MULTILINE
    )
    keys = {key for row, _ in rows for key in re.findall(r"`(\w+)`", row)}
    assert keys == set(document)
    for row, meaning in rows:
        names = re.findall(r"`(\w+)`", row)
        part = schema.get(document[names[0]].get("$ref", "").rpartition("/")[2], {})
        assert [name for name in part.get("properties", ()) if f"`{name}`" not in meaning] == [], names


def test_the_documented_example_is_a_document(repository):
    example = json.loads((repository / "docs" / "sigma-adapter-example.json").read_text(encoding="utf-8"))
    assert to_json(from_json(AdapterDocument, example)) == example


def test_the_documented_limits_are_the_programs(text):
    for limit in (LARGEST_FILE, LARGEST_HEADER, LARGEST_PROMPTS):
        assert f"{limit:,}" in text


@pytest.mark.parametrize(
    "mark", ["\x00", "\x1b", "\n", "\u202e", "\u2066", "\u061c", "\u2028", "\ufeff", "\ud800"]
)
def test_the_writer_cleans_exactly_what_the_schema_forbids(mark):
    assert re.search(f"[{HIDDEN}]", f"a{mark}b")
    assert one_line(f" a{mark}b ") == "a b"


@pytest.mark.parametrize("text", ["می‌خواهم", "👩‍⚕️", "naïve", "ד״ר", "李", "µ²"])
def test_living_scripts_pass_as_they_are(text):
    assert not re.search(f"[{HIDDEN}]", text)
    assert one_line(text) == text
