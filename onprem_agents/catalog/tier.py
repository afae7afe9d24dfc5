"""One hardware tier, by the memory of one GPU, with what really fits it."""

from __future__ import annotations

from pydantic import Field

from onprem_agents.catalog.fact import Fact, Source


class Tier(Fact):
    """Hardware of one kind, and the model to start with on it.

    `context_tokens`, `max_num_seqs`, `max_num_batched_tokens` and `kv_cache_dtype` are values that fit by the
    sizing engine; `corrects` says what the common rule of thumb gets wrong here, empty where it holds.
    """

    name: str
    title: str
    aliases: tuple[str, ...] = ()
    accelerator: str
    gpus_per_node: int = Field(gt=0)
    nodes: int = Field(gt=0)
    model: str
    variant: str
    tensor_parallel: int = Field(gt=0)
    expert_parallel: bool = False
    context_tokens: int = Field(gt=0)
    max_num_seqs: int = Field(gt=0)
    max_num_batched_tokens: int = Field(gt=0)
    kv_cache_dtype: str
    corrects: str
    source: Source
