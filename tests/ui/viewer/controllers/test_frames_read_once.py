"""Facts about the pictures that pages share."""

from __future__ import annotations

from support.project_images import project_image

from clipsvd_app.ui.session.background import Task
from clipsvd_app.ui.session.image_cache import Pictures


class SlowBackground:
    """Takes every task and finishes none."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def run(self, work, on_done, on_progress=None, priority=0) -> Task:
        self.tasks.append(Task())
        return self.tasks[-1]


def test_frames_guessed_twice_are_read_once_and_those_guessed_no_more_not_at_all(qapp):
    slow = SlowBackground()
    pictures = Pictures(slow)
    one, two, three, four = (project_image(number) for number in (1, 2, 3, 4))
    pictures.read_ahead([one, two, three])
    pictures.read_ahead([two, three, four])
    assert [task.cancelled for task in slow.tasks] == [True, False, False, False]
    pictures.read_ahead([one])
    assert [task.cancelled for task in slow.tasks] == [True, True, True, True, False]
