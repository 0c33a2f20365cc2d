"""The viewer of the Label page: one image of the project with its stack, presets and corner texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from clipsvd_app import imaging
from clipsvd_app.errors import UserError
from clipsvd_app.jobs import WindowSpec
from clipsvd_app.ui.viewer.state import ClassBadge, Corners, FrameState, WindowPreset

if TYPE_CHECKING:
    from clipsvd_app.domain.study import ProjectImage
    from clipsvd_app.imaging import Frame, Window
    from clipsvd_app.ui.label_page.page import LabelPage
    from clipsvd_app.ui.pictures import Pictures
    from clipsvd_app.ui.session import Session


class ViewingController(QObject):
    """Signal: ``shown_changed()`` when another image is asked for."""

    shown_changed = Signal()

    def __init__(self, session: Session, page: LabelPage, pictures: Pictures) -> None:
        super().__init__(page)
        self._session, self._page, self._pictures = session, page, pictures
        self.shown: int | None = None
        page.strip.opened.connect(self.show)
        page.viewer.slice_requested.connect(self._show_slice)
        session.project_changed.connect(self._on_changed)
        session.project_opened.connect(self.clear)
        session.settings_changed.connect(self._show_again)

    def show(self, image_id: int) -> None:
        """Show an image as soon as it is read; the newest wish wins."""
        image = self._image(image_id)
        if image is not None:
            self.shown = image_id
            self.shown_changed.emit()
            self._pictures.want_frame(image, self._show_frame)

    def clear(self) -> None:
        """Show nothing."""
        self.shown = None
        self._page.show_frame(None)

    def _image(self, image_id: int | None) -> ProjectImage | None:
        return next((image for image in self._session.images() if image.id == image_id), None)

    def _stack(self, image: ProjectImage) -> list[int]:
        return [other.id for other in self._session.images() if other.series_id == image.series_id]

    def _show_slice(self, index: int) -> None:
        image = self._image(self.shown)
        if image is not None:
            self.show(self._stack(image)[index])

    def _show_frame(self, image_id: int, frame: Frame) -> None:
        image = self._image(image_id)
        if image_id != self.shown or image is None:
            return
        stack = self._stack(image)
        grey = frame.pixels.ndim == 2
        by_table = grey and frame.voi_lut is not None
        self._page.show_frame(
            FrameState(
                image_id=image_id,
                pixels=imaging.to_display(frame) if by_table else frame.pixels,
                window=_spec(frame.window) if grey and not by_table else None,
                inverted=frame.inverted and grey and not by_table,
                presets=tuple(WindowPreset(name, _spec(window)) for name, window in frame.presets),
                spacing_mm=frame.pixel_spacing_mm,
                units=frame.units,
                corners=self._corners(image, len(stack), stack.index(image_id)),
                badge=self._badge(image),
                index=stack.index(image_id),
                count=len(stack),
                series_key=str(image.series_id),
            )
        )

    def _badge(self, image: ProjectImage) -> ClassBadge | None:
        for known in self._session.classes():
            if known.id == image.class_id:
                return ClassBadge(known.position, known.name)
        return None

    def _corners(self, image: ProjectImage, count: int, index: int) -> Corners:
        place = (f"Image {index + 1} of {count}",) if count > 1 else ()
        size = f"{image.columns} × {image.rows}"
        return Corners(
            top_left=(f"Patient {image.patient_number:03d}", *self._identity(image)),
            top_right=tuple(part for part in (image.modality, image.body_part.title()) if part),
            bottom_left=(*place, size),
        )

    def _identity(self, image: ProjectImage) -> tuple[str, ...]:
        """Return name and id from the file while the user wants to see them; never kept."""
        if not self._session.settings.show_identity:
            return ()
        try:
            header = imaging.read_header(Path(image.path))
        except UserError:
            return ()
        return tuple(part for part in (header.patient_name, header.patient_id) if part)

    def _on_changed(self) -> None:
        image = self._image(self.shown)
        if image is None:
            if self.shown is not None:
                self.clear()
        else:
            self._page.viewer.set_badge(self._badge(image))

    def _show_again(self) -> None:
        if self.shown is not None:
            self.show(self.shown)


def _spec(window: Window) -> WindowSpec:
    return WindowSpec(window.centre, window.width, window.function)  # type: ignore[arg-type]
