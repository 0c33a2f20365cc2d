"""Using an adapter: open it, drop studies on it, read the least certain answers first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.adapter_file import read_exported
from clipsvd_app.adapter_file.names import EITHER
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.answers import PredictResult, VerifyResult
from clipsvd_app.services.adapters import application
from clipsvd_app.ui.export.controller import adapter_facts
from clipsvd_app.ui.export.state import AdapterView, ApplyState, RefusedRow, applied_row
from clipsvd_app.ui.session.jobs import EngineJob, answer_of
from clipsvd_app.ui.session.notices import Notice
from clipsvd_app.ui.session.state import LongJob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsvd_app.imaging.files.left_out import LeftOut
    from clipsvd_app.jobs.requests import BackboneRef
    from clipsvd_app.services.adapters.application import FilePrediction, NewFile
    from clipsvd_app.ui.export.applied_images import AppliedImagesController
    from clipsvd_app.ui.export.page import ExportPage
    from clipsvd_app.ui.session.background import Answer
    from clipsvd_app.ui.session.session import Session


_SHOWN = LongJob("export", "Applying the adapter", "The predictions will be lost.")


class ApplyController(QObject):
    """Keeps one open adapter and its latest answers."""

    def __init__(self, session: Session, page: ExportPage, images: AppliedImagesController) -> None:
        super().__init__(page)
        self._session, self._page, self._images = session, page, images
        self._state = ApplyState()
        self._adapter: Path | None = None
        self._backbone: BackboneRef | None = None
        self._rows: tuple[FilePrediction, ...] = ()
        self._checking: EngineJob[VerifyResult] | None = None
        self._job: EngineJob[PredictResult] | None = None
        self._opened = 0  # counts adapters: an answer belongs to the one it was asked for
        page.apply_tab.adapter_opened.connect(self.open_adapter)
        page.apply_tab.studies_dropped.connect(self.apply_to)
        page.apply_tab.csv_requested.connect(self._write_csv)
        page.apply_tab.cancel_requested.connect(lambda: session.jobs.cancel(self._job))

    def open_adapter(self, path: str) -> None:
        """Show an adapter's card and check it against its backbone."""
        file = Path(path)
        try:
            content = read_exported(file)
            backbone = application.backbone_of(self._session.settings, file)
        except UserError as error:
            self._session.tell(error, "adapter")
            return
        for key in ("adapter", "apply", "weak-prompts"):
            self._session.settle(key)
        self._session.jobs.drop(self._checking)
        self._session.jobs.drop(self._job)
        self._opened += 1
        self._adapter, self._backbone, self._rows = file, backbone, ()
        view = AdapterView(
            file.name,
            tuple(entry.name for entry in content.document.classes),
            adapter_facts(content),
            content.document.card.intended_use,
        )
        self._images.set_rows((), ())
        self._set(ApplyState(view))
        self._page.show_tab("apply")
        self._session.action_requested.emit("export")
        self._checking = self._session.jobs.run(
            EngineJob(
                key="adapter",
                make=lambda: application.prepare_verify(file, backbone, self._session.device),
                read=answer_of(VerifyResult),
                take=lambda checks: self._set(replace(self._state, adapter=replace(view, checks=checks))),
                outlives_project=True,
            )
        )

    def apply_to(self, paths: Sequence[str]) -> None:
        """Predict dropped studies."""
        if self._adapter is None:
            self._session.tell(
                UserError(
                    "No adapter is open.",
                    remedy=f"Open a {EITHER} file first.",
                ),
                "adapter",
            )
            return
        self._set(replace(self._state, progress=("Reading files", 0, 0)))
        opened = self._opened
        self._session.background.run(
            lambda _report: _listed([Path(path) for path in paths]),
            lambda answer: self._predict(opened, answer),
        )

    def _predict(self, opened: int, answer: Answer) -> None:
        if opened != self._opened:
            return
        if answer.error is not None or answer.value is None:
            self._set(replace(self._state, progress=None))
            if answer.error is not None:
                self._session.tell(answer.error, "apply")
            return
        adapter, backbone = self._adapter, self._backbone
        assert adapter is not None
        assert backbone is not None
        files: tuple[NewFile, ...]
        left_out: tuple[LeftOut, ...]
        files, left_out = answer.value
        self._job = self._session.jobs.run(
            EngineJob(
                key="apply",
                make=lambda: application.prepare_predict(adapter, backbone, files, self._session.device),
                read=answer_of(PredictResult),
                take=lambda found: self._show(files, left_out, found),
                ended=lambda: self._set(replace(self._state, progress=None)),
                advanced=lambda stage: self._set(replace(self._state, progress=stage)),
                outlives_project=True,
            )
        )
        if self._job is None:
            self._set(replace(self._state, progress=None))

    def _show(self, files: tuple[NewFile, ...], left_out: tuple[LeftOut, ...], found: PredictResult) -> None:
        self._rows = application.gather(files, found)
        self._images.set_rows(self._rows, found.class_names)
        if not self._page.isVisible():
            said = f"The adapter was applied to {counted(len(self._rows), 'image')}."
            self._session.tell(Notice("success", said, "", "export", "Show", "apply"))
        if found.warnings:
            self._session.tell(Notice("warning", " ".join(found.warnings), key="weak-prompts"))
        refused = (
            *(RefusedRow(row.file.shown(), row.refusal) for row in self._rows if row.refusal),
            *(RefusedRow(Path(item.path).name, item.sentence) for item in left_out if item.sentence),
        )
        self._set(
            replace(
                self._state,
                rows=tuple(applied_row(row) for row in self._rows if row.probabilities),
                refused=refused,
                warning=application.unlike_summary(self._rows, found.learnt_kind),
            )
        )

    def _write_csv(self, path: str) -> None:
        assert self._state.adapter is not None
        try:
            application.write_csv(self._rows, self._state.adapter.class_names, Path(path))
        except UserError as error:
            self._session.tell(error, "predictions")
        else:
            words, remedy = f"Wrote {Path(path).name}.", "It contains the paths of the files."
            self._session.tell(Notice("success", words, remedy, key="predictions"))

    def _set(self, state: ApplyState) -> None:
        if state.progress is None:
            self._session.long_jobs.end(self)
        elif self._state.progress is None:
            self._session.long_jobs.begin(self, _SHOWN)
        else:
            self._session.long_jobs.advance(self, *state.progress)
        self._state = state
        self._page.apply_tab.set_state(state)


def _listed(paths: Sequence[Path]) -> tuple[tuple[NewFile, ...], tuple[LeftOut, ...]]:
    return application.list_files(paths), application.not_read(paths)
