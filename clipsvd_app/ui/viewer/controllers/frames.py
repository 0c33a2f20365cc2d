"""The viewer of the Label page: images of the project with their stacks, presets and corner texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from clipsvd_app.errors import UserError
from clipsvd_app.project.changes import Together
from clipsvd_app.project.measure_changes import SetMeasures
from clipsvd_app.ui.session.notices import Notice
from clipsvd_app.ui.viewer.controllers.frame_states import badge_of, frame_state, model_state, place_in
from clipsvd_app.ui.viewer.controllers.training_views import region_change, window_change

if TYPE_CHECKING:
    from clipsvd_app.domain.project_values import ProjectImage
    from clipsvd_app.domain.view import Window
    from clipsvd_app.imaging.values import Frame
    from clipsvd_app.project.changes import Change
    from clipsvd_app.ui.label.page import LabelPage
    from clipsvd_app.ui.session.background import Task
    from clipsvd_app.ui.session.image_cache import Pictures
    from clipsvd_app.ui.session.session import Session
    from clipsvd_app.ui.viewer.tools.geometry import Region

READ_AHEAD = 4


class ViewingController(QObject):
    """Keeps an image in each pane.

    Signals: ``shown_changed()`` when the active one is another, ``series_shown(int)`` when a pane has
    another series displayed.
    """

    shown_changed = Signal()
    series_shown = Signal(int)

    def __init__(self, session: Session, page: LabelPage, pictures: Pictures) -> None:
        super().__init__(page)
        self._session, self._page, self._pictures = session, page, pictures
        self._viewer = page.viewer
        self._asked: dict[int, int] = {}  # image by pane
        self._reading: dict[int, Task | None] = {}
        page.strip.opened.connect(self.show)
        self._viewer.slice_requested.connect(self._show_slice)
        self._viewer.image_dropped.connect(self._show_in)
        self._viewer.study_requested.connect(self._show_study)
        self._viewer.layout_changed.connect(self._on_layout)
        self._viewer.active_changed.connect(self._on_active)
        self._viewer.region_chosen.connect(self._set_region)
        self._viewer.training_window_chosen.connect(self._set_training_window)
        self._viewer.model_view_changed.connect(self._show_again)
        session.project_changed.connect(self._on_changed)
        session.project_opened.connect(self.clear)
        session.settings_changed.connect(self._show_again)

    @property
    def shown(self) -> int | None:
        """The image asked for in the active pane."""
        return self._asked.get(self._viewer.active)

    @property
    def seen(self) -> int | None:
        """The image asked for, else the slice that a plane of a volume in the active pane is nearest to."""
        frame = self._viewer.frame
        return frame.image_id if self.shown is None and frame is not None else self.shown

    @property
    def empty(self) -> bool:
        """Whether no pane shows an image."""
        return not self._asked

    def show(self, image_id: int) -> None:
        """Show an image in the active pane as soon as it is read; the newest wish wins."""
        if self._viewer.layout_name == "mpr":
            self._viewer.set_layout("1")
        self._show_in(self._viewer.active, image_id)

    def clear(self) -> None:
        """Show nothing."""
        self._asked.clear()
        self._viewer.set_layout("1")
        self._page.show_frame(None)

    def _show_in(self, pane: int, image_id: int) -> None:
        image = self._image(image_id)
        if image is None:
            return
        if (reading := self._reading.get(pane)) is not None:
            reading.cancel()
        self._asked[pane] = image_id
        if pane == self._viewer.active:
            self.shown_changed.emit()
        self._reading[pane] = self._pictures.want_frame(
            image, lambda read_id, frame: self._show_frame(pane, read_id, frame)
        )

    def _image(self, image_id: int | None) -> ProjectImage | None:
        return self._session.image(image_id)

    def _stack(self, image: ProjectImage) -> tuple[ProjectImage, ...]:
        return self._session.stack_of(image)

    def _show_slice(self, pane: int, index: int) -> None:
        image = self._image(self._asked.get(pane))
        if image is None or self._viewer.layout_name == "mpr":
            return
        stack = self._stack(image)
        before = place_in(stack, image)
        self._show_in(pane, stack[index].id)
        if pane == self._viewer.active:
            way = 1 if index >= before else -1
            ahead = (index + way * step for step in range(1, READ_AHEAD + 1))
            self._pictures.read_ahead([stack[place] for place in ahead if 0 <= place < len(stack)])

    def _show_frame(self, pane: int, image_id: int, frame: Frame) -> None:
        image = self._image(image_id)
        if self._asked.get(pane) != image_id or image is None or pane not in self._viewer.panes_shown:
            return
        if self._viewer.layout_name != "mpr":
            state = model_state if self._viewer.as_model else frame_state
            before = self._viewer.frame_of(pane)
            self._page.show_frame(made := state(self._session, image, frame, self._stack(image)), pane)
            if before is None or before.series_key != made.series_key:
                self.series_shown.emit(pane)

    def _show_study(self, way: int) -> None:
        """Go to the first image of the previous or next study, stopping at the ends."""
        image = self._image(self.shown)
        if image is None:
            return
        firsts: dict[tuple[int, int], int] = {}
        for other in self._session.images():
            firsts.setdefault((other.patient_number, other.study_number), other.id)
        place = list(firsts).index((image.patient_number, image.study_number)) + way
        if 0 <= place < len(firsts):
            self.show(list(firsts.values())[place])

    def _on_layout(self, name: str) -> None:
        """Fill free panes with the other series of the study; come back from three planes."""
        for pane in [pane for pane in self._asked if pane not in self._viewer.panes_shown]:
            del self._asked[pane]
        if name == "mpr":
            return
        first = self._viewer.frame_of(0)
        if first is not None and first.cross is not None:
            for pane in self._viewer.panes_shown[1:]:  # the first keeps its window until the slice arrives
                self._page.show_frame(None, pane)
            self._asked = {}
            self._show_in(0, first.image_id)
        free = [pane for pane in self._viewer.panes_shown if pane not in self._asked]
        for pane, image_id in zip(free, self._beside(), strict=False):
            self._show_in(pane, image_id)

    def _beside(self) -> list[int]:
        """Return an image of each other series of the patient, this study first, at a like place."""
        image = self._image(self._asked.get(0))
        if image is None:
            return []
        shown = {other.series_id for other in map(self._image, self._asked.values()) if other is not None}
        stack = self._stack(image)
        share = place_in(stack, image) / max(1, len(stack) - 1)
        series: dict[tuple[bool, int], list[int]] = {}
        for other in self._session.images():
            if other.patient_key == image.patient_key and other.series_id not in shown:
                elsewhere = other.study_number != image.study_number
                series.setdefault((elsewhere, other.series_id), []).append(other.id)
        return [ids[round(share * (len(ids) - 1))] for _key, ids in sorted(series.items())]

    def _on_active(self, _pane: int) -> None:
        self._page.follow_viewer()
        self.shown_changed.emit()

    def _set_region(self, image_id: int, region: Region | None, series: bool) -> None:
        image = self._image(image_id)
        if image is None:
            return
        try:
            change = region_change(self._stack(image) if series else [image], region)
        except UserError as error:
            self._session.tell(error, "change")
            self._session.announce_change()  # the region is drawn still
        else:
            self._session.do(self._without_region_drawn(image_id, change))

    def _without_region_drawn(self, image_id: int, change: Change) -> Change:
        """Let the region that was drawn become the one that training sees, in one step."""
        kept = (self._session.measures() or {}).get(image_id, ())
        rest = tuple(measure for measure in kept if measure.kind != "region")
        return change if rest == kept else Together((change, SetMeasures(image_id, rest)), change.title)

    def _set_training_window(self, image_id: int, window: Window | None, series: bool) -> None:
        image = self._image(image_id)
        if image is None:
            return
        images = self._stack(image) if series else [image]
        if self._session.do(window_change(images, window)):
            self._session.tell(_window_notice(len(images) if series else 1, window))

    def _on_changed(self) -> None:
        for pane in list(self._asked):
            if self._image(self._asked[pane]) is None:
                del self._asked[pane]
                self._page.show_frame(None, pane)
        for pane in self._viewer.panes_shown:
            frame = self._viewer.frame_of(pane)
            image = None if frame is None else self._image(frame.image_id)
            if frame is not None and image is not None:
                self._viewer.set_badge(badge_of(self._session, image), image.mark, pane)
                if not frame.derived:
                    self._viewer.set_crop(image.crop, pane)
                    self._viewer.set_training_window(image.window, pane)
        if self._viewer.as_model:
            self._show_again()

    def _show_again(self) -> None:
        if self._viewer.layout_name != "mpr":
            for pane, image_id in list(self._asked.items()):
                self._show_in(pane, image_id)


def _window_notice(images: int, window: Window | None) -> Notice:
    which = "The image is" if images == 1 else f"All {images:,} images of the series are"
    use = "its own window" if window is None else f"C {window.centre:.4g}   W {window.width:.4g}"
    remedy = "You can undo this. Press J to see the image as used in training."
    return Notice("info", f"{which} now trained with {use}.", remedy, key="window")
