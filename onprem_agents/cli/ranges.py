"""What numbers the options of `fit`, `simulate` and `advise` take: outside of it no server is meant, and none is sized.

A number that vLLM itself refuses for the model at hand stays a verdict.
"""

from __future__ import annotations

import math
from typing import Any

import click

from onprem_agents.sizing.kv_layers import ELEMENT_BYTES
from onprem_agents.units import BadUnit, parse_tokens

GPUS = click.IntRange(1, 4096)
PARALLEL = click.IntRange(1, 4096)
DEVELOPERS = click.IntRange(1, 100_000)
SEQUENCES = click.IntRange(1, 100_000)
BATCH_TOKENS = click.IntRange(1, 16_777_216)
DRAFTED = click.IntRange(0, 64)
CACHE_DTYPE = click.Choice(list(ELEMENT_BYTES))

# vLLM keeps the cache in blocks of 16 tokens at least (0.33.0, config/cache.py, read 2026-11).
_LEAST_CONTEXT_TOKENS = 16
_LONGEST_CONTEXT_TOKENS = 1_000_000_000


class Finite(click.FloatRange):
    """A number of the range, and a number at all: no comparison tells NaN."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


UTILIZATION = Finite(min=0, min_open=True, max=1)
"""vLLM takes the same (0.33.0, config/cache.py, read 2026-11)."""


class Tokens(click.ParamType):  # type: ignore[type-arg]  # not generic in every release
    """A number of tokens in vLLM's shorthand, '128K' or 131072."""

    name = "TOKENS"

    def __init__(
        self, least: int = _LEAST_CONTEXT_TOKENS, because: str = "one block of the KV cache"
    ) -> None:
        """Take `least` tokens or more; `because` says what holds as many."""
        self.least, self.because = least, because

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number of tokens."""
        try:
            tokens = parse_tokens(value)
        except BadUnit as error:
            self.fail(str(error), param, ctx)
        if not self.least <= tokens <= _LONGEST_CONTEXT_TOKENS:
            told = (
                f"less than {self.least}: {self.because}" if tokens < self.least else "no context of a model"
            )
            self.fail(f"{value} tokens are {told}; give e.g. 64K.", param, ctx)
        return tokens
