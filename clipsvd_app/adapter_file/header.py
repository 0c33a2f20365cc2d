"""The JSON document: written as text, and read back by strict parsing into typed records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from clipsvd_app.adapter_file.container import refuse, strict_json
from clipsvd_app.adapter_file.document import (
    FORMAT,
    FORMAT_WITH_HEAD,
    AdapterDocument,
    ClassifierDocument,
    HeadedDocument,
)
from clipsvd_app.adapter_file.plain_text import plain
from clipsvd_app.domain.records import from_json, to_json
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCUMENT_KEY, CLASSIFIER_KEY = "sigma_adapter", "frozen_classifier"
D = TypeVar("D", AdapterDocument, ClassifierDocument)
# Words of msgspec's messages, and what they mean to a reader of the format. The first match counts: the
# special pattern comes before "regex".
_RULES = {
    "unknown field": "it has an unknown entry",
    "missing": "something is missing",
    "regex '^(?!": "it contains hidden control characters",
    "regex": "it does not match the required pattern",
    "of length <=": "it is too long",
    "of length >=": "it is too short",
    " <": "it is too large",
    " >": "it is too small",
}


def document_text(document: AdapterDocument | ClassifierDocument) -> str:
    """Return the document as JSON text; equal documents give equal bytes."""
    value = to_json(document)
    # Written only if our own reader accepts it.
    try:
        from_json(type(document), value)
    except ValueError as error:
        place, rule = _fault(error)
        raise UserError(
            f"The adapter cannot be written because its entry “{place}” is not valid: {rule}.",
            remedy="Shorten or correct that entry.",
            code="adapter_entry",
        ) from error
    return json.dumps(value, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def document_from_text(text: str) -> AdapterDocument:
    """Read an adapter's document; refuses lax JSON, other formats, and what breaks the schema."""
    return _read(text, {FORMAT: AdapterDocument, FORMAT_WITH_HEAD: HeadedDocument})


def classifier_document_from_text(text: str) -> ClassifierDocument:
    """Read a frozen-feature classifier's document, as ``document_from_text`` does."""
    return _read(text, {FORMAT: ClassifierDocument})


def _read(text: str, kinds: Mapping[int, type[D]]) -> D:
    value = strict_json(text, "its description")
    stated = value.get("format")
    if type(stated) is not int:
        refuse("its description states no format")
    if stated not in kinds:
        read = f"format {' or '.join(map(str, kinds))}"
        raise UserError(
            f"The adapter has format {str(stated)[:20]}, but this program reads {read}.",
            remedy="Update the program, or ask the author for a file in the supported format.",
            code="adapter_format",
        )
    try:
        return from_json(kinds[stated], value)
    except ValueError as error:
        place, rule = _fault(error)
        refuse(f"its description is not valid at “{place}”: {rule}", cause=error)


def _fault(error: ValueError) -> tuple[str, str]:
    """Return the first place where the document breaks the schema, and the rule."""
    said, _, place = str(error).partition(" - at ")
    rule = next((words for sign, words in _RULES.items() if sign in said), "it has the wrong type")
    return plain(place.strip("`").removeprefix("$").strip(".")[:80]) or "the whole", rule
