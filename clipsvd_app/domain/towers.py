"""The two towers of a vision-language model."""

from typing import Literal

Tower = Literal["image", "text"]
