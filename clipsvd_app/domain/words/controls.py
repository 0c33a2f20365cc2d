"""The names of controls."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipsvd_app.domain.results.explanation import ControlCode

CONTROL_TITLES: dict[ControlCode, str] = {
    "classes_above_chance": "Classes distinguished better than with shuffled labels",
    "class_controls": "Few negative controls among the phrases of each class",
    "reference_images": "Enough reference images to describe heads",
    "heads_above_chance": "More heads above chance than expected",
    "head_controls": "Few heads led by negative controls",
    "score_sum": "Contributions add up to the score",
    "change_sum": "Contributions add up to the change",
    "concepts_cosine": "Concepts reconstruct the image",
    "concept_controls": "Low weight of negative controls in the concepts",
    "deletion_heads": "Deletion test of the map by attention heads",
    "deletion_gradient": "Deletion test of the map by gradient",
    "deletion_occlusion": "Deletion test of the map by occlusion",
    "map_specificity": "Map specific to the class",
}
