"""A number with its noun is written by one helper, so that nobody reads “1 images” or “1234 images”."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

from clipsvd_app.domain.words.counting import counted, images_of_patients

PACKAGE = Path(__file__).parents[2] / "clipsvd_app"
NOUNS = frozenset(
    (
        *("images", "patients", "files", "errors", "labels", "marks", "lines", "matrices", "runs", "cases"),
        *("prompts", "classes", "slices", "studies", "series", "phrases", "heads", "folders", "columns"),
        *("rows", "frames", "pairs", "steps", "threads", "tokens", "readers", "films", "copies", "layers"),
    )
)
WRITTEN_OUT = frozenset(
    {  # numbers that are never one, names of files, and what is no amount
        ("cli/project/images.py", "series"),
        ("engine/sigma/adapter_document.py", "prompts"),
        ("domain/words/evaluation.py", "classes"),
        ("domain/words/evaluation.py", "images"),
        ("domain/words/evaluation.py", "patients"),
        ("engine/sigma/adapter_document.py", "classes"),
        ("engine/backbone/prompt_check.py", "tokens"),
        ("imaging/series/checks.py", "frames"),
        ("imaging/series/checks.py", "images"),
        ("project/project.py", "images"),
        ("services/studies/rule_doubts.py", "folders"),
        ("services/studies/rule_doubts.py", "patients"),
        ("services/studies/import_plan.py", "frames"),
        ("services/studies/import_plan.py", "studies"),
        ("services/studies/held_out_patients.py", "patients"),
        ("services/projects/new_project.py", "images"),
        ("ui/label/files.py", "labels"),
        ("ui/viewer/controllers/frames.py", "images"),
    }
)


@lru_cache
def counts_without_helper() -> frozenset[tuple[str, str]]:
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        for text in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(text, ast.JoinedStr):
                for number, words in zip(text.values, text.values[1:], strict=False):
                    if is_amount(number) and isinstance(words, ast.Constant):
                        behind = str(words.value)[:40]
                        first = next(iter(plain(behind).split()), "")
                        if behind.startswith(" ") and first in NOUNS:
                            found.add((path.relative_to(PACKAGE).as_posix(), first))
    return frozenset(found)


def is_amount(part: ast.expr) -> bool:
    if not isinstance(part, ast.FormattedValue):
        return False
    value = part.value
    if isinstance(value, ast.Call):
        called = value.func
        return getattr(called, "id", getattr(called, "attr", "")) in ("len", "sum", "max", "min")
    return not getattr(value, "attr", getattr(value, "id", "A")).isupper()


def plain(text: str) -> str:
    return " ".join(text.replace(",", " ").replace(".", " ").replace(":", " ").split())


def test_numbers_are_written_with_the_noun_that_fits_them():
    assert [counted(number, "image") for number in (0, 1, 2, 1234)] == [
        "0 images",
        "1 image",
        "2 images",
        "1,234 images",
    ]
    assert counted(1, "study", "studies") == "1 study"
    assert counted(2, "series is", "series are") == "2 series are"
    assert images_of_patients(1, 1) == "1 image of 1 patient"


def test_every_count_that_is_read_is_written_by_the_helper():
    assert counts_without_helper() - WRITTEN_OUT == set()


def test_no_exception_is_kept_for_nothing():
    assert counts_without_helper() >= WRITTEN_OUT
