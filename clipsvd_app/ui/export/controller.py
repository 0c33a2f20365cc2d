"""Writing a run's adapter: what will be in it, the file, and the check afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.adapter_file import AdapterContent
from clipsvd_app.adapter_file.names import file_name
from clipsvd_app.adapter_file.writer import adapter_bytes
from clipsvd_app.domain.results.evaluation import METHOD_TITLES
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.evaluation import recommendation_text
from clipsvd_app.domain.words.trained import trained_words
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.answers import VerifyResult
from clipsvd_app.services.adapters.application import backbone_of, prepare_verify
from clipsvd_app.services.adapters.export import (
    ADAPTED,
    CardText,
    export_run,
    exportable,
    exported_of_run,
    suffix_of,
)
from clipsvd_app.ui.export.state import CardFields, ExportResult, ExportState, MethodChoice
from clipsvd_app.ui.session.jobs import EngineJob, answer_of
from clipsvd_app.ui.session.notices import Notice
from clipsvd_app.ui.session.state import LongJob

if TYPE_CHECKING:
    from clipsvd_app.adapter_file import ClassifierContent
    from clipsvd_app.domain.results.evaluation import MethodName
    from clipsvd_app.ui.export.page import ExportPage
    from clipsvd_app.ui.session.session import Session


class ExportController(QObject):
    """Shows a run as the file it would become."""

    def __init__(self, session: Session, page: ExportPage) -> None:
        super().__init__(page)
        self._session, self._page = session, page
        self._state = ExportState()
        page.write_tab.run_chosen.connect(self._choose_run)
        page.write_tab.method_chosen.connect(self._choose_method)
        page.write_tab.export_requested.connect(self.export)
        page.empty_action.connect(session.action_requested)
        session.run.follow(page, self._follow)
        session.project_opened.connect(self._forget)

    def show_run(self, number: int, method: MethodName = ADAPTED) -> None:
        """Show what would be written of a run, and what else could be; the method it recommends is marked."""
        project = self._session.project
        if project is None:
            return
        try:
            found = project.run_result(number).evaluation
            methods = exportable(project, number)
            content = exported_of_run(project, number, method)
        except UserError as error:
            self._set(ExportState(run=number, blocked=str(error)))
            return
        card = content.document.card
        name = file_name(project.path.stem, number, suffix_of(method))
        self._set(
            ExportState(
                runs=self._session.run.numbers,
                run=number,
                methods=tuple(MethodChoice(known, _title(known, found.recommended)) for known in methods),
                method=method,
                suffix=suffix_of(method),
                advice=recommendation_text(found),
                file_name=name,
                path=str(project.path.resolve().parent / name),
                size_bytes=len(adapter_bytes(content)),
                facts=adapter_facts(content),
                card=CardFields(card.intended_use, card.contact, card.licence),
            )
        )

    def _choose_run(self, number: int) -> None:
        self.show_run(number)
        self._session.run.show(number)

    def _choose_method(self, method: MethodName) -> None:
        if self._state.run is not None:
            self.show_run(self._state.run, method)

    def export(self, path: str, card: CardFields) -> None:
        """Write the file, then have the engine check it."""
        project, run = self._session.project, self._state.run
        if project is None or run is None:
            return
        method, suffix = self._state.method, self._state.suffix
        try:
            text = CardText(card.intended_use, card.licence, card.contact)
            written = export_run(
                project, run, Path(path), text, method=method, overwrite=path.endswith(suffix)
            )
            backbone = backbone_of(self._session.settings, written)
        except UserError as error:
            self._session.tell(error, "export")
            return
        self._session.settle("export")
        self._set(replace(self._state, writing=True, card=card, path=str(written), result=None))
        self._session.jobs.run(
            EngineJob(
                key="export",
                make=lambda: prepare_verify(written, backbone, self._session.device),
                read=answer_of(VerifyResult),
                take=lambda checks: self._take(run, written, checks),
                ended=lambda: self._end(run, written),
                shown=LongJob(
                    "export", "Verifying the adapter", "The file is written but will not be verified."
                ),
            )
        )

    def _is_on_show(self, run: int, written: Path) -> bool:
        return (self._state.run, self._state.path) == (run, str(written))

    def _end(self, run: int, written: Path) -> None:
        if self._is_on_show(run, written):
            self._set(replace(self._state, writing=False))

    def _take(self, run: int, written: Path, checks: VerifyResult) -> None:
        result = ExportResult(written.name, checks)
        if self._is_on_show(run, written):
            self._set(replace(self._state, result=result))
        else:
            self._session.tell(_checked(result))

    def _set(self, state: ExportState) -> None:
        self._state = state
        self._page.set_state(state)

    def _forget(self) -> None:
        """Drop what was typed for the project before."""
        self._set(ExportState())

    def _follow(self) -> None:
        """Show the displayed run, or stay with the one whose file is being described."""
        run = self._session.run
        if self._state.run == run.number or (
            self._page.write_tab.is_edited and self._state.run in run.numbers
        ):
            self._set(replace(self._state, runs=run.numbers))
        elif run.number is not None:
            self.show_run(run.number)
        else:
            self._forget()


def _checked(result: ExportResult) -> Notice:
    if result.checks.passed:
        return Notice("success", f"Wrote and verified “{result.file_name}”.", key="export")
    words = f"“{result.file_name}” failed verification."
    return Notice("error", words, "Export it again.", key="export")


def _title(method: MethodName, recommended: MethodName | None) -> str:
    kind = "CLIP-SVD adapter" if method == ADAPTED else METHOD_TITLES[method]
    return f"{kind} · recommended" if method == recommended else kind


def adapter_facts(content: AdapterContent | ClassifierContent) -> tuple[tuple[str, str], ...]:
    """Return what an adapter is, for people, as (what, value)."""
    document = content.document
    training = document.training
    counts = ", ".join(f"{count:,}" for count in training.images_per_class)
    images = f"{counted(sum(training.images_per_class), 'image')} ({counts})"
    return (
        ("Classes", ", ".join(entry.name for entry in document.classes)),
        ("Backbone", f"{document.base.name} ({document.base.sha256[:12]}…)"),
        ("Trained", _learned(content)),
        ("From", f"{images} of {counted(training.patients, 'patient')}"),
        ("Evaluation", document.evaluation.sentence or "No estimate"),
    )


def _learned(content: AdapterContent | ClassifierContent) -> str:
    if isinstance(content, AdapterContent):
        head = 0 if content.head is None else content.head.size
        return trained_words(content.singular_values, len(content.spectra), head)
    return (
        f"{METHOD_TITLES[content.document.method]}: one linear layer with {content.trained_numbers:,} numbers"
    )
