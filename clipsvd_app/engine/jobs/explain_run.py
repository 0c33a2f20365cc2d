"""Explaining a stored run again, from its adapter and its images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from msgspec.structs import replace

from clipsvd_app.adapter_file import read_adapter
from clipsvd_app.engine.data.images import model_square, normalise, open_image
from clipsvd_app.engine.explain.run import explain_run
from clipsvd_app.errors import UserError
from clipsvd_app.imaging.guard.refusals import REPLACED

if TYPE_CHECKING:
    from clipsvd_app.domain.results.explanation import RunExplanation
    from clipsvd_app.engine.sigma.warm import WarmBackbone
    from clipsvd_app.jobs.lines import Report
    from clipsvd_app.jobs.requests import ExplainRunRequest


def run_explain_run(request: ExplainRunRequest, warm: WarmBackbone, report: Report) -> RunExplanation:
    """Read the images and the adapter of a request and explain; images that cannot be read are left out."""
    adapted = warm.adapter(read_adapter(Path(request.adapter)), report).adapted
    preprocessing = warm.backbone.preprocessing
    squares, ids, left_out = [], [], []
    for done, image in enumerate(request.images):
        report("Reading images", done, len(request.images))
        try:
            squares.append(model_square(open_image(image), preprocessing.size, preprocessing.interpolation))
        except UserError as error:
            left_out.append(error.code)
            continue
        ids.append(image.id)
    if not squares:
        raise UserError(
            "The images of this run cannot be read.",
            remedy="Connect their drive, or locate them with File > Find moved images.",
            code="no_images",
        )
    inputs = normalise(torch.stack(squares), preprocessing)
    found = explain_run(adapted, inputs, report, ids, request.classes)
    replaced = left_out.count(REPLACED)
    return replace(found, images_replaced=replaced, images_unread=len(left_out) - replaced)
