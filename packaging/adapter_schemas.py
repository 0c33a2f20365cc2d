"""Write the published schemas of adapter files anew, from the types that read and write them."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from clipsvd_app.adapter_file.document import AdapterDocument, ClassifierDocument, HeadedDocument

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "schema"
DOCUMENTS: dict[str, type[msgspec.Struct]] = {
    "sigma_adapter.schema.json": AdapterDocument,
    "sigma_adapter_2.schema.json": HeadedDocument,
    "frozen_classifier.schema.json": ClassifierDocument,
}


def schema_text(document: type[msgspec.Struct]) -> str:
    """Return the JSON schema of a document, as the file holds it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(document)}
    return json.dumps(schema, indent=1) + "\n"


if __name__ == "__main__":
    for name, document in DOCUMENTS.items():
        (FOLDER / name).write_text(schema_text(document), encoding="utf-8")
