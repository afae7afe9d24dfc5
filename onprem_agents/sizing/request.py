"""What is asked of the sizing engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from onprem_agents.catalog import Accelerator, Model, Variant
from onprem_agents.sizing.release import ReleaseRules, release_rules


@dataclass(frozen=True, kw_only=True)
class FitRequest:
    """One way to serve one model. `kv_cache_dtype` is a value of vLLM's flag, "auto" being BF16.

    `max_num_seqs` and `max_num_batched_tokens` are vLLM's flags; `speculative_tokens` counts the tokens that
    the model's own MTP layers draft, 0 for none. `prefix_caching` None is the default of the release, `vllm`
    None the newest release that the engine knows. Data parallel ranks are alike: one of their GPUs is what is sized
    here, but they share the experts between them. `release_unknown` says that it may have been any release the
    model runs on, `weights_uncertainty` is a share by which the weights may differ on top, where the maker of the
    checkpoint is not told. `start` tells whether the compile cache is there ("warm") or is made at this start ("cold"),
    None where nobody knows. `other_memory_gib` is what other processes hold of each GPU, `block_size` vLLM's flag, None
    for what it takes by itself.
    """

    model: Model
    variant: Variant
    accelerator: Accelerator
    tensor_parallel: int
    context_tokens: int
    max_num_seqs: int
    kv_cache_dtype: str
    max_num_batched_tokens: int
    gpu_memory_utilization: float
    language_model_only: bool = True
    speculative_tokens: int = 0
    enforce_eager: bool = False
    pipeline_parallel: int = 1
    data_parallel: int = 1
    expert_parallel: bool = False
    prefix_caching: bool | None = None
    vllm: str | None = None
    engine_v0: bool = False
    release_unknown: bool = False
    weights_uncertainty: float = 0.0
    start: Literal["cold", "warm"] | None = None
    other_memory_gib: float = 0.0
    block_size: int | None = None

    @property
    def rules(self) -> ReleaseRules:
        """What the vLLM release of this request does."""
        return release_rules(self.vllm, v0=self.engine_v0)

    @property
    def cache_dtype(self) -> str:
        """The KV cache's type: with "auto" the one that the checkpoint asks for, if it does."""
        if self.kv_cache_dtype == "auto" and self.variant.kv_cache_dtype is not None:
            return self.variant.kv_cache_dtype
        return self.kv_cache_dtype

    @property
    def gpus(self) -> int:
        """All GPUs that the request takes."""
        return self.tensor_parallel * self.pipeline_parallel * self.data_parallel

    @property
    def batch_tokens(self) -> int:
        """Tokens of one batch as vLLM plans it, which grows to hold a whole image where the model needs that."""
        raised = self.has_encoder and self.rules.batch_holds_one_item
        return max(self.max_num_batched_tokens, (self.model.image_batch_tokens or 0) if raised else 0)

    @property
    def budget_gib(self) -> float:
        """GiB of each GPU that vLLM may use."""
        return self.accelerator.total_gib * self.gpu_memory_utilization

    @property
    def has_encoder(self) -> bool:
        """True where an image or audio encoder is loaded and profiled."""
        return self.model.multimodal and not self.language_model_only
