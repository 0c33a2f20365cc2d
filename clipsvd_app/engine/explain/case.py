"""Why one image got its probabilities: concepts, map, words, each with its control."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from clipsvd_app.adapter_file import read_adapter
from clipsvd_app.domain.explanation import CaseExplanation
from clipsvd_app.engine.adapter import load_adapter, require_base
from clipsvd_app.engine.basis import load_basis
from clipsvd_app.engine.dataset import letterbox, normalise, open_image
from clipsvd_app.engine.explain.centre import centre_for_case
from clipsvd_app.engine.explain.concepts import find_concepts
from clipsvd_app.engine.explain.corpus import load_corpus
from clipsvd_app.engine.explain.embedded import embed_corpus
from clipsvd_app.engine.explain.occlusion import find_saliency
from clipsvd_app.engine.explain.wording import case_sources, case_text

if TYPE_CHECKING:
    from torch import Tensor, nn

    from clipsvd_app.engine.adapted import AdaptedModel
    from clipsvd_app.engine.backbones import Backbone
    from clipsvd_app.engine.basis import Basis
    from clipsvd_app.jobs import ExplainRequest, Report


def run_explain(
    request: ExplainRequest, backbone: Backbone, report: Report, basis: Basis | None = None
) -> CaseExplanation:
    """Read the image and the adapter of a request, check that they fit, and explain the image.

    ``basis`` is the backbone's, if it is loaded already.
    """
    path = Path(request.adapter)
    require_base(read_adapter(path), backbone)
    loaded = load_adapter(path, backbone, basis or load_basis(backbone, report))
    preprocessing = backbone.preprocessing
    picture = letterbox(open_image(request.image), preprocessing.size, preprocessing.interpolation)
    return explain_case(loaded.adapted, normalise(picture[None], preprocessing)[0], request.image.id, report)


def explain_case(adapted: AdaptedModel, image: Tensor, image_id: int, report: Report) -> CaseExplanation:
    """Explain one preprocessed image (3, size, size) under the adapted model."""
    probabilities = _row(adapted.probabilities(image[None]))
    with adapted.as_base():
        before = _row(adapted.probabilities(image[None]))
    centre = centre_for_case(adapted, image)
    with torch.no_grad():
        embedding = adapted.image_embeddings(image[None])[0].cpu().numpy()
    concepts = find_concepts(
        embedding, centre.vector, embed_corpus(adapted, load_corpus(), centre.vector, report)
    )
    saliency = find_saliency(adapted, image, patch_size(adapted.model), report)
    names = tuple(spec.name for spec in adapted.classes)
    return CaseExplanation(
        image_id=image_id,
        class_names=names,
        adapted=probabilities,
        zero_shot=before,
        concepts=concepts.phrases if concepts.is_reliable else (),
        concepts_cosine=concepts.cosine,
        saliency=saliency.falls,
        saliency_trusted=saliency.is_trusted,
        text=case_text(names, probabilities, before, concepts, saliency),
        how_we_know=case_sources(concepts, centre_of_run=centre.of_run),
    )


def patch_size(model: nn.Module) -> int:
    """Return the side in pixels of the patches that the image tower sees; 16 where it does not say."""
    try:
        size = model.get_submodule("visual.trunk.patch_embed").patch_size
    except AttributeError:
        return 16
    return int(size[0] if isinstance(size, tuple) else size)  # type: ignore[arg-type]


def _row(probabilities: Tensor) -> tuple[float, ...]:
    return tuple(float(value) for value in probabilities[0].cpu())
