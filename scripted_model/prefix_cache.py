"""What a server that keeps prefixes would find again of a prompt: blocks of it in a chain, as vLLM counts them."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator

from scripted_model.turn import Asked

# vLLM's block has 16 tokens (CacheConfig.block_size, 0.33, 2026-11), and four bytes stand for a token here.
BLOCK_TOKENS = 16
_BLOCK_BYTES = 64
_MOST_BLOCKS = 262_144  # 4 million tokens, as many as a large GPU keeps


class PrefixCache:
    """Remembers the blocks of the prompts that were asked, those longest unused forgotten first."""

    def __init__(self) -> None:
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def cached_tokens(self, asked: Asked) -> int:
        """Return how many tokens of the prompt stand here from earlier ones, and remember all of it.

        A block counts where everything before it is the same too; the last token is always computed.
        """
        chain = list(_chain(asked))
        found = next((place for place, block in enumerate(chain) if block not in self._blocks), len(chain))
        for block in chain:
            self._blocks[block] = None
            self._blocks.move_to_end(block)
        while len(self._blocks) > _MOST_BLOCKS:
            self._blocks.popitem(last=False)
        return found * BLOCK_TOKENS


def _chain(asked: Asked) -> Iterator[int]:
    """Yield a value for each whole block of the prompt, made of it and all before it."""
    text = prompt(asked).encode()
    before = 0
    for start in range(0, len(text) - _BLOCK_BYTES, _BLOCK_BYTES):
        before = hash((before, text[start : start + _BLOCK_BYTES]))
        yield before


def prompt(asked: Asked) -> str:
    """Return the prompt as a chat template would write it: the model, its tools, then the conversation."""
    tools = [json.dumps([tool.name, tool.schema], sort_keys=True) for tool in asked.tools]
    return "\n".join([asked.model, *tools, *(f"<{entry.role}>{entry.text}" for entry in asked.entries)])
