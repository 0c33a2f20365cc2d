"""Building a model whose weights will all be replaced: random initial values are left out.

Drawing 196 million random numbers takes as long as everything else about loading BiomedCLIP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.nn import init
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DRAWS = frozenset(
    {
        Tensor.normal_,
        Tensor.uniform_,
        Tensor.erfinv_,
        init.normal_,
        init.uniform_,
        init.trunc_normal_,
        init.kaiming_normal_,
        init.kaiming_uniform_,
        init.xavier_normal_,
        init.xavier_uniform_,
    }
)


class NoRandomNumbers(TorchFunctionMode):
    """While active, functions that fill a tensor with random numbers leave it unchanged."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        """Run a function, or return its first argument untouched if it draws numbers."""
        del types
        options = kwargs or {}
        if func in _DRAWS:
            return args[0] if args else options["tensor"]
        return func(*args, **options)
