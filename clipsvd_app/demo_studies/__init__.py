"""Synthetic chest films for trying the program, each with exactly one of three findings."""

from __future__ import annotations

from clipsvd_app.demo_studies.chest import render_chest
from clipsvd_app.demo_studies.findings import FINDINGS, PROMPTS
from clipsvd_app.demo_studies.patients import DemoImage, write_demo_studies

__all__ = ["FINDINGS", "PROMPTS", "DemoImage", "render_chest", "write_demo_studies"]
