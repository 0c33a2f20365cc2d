"""Writing a run's report in a thread."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from clipsvd_app.adapter_file.names import file_name
from clipsvd_app.domain.results.cases import evidence, is_error
from clipsvd_app.domain.words.counting import counted
from clipsvd_app.domain.words.evaluation import no_estimate_text
from clipsvd_app.domain.words.numbers import file_size
from clipsvd_app.domain.words.results import basis_text, verdict_title
from clipsvd_app.services.report import write_report
from clipsvd_app.ui.export.state import ReportState
from clipsvd_app.ui.session.notices import Notice
from clipsvd_app.ui.session.state import LongJob

if TYPE_CHECKING:
    from clipsvd_app.domain.results.run import RunResult
    from clipsvd_app.services.report import WrittenReport
    from clipsvd_app.ui.export.page import ExportPage
    from clipsvd_app.ui.session.background import Answer, Task
    from clipsvd_app.ui.session.session import Session


class ReportController(QObject):
    """Shows what the report of the displayed run will say, and writes it."""

    def __init__(self, session: Session, page: ExportPage) -> None:
        super().__init__(page)
        self._session, self._page = session, page
        self._state = ReportState()
        self._task: Task | None = None
        self._stopped = False
        session.run.follow(page, self._follow)
        session.project_opened.connect(self._forget)
        page.report_tab.run_chosen.connect(self._choose_run)
        page.report_tab.report_requested.connect(self.write)
        page.report_tab.cancel_requested.connect(self._cancel)

    def open(self) -> None:
        """Bring the report of the displayed run to the front."""
        self._session.action_requested.emit("export")
        self._page.show_tab("report")

    def show_run(self, number: int) -> None:
        """Show what the report of a run will say."""
        project = self._session.project
        if project is None:
            return
        result = project.run_result(number)
        path = project.path.resolve().parent / file_name(project.path.stem, number, ".pdf")
        errors = sum(is_error(prediction) for prediction in evidence(result.predictions))
        self._set(
            ReportState(
                runs=self._session.run.numbers,
                run=number,
                path=str(path),
                facts=_facts(result),
                failures_possible=errors > 0,
                failures_note=_failures_note(errors),
            )
        )

    def _choose_run(self, number: int) -> None:
        self.show_run(number)
        self._session.run.show(number)

    def _follow(self) -> None:
        """Show the displayed run, or stay with the one for whose report a path is typed."""
        run = self._session.run
        if self._state.run == run.number or (
            self._page.report_tab.is_edited and self._state.run in run.numbers
        ):
            self._set(replace(self._state, runs=run.numbers))
        elif run.number is not None:
            self.show_run(run.number)
        else:
            self._forget()

    def _forget(self) -> None:
        """Drop what was typed for the project before."""
        self._set(ReportState())

    def write(self, path: str, failures: bool, overwrite: bool) -> None:
        """Write the report."""
        project, run = self._session.project, self._state.run
        if project is None or run is None or self._task is not None:
            return

        def take(answer: Answer) -> None:
            self._task = None
            if answer.cancelled and not self._stopped:
                self._session.tell(
                    Notice("info", f"The report of run {run} was not written.", "Another project was opened.")
                )
            if not answer.cancelled:
                self._session.report(answer.error, "report")
            written = None if answer.value is None else answer.value.path.name
            note = "" if answer.value is None else _written_note(answer.value)
            if self._state.run == run:
                self._set(replace(self._state, progress=None, written=written, written_note=note))
            elif written is not None:  # another run is displayed by now
                self._session.tell(Notice("success", f"Wrote “{written}”.", note, key="report"))

        self._stopped = False
        self._set(replace(self._state, progress=(0, 0), written=None))
        self._task = self._session.work(
            lambda report: write_report(
                project, run, Path(path), report, failures=failures, overwrite=overwrite
            ),
            take,
            lambda done, total: self._advance(run, (done, total)),
            shown=LongJob("export", "Writing the report", "The report will not be written."),
        )

    def _advance(self, run: int, progress: tuple[int, int]) -> None:
        if self._state.run == run:
            self._set(replace(self._state, progress=progress))

    def _cancel(self) -> None:
        if self._task is not None:
            self._stopped = True
            self._task.cancel()

    def _set(self, state: ReportState) -> None:
        self._state = state
        self._page.set_report_state(state)


def _facts(result: RunResult) -> tuple[tuple[str, str], ...]:
    evaluation = result.evaluation
    return (
        ("Result", verdict_title(evaluation)),
        ("Evaluated on", basis_text(evaluation) or no_estimate_text(evaluation)),
        ("Classes", ", ".join(result.class_names)),
    )


def _failures_note(errors: int) -> str:
    if not errors:
        return "No errors on unseen patients"
    return (
        f"Adds thumbnails of up to 24 of the {counted(errors, 'error')} on unseen patients."
        " Images with possible burned-in text are left out. An image can still identify a person;"
        " check before you share the report."
    )


def _written_note(written: WrittenReport) -> str:
    left = f", {written.withheld} left out" if written.withheld else ""
    pictured = (
        f", {counted(written.failures, 'error')} pictured{left}"
        if written.failures or written.withheld
        else ""
    )
    return f"{file_size(written.size_bytes)}{pictured}."
