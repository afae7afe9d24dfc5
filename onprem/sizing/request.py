"""What is asked of the sizing engine."""

from __future__ import annotations

from dataclasses import dataclass

from onprem.catalog import Accelerator, Model, Variant

# vLLM raises max-num-batched-tokens to the largest item of a multimodal model; 2496 was printed for one video
# of Gemma 4 12B (public log, RTX 3090, image gemma4-unified, June 2026).
_ONE_ITEM_TOKENS = 2496


@dataclass(frozen=True, kw_only=True)
class FitRequest:
    """One way to serve one model. `kv_cache_dtype` is "auto" (BF16) or "fp8".

    `max_num_seqs` and `max_num_batched_tokens` are vLLM's flags; `speculative_tokens` counts the tokens that
    the model's own MTP layers draft, 0 for none. Prefix caching is taken to be on, as it is by default.
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

    @property
    def batch_tokens(self) -> int:
        """Tokens of one batch as vLLM plans it, which grows to hold one image or video."""
        return max(self.max_num_batched_tokens, _ONE_ITEM_TOKENS if self.has_encoder else 0)

    @property
    def budget_gib(self) -> float:
        """GiB of each GPU that vLLM may use."""
        return self.accelerator.total_gib * self.gpu_memory_utilization

    @property
    def has_encoder(self) -> bool:
        """True where an image or audio encoder is loaded and profiled."""
        return self.model.multimodal and not self.language_model_only
