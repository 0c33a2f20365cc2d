"""Whether a map is specific to its class, compared with maps of meaningless prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from clipsvd_app.domain.results.explanation import MapSpecificity

if TYPE_CHECKING:
    from torch import Tensor

# The largest of twenty maps is the class's own in one case of twenty by chance: a test at 5 %.
NONSENSE_PROMPTS = 19


def specificity(class_map: Tensor, nonsense_maps: Tensor) -> MapSpecificity:
    """Compare a class prompt's map (cells,) with those of nonsense prompts (prompts, cells).

    The distance of two maps is 1 - their correlation. A map that is as unspecific as those of the 19 prompts
    is farther from them than each of them from the rest in one case of twenty.
    """
    maps = torch.cat([class_map[None], nonsense_maps]).double()
    centred = maps - maps.mean(dim=1, keepdim=True)
    # A constant map has no direction; the floor keeps its row zero instead of NaN.
    unit = centred / centred.norm(dim=1, keepdim=True).clamp_min(1e-30)
    distance = 1 - unit @ unit.T
    count = len(nonsense_maps)
    among = (distance[1:, 1:].sum(dim=1) - distance[1:, 1:].diagonal()) / (count - 1)
    return MapSpecificity(float(distance[0, 1:].mean()), float(among.max()), count)
