"""The report of a run, as PDF or as one web page."""

from clipsvd_app.services.report.writer import SUFFIXES, WrittenReport, write_report

__all__ = ["SUFFIXES", "WrittenReport", "write_report"]
