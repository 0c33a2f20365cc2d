"""CLIP's own text tower on texts of their true length, not of all 77 tokens.

Its mask is causal and it reads its output at the end token, so tokens after it have no influence: the outputs
are the same, and a prompt takes a quarter of the tokens.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from torch import Tensor, nn

_CLIP = ("open_clip.model", "CLIP")


def take_short_texts(model: nn.Module) -> nn.Module:
    """Let an open_clip ``CLIP`` encode texts of any length up to its own, in place, and return it.

    CustomTextCLIP needs no more than attention that cuts its mask, which ``plain_attention`` gives it.
    """
    kind = type(model)
    if (kind.__module__, kind.__qualname__) == _CLIP:
        cast("Any", model).__class__ = _with_short_texts(cast("Any", kind))
    return model


def _encode_text(self: Any, text: Tensor, normalize: bool = False) -> Tensor:  # noqa: ANN401
    """As open_clip's ``CLIP.encode_text``, with positions and mask cut to the length of ``text``."""
    from open_clip.transformer import text_global_pool
    from torch.nn import functional

    length = text.shape[1]
    x = self.token_embedding(text) + self.positional_embedding[:length]
    x = self.ln_final(self.transformer(x, attn_mask=self.attn_mask[:length, :length]))
    x = text_global_pool(x, text, self.text_pool_type, eos_token_id=self.text_eos_id)
    projection = self.text_projection
    if projection is not None:
        x = x @ projection if not callable(projection) else projection(x)
    return cast("Tensor", functional.normalize(x, dim=-1) if normalize else x)


@functools.cache
def _with_short_texts(kind: Any) -> type[nn.Module]:  # noqa: ANN401 - a class that mypy need not hash
    # A class of its own rather than a bound method on the model: that would be a cycle, and keep its memory.
    return type(kind.__name__, (kind,), {"encode_text": _encode_text})
