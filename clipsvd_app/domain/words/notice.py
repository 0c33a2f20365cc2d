"""What the program always says of itself, in one wording."""

from __future__ import annotations

from typing import Final

NOT_FOR_DIAGNOSIS: Final = "Not for diagnostic use."
NOT_DIAGNOSTIC: Final = f"For research and teaching. {NOT_FOR_DIAGNOSIS}"
