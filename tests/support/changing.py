"""One ``replace`` for tests that change both records and dataclasses."""

import dataclasses

import msgspec


def replace(value, **changes):
    """Return a copy of a frozen value with some of its fields changed."""
    kind = msgspec.structs if isinstance(value, msgspec.Struct) else dataclasses
    return kind.replace(value, **changes)
