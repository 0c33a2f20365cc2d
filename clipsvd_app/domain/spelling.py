"""Names that are probably one name, typed wrongly once."""

from __future__ import annotations

from clipsvd_app.domain.classes import class_key

_FEWEST_LETTERS = 4


def is_slip(one: str, other: str) -> bool:
    """Whether two names differ by one letter in one long word.

    A prefix makes another word (typical, atypical), and so do a digit or a short word (grade 1, type A).
    """
    first, second = class_key(one), class_key(other)
    if first == second:
        return False
    words, others = first.split(), second.split()
    if len(words) != len(others):
        return "".join(words) == "".join(others)
    differ = [pair for pair in zip(words, others, strict=True) if pair[0] != pair[1]]
    return len(differ) == 1 and _one_letter_off(*differ[0])


def _one_letter_off(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(short) < _FEWEST_LETTERS or len(long) - len(short) > 1 or long.endswith(short):
        return False
    if any(letter.isdigit() for letter in one + other):
        return False
    start = next(
        (place for place, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]), len(short)
    )
    if len(short) < len(long):
        return short[start:] == long[start + 1 :]
    swapped = short[start : start + 2] == long[start : start + 2][::-1]
    return short[start + 1 :] == long[start + 1 :] or (swapped and short[start + 2 :] == long[start + 2 :])
