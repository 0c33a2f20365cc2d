"""A class is a finding with a name and the sentences that the text tower reads for it."""

from __future__ import annotations

from dataclasses import dataclass

from clipsvd_app.errors import UserError

TEMPLATES = (
    "{}",
    "an image of {}",
    "a medical image showing {}",
    "this image shows {}",
    "{} is present",
)


@dataclass(frozen=True, slots=True)
class ClassSpec:
    """One class: its name as shown, and the prompts whose mean embedding stands for it."""

    name: str
    prompts: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise UserError("A class needs a name.", remedy="Type the finding as you would dictate it.")
        if not any(prompt.strip() for prompt in self.prompts):
            raise UserError(
                f"The class “{self.name}” has no prompt.", remedy="Write at least one sentence for it."
            )


def class_from_name(name: str) -> ClassSpec:
    """Return a class with the general templates filled with its name."""
    clean = " ".join(name.split())
    spoken = clean.replace("_", " ").lower()
    return ClassSpec(clean, tuple(template.format(spoken) for template in TEMPLATES))
