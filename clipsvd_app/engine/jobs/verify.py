"""The job that checks an adapter file against its backbone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipsvd_app.adapter_file import AdapterContent, read_exported
from clipsvd_app.engine.baselines.frozen_classifier import verify_classifier
from clipsvd_app.engine.sigma.adapter import (
    adapted_by,
    applied_checks,
    base_check,
    prompts_check,
    structure_checks,
)
from clipsvd_app.engine.sigma.basis import load_basis
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.answers import Check, VerifyResult

if TYPE_CHECKING:
    from clipsvd_app.engine.backbone.backbone import Backbone
    from clipsvd_app.engine.sigma.basis import Basis
    from clipsvd_app.jobs.lines import Report
    from clipsvd_app.jobs.requests import VerifyRequest


def run_verify(
    request: VerifyRequest, backbone: Backbone, report: Report, basis: Basis | None = None
) -> VerifyResult:
    """Check an adapter file against its backbone and return what each check found.

    ``basis`` is the backbone's, if it is loaded already.
    """
    try:
        content = read_exported(Path(request.adapter))
    except UserError as error:
        return VerifyResult((Check("file", passed=False, detail=error.message),))
    if not isinstance(content, AdapterContent):
        return verify_classifier(content, backbone)
    read = Check(
        "file", passed=True, detail=f"Format {content.format}, {content.trained_numbers:,} trained numbers."
    )
    base = base_check(content, backbone)
    if not base.passed:
        return VerifyResult((read, base))
    basis = basis or load_basis(backbone, report)
    structure = tuple(structure_checks(content, backbone, basis))
    if not all(check.passed for check in structure):
        return VerifyResult((read, *structure))
    prompts = prompts_check(content, backbone).check
    if not prompts.passed:
        return VerifyResult((read, *structure, prompts))
    applied = applied_checks(content, adapted_by(content, backbone, basis))
    return VerifyResult((read, *structure, prompts, *applied))
