"""Explaining a stored run anew, from its adapter and the images that it had."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from clipsvd_app.adapter_file import read_adapter
from clipsvd_app.engine.dataset import letterbox, normalise, open_image
from clipsvd_app.engine.explain.run import explain_run
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from clipsvd_app.domain.explanation import RunExplanation
    from clipsvd_app.engine.warm import WarmBackbone
    from clipsvd_app.jobs import ExplainRunRequest, Report


def run_explain_run(request: ExplainRunRequest, warm: WarmBackbone, report: Report) -> RunExplanation:
    """Read the images and the adapter of a request and explain; images that cannot be read are left out."""
    adapted = warm.adapter(read_adapter(Path(request.adapter)), report).adapted
    preprocessing = warm.backbone.preprocessing
    pictures, ids = [], []
    for done, image in enumerate(request.images):
        report("Reading images", done, len(request.images))
        try:
            pictures.append(letterbox(open_image(image), preprocessing.size, preprocessing.interpolation))
        except UserError:
            continue
        ids.append(image.id)
    if not pictures:
        raise UserError(
            "None of the run's images can be read.",
            remedy="Bring the drive that they lie on, or find their folder with File > Find moved images.",
            code="no_images",
        )
    return explain_run(adapted, normalise(torch.stack(pictures), preprocessing), report, ids, request.classes)
