"""What one layer of each attention kind keeps in the KV cache, as vLLM's planner describes it.

Source: vLLM 0.32.0 and 0.33.0, `v1/kv_cache_interface.py`, read November 2026. Every kind says what a token (or
a state) costs in one layer and how many blocks one request holds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

BLOCK_TOKENS = 16
"""Default block of CUDA attention backends."""
LATENT_BLOCK_TOKENS = 64
"""Block that the kernels of latent attention want."""
HYBRID_LATENT_BLOCK_TOKENS = 128
"""The same beside linear attention, since vLLM 0.27.0 (platforms/interface.py, `_align_hybrid_block_size`)."""
DELTA_CHECKPOINT_TOKENS = 64
"""Multiple that blocks have where gated delta nets write checkpoints (vLLM 0.33.0, `qwen_gdn_linear_attn.py`)."""


@dataclass(frozen=True, kw_only=True)
class FullSpec:
    """Every token of the request stays. An indexer's keys lie beside the page, `index_bytes_per_token` each."""

    layers: int
    bytes_per_token: float
    index_bytes_per_token: float = 0.0
    smallest_block_tokens: int = BLOCK_TOKENS

    def blocks(self, context_tokens: int, block_tokens: int) -> int:
        """Return the blocks of one layer group that a request of that length holds."""
        return math.ceil(context_tokens / block_tokens)


@dataclass(frozen=True, kw_only=True)
class SlidingSpec:
    """The window and the tokens in flight stay.

    One block more than they fill: a window of 4 tokens in blocks of 4 can lie across two blocks.
    """

    layers: int
    bytes_per_token: float
    window_tokens: int
    in_flight_tokens: int
    smallest_block_tokens: int = BLOCK_TOKENS

    def blocks(self, context_tokens: int, block_tokens: int) -> int:
        """Return the blocks of one layer group that a request of that length holds."""
        held = min(self.window_tokens - 1 + self.in_flight_tokens, context_tokens)
        return math.ceil(held / block_tokens) + 1


@dataclass(frozen=True, kw_only=True)
class ChunkedSpec:
    """Attention within chunks of the text (Llama 4): one chunk and the tokens in flight stay."""

    layers: int
    bytes_per_token: float
    chunk_tokens: int
    in_flight_tokens: int
    smallest_block_tokens: int = BLOCK_TOKENS

    def blocks(self, context_tokens: int, block_tokens: int) -> int:
        """Return the blocks of one layer group that a request of that length holds."""
        return math.ceil(min(self.chunk_tokens + self.in_flight_tokens, context_tokens) / block_tokens)


@dataclass(frozen=True, kw_only=True)
class StateSpec:
    """Linear attention or Mamba: a state of fixed size, one copy per block whatever the length.

    With prefix caching a request holds its running state and the one being written (Mamba 2: a checkpoint as
    well), without only the first; and one for each speculated token.
    """

    layers: int
    state_bytes: int
    copies: int

    def blocks(self, context_tokens: int, block_tokens: int) -> int:  # noqa: ARG002 - same question as the others
        """Return the blocks of one layer group that a request of any length holds."""
        return self.copies


LayerSpec = FullSpec | SlidingSpec | ChunkedSpec | StateSpec
