"""Notices: what happened, what to do, at most one button; and which of them wait to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipsvd_app.errors import UserError
    from clipsvd_app.jobs.lines import Failed

START_ENGINE, OPEN_PREFIX = "engine.start", "open:"  # a path follows
GONE_CODE = "engine_gone"
ELSEWHERE_KEY = "run-elsewhere"  # of a project that is not the open one
NoticeKind = Literal["info", "success", "warning", "error"]
WAITS_CODE = "run_waiting"
PROGRAM_KEYS = frozenset(
    {
        *(GONE_CODE, ELSEWHERE_KEY, WAITS_CODE, "settings", "backbone", "demo", "adapter", "apply"),
        "weak-prompts",
    }
)
"""What these tell of is the program's, so it holds when another project is opened."""
_NO_CODE = "user_error"


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. A later notice with the same ``key`` takes the place of the earlier one.

    The key names the kind of action that the notice tells of: its error is over when that next succeeds.
    ``action`` is the id given back when its button, named ``action_text``, is pressed. progress: (done,
    total) of what is under way, total 0 where that is not known.
    """

    kind: NoticeKind
    message: str
    remedy: str = ""
    action: str = ""
    action_text: str = ""
    key: str = ""
    progress: tuple[int, int] | None = None

    @property
    def passes(self) -> bool:
        """Whether it may go by itself: nothing is wrong, nothing is asked and nothing is under way."""
        return self.kind in ("info", "success") and not self.action and self.progress is None


def notice_of(error: UserError, key: str = "") -> Notice:
    """Return the notice that tells of an error of a kind of action, by default of the error's own kind."""
    return Notice("error", error.message, error.remedy, key=key or error.code.replace(_NO_CODE, ""))


def failure_notice(failed: Failed, key: str = "") -> Notice:
    """Return the notice that tells why a job failed; one without an engine offers to start it."""
    if failed.code == GONE_CODE:
        return Notice("error", failed.message, failed.remedy, START_ENGINE, "Start engine", GONE_CODE)
    return Notice("error", failed.message, failed.remedy, key=key or failed.code)


class Waiting:
    """The notices that wait to be read, the newest first, and apart from them what is under way."""

    def __init__(self) -> None:
        self._messages: list[Notice] = []
        self._running: list[Notice] = []

    @property
    def messages(self) -> tuple[Notice, ...]:
        """What happened, the newest first."""
        return tuple(self._messages)

    @property
    def running(self) -> tuple[Notice, ...]:
        """What is under way, in the order in which it began; no message ever hides it."""
        return tuple(self._running)

    def add(self, notice: Notice) -> None:
        """Put a notice first, in place of those with its key; of what passes only the newest waits."""
        place = next((i for i, n in enumerate(self._running) if _same(n, notice)), len(self._running))
        self._running = [n for n in self._running if not _same(n, notice)]
        self._messages = [
            n for n in self._messages if not _same(n, notice) and not (n.passes and notice.passes)
        ]
        if notice.progress is None:
            self._messages.insert(0, notice)
        else:
            self._running.insert(place, notice)

    def settle(self, key: str) -> bool:
        """Take back the notices with this key: what they told of is over. Returns whether there was one."""
        waited = any(notice.key == key for notice in (*self._messages, *self._running))
        self._keep(lambda notice: notice.key != key)
        return waited

    def dismiss(self, notice: Notice) -> None:
        """Take one notice away: it was read."""
        self._keep(lambda other: other != notice)

    def dismiss_all(self) -> None:
        """Take every message away; what is under way stays."""
        self._messages = []

    def arrive(self, page: str) -> None:
        """Take away good news whose button leads to the page that is displayed by now."""
        self._keep(lambda notice: notice.kind not in ("info", "success") or notice.action != page)

    def leave_project(self) -> None:
        """Take away what told of a project that is no longer open."""
        self._keep(lambda notice: notice.key in PROGRAM_KEYS)

    def _keep(self, wanted: Callable[[Notice], bool]) -> None:
        self._messages = [notice for notice in self._messages if wanted(notice)]
        self._running = [notice for notice in self._running if wanted(notice)]


def _same(one: Notice, other: Notice) -> bool:
    return one == other or bool(one.key and one.key == other.key)
