"""The two kinds of trouble a user can meet: something to mend, or a wish to stop."""

from __future__ import annotations

import re

# Control characters, line breaks, marks that turn the reading direction, and halves of characters, as file
# names may hold them: a sentence stays one line, and can be written as UTF-8.
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class UserError(Exception):
    """Something the user can mend, in one sentence, with what to do about it."""

    def __init__(self, message: str, *, remedy: str, code: str = "user_error") -> None:
        message = _HIDDEN.sub("\ufffd", message)
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = code

    def __str__(self) -> str:
        """Return message and remedy as one line, as the command line prints it."""
        return f"{self.message} {self.remedy}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the keyword arguments when the error crosses a process boundary."""
        return _restore_user_error, (self.message, self.remedy, self.code)


class Cancelled(Exception):  # noqa: N818 - stopping on request is not an error
    """The user asked for the work to stop."""


def _restore_user_error(message: str, remedy: str, code: str) -> UserError:
    return UserError(message, remedy=remedy, code=code)
