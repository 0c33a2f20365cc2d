"""The JSON document: to text, and back through strict parsing, the schema and the types."""

from __future__ import annotations

import functools
import json
from typing import TypeVar

import jsonschema
from referencing import Registry, Resource

from clipsvd_app.adapter_file.container import refuse, strict_json
from clipsvd_app.adapter_file.document import FORMAT, AdapterDocument, ClassifierDocument
from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.domain.codec import CodecError, from_json, to_json
from clipsvd_app.errors import UserError
from clipsvd_app.resources import resource_path

DOCUMENT_KEY, CLASSIFIER_KEY = "sigma_adapter", "frozen_classifier"
SCHEMA_FILE, CLASSIFIER_SCHEMA_FILE = "sigma_adapter.schema.json", "frozen_classifier.schema.json"
D = TypeVar("D", AdapterDocument, ClassifierDocument)
_RULES = {
    "additionalProperties": "it holds something that the format does not know",
    "required": "something is missing",
    "type": "it is of the wrong kind",
    "not": "it holds hidden control or direction characters",
    "maxLength": "it is too long",
    "minLength": "it is empty",
    "maxItems": "it has too many parts",
    "minItems": "it has too few parts",
    "maximum": "it is too large",
    "minimum": "it is too small",
}


def document_text(document: AdapterDocument | ClassifierDocument) -> str:
    """Return the document as JSON text; equal documents give equal bytes."""
    value = to_json(document)
    schema = SCHEMA_FILE if isinstance(document, AdapterDocument) else CLASSIFIER_SCHEMA_FILE
    if (fault := _fault(value, schema)) is not None:
        place, rule = fault
        raise UserError(
            f"The adapter cannot be written because its entry “{place}” breaks the format: {rule}.",
            remedy="Shorten or correct that entry.",
            code="adapter_entry",
        )
    return json.dumps(value, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def document_from_text(text: str) -> AdapterDocument:
    """Read an adapter's document; refuses what is not strict JSON, not format 1, or breaks the schema."""
    return _read(text, AdapterDocument, SCHEMA_FILE)


def classifier_document_from_text(text: str) -> ClassifierDocument:
    """Read a frozen-feature classifier's document, as ``document_from_text`` does."""
    return _read(text, ClassifierDocument, CLASSIFIER_SCHEMA_FILE)


def _read(text: str, kind: type[D], schema: str) -> D:
    value = strict_json(text, "its description")
    stated = value.get("format")
    if type(stated) is not int:
        refuse("its description states no format")
    if stated != FORMAT:
        raise UserError(
            f"The adapter has format {str(stated)[:20]}, but this program reads format {FORMAT}.",
            remedy="Update the program, or ask the author for a file in this format.",
            code="adapter_format",
        )
    if (fault := _fault(value, schema)) is not None:
        refuse(f"its description breaks the schema at “{fault[0]}”: {fault[1]}")
    try:
        return from_json(kind, value)
    except CodecError as error:
        refuse("its description does not have the form of the format", cause=error)
    except UserError as error:
        refuse("its description contradicts itself", cause=error)


def _fault(value: dict[str, object], schema: str) -> tuple[str, str] | None:
    """Return where the document first breaks the schema, and which rule; None if it does not."""
    error = next(iter(_validator(schema).iter_errors(value)), None)
    if error is None:
        return None
    place = plain(".".join(str(part) for part in error.absolute_path)[:80])
    rule = str(error.validator)
    return place or "the whole", _RULES.get(rule, f"the rule “{rule}” does not hold")


@functools.cache
def _validator(schema: str) -> jsonschema.Draft202012Validator:
    """Return the validator of a schema; what the classifier's shares with the adapter's refers to that."""
    known = Registry().with_resource(SCHEMA_FILE, Resource.from_contents(_schema(SCHEMA_FILE)))
    return jsonschema.Draft202012Validator(_schema(schema), registry=known)


def _schema(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(resource_path("schema", name).read_text(encoding="utf-8"))
    return found
