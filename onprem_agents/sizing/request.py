"""What is asked of the sizing engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from onprem_agents.catalog import Accelerator, Model, Variant
from onprem_agents.sizing.release import ReleaseRules, release_rules
from onprem_agents.vllm import default_max_num_batched_tokens, default_max_num_seqs

# Models whose attention was made without the settings of the cache, so that its type was BF16 whatever was asked for
# (model_executor/models/mimo_v2.py, wrong in vLLM 0.29.0 and right in 0.32.0).
_HEEDED_SINCE = {"mimo_v2_flash": (0, 32)}


def default_batch_tokens(
    model: Model, accelerator: Accelerator, rules: ReleaseRules, *, has_encoder: bool
) -> int:
    """Return the tokens of a batch where the flag is absent: raised to hold an item that may not be cut up.

    Only the default is raised; a smaller value that is given is refused (vLLM 0.22.1, engine/arg_utils.py and
    v1/core/encoder_cache_manager.py). With `--language-model-only` it is raised too until 0.27.0 notices that no item
    can come (config/model.py, `_supports_multimodal_inputs_cached`).
    """
    own = default_max_num_batched_tokens(accelerator.name, accelerator.total_gib)
    raised = rules.memory.item_raises_batch
    whole = raised == "always" or (raised == "with-encoder" and has_encoder)
    return max(own, (model.image_batch_tokens or 0) if whole else 0)


def default_sequences(accelerator: Accelerator, batch_tokens: int) -> int:
    """Return the sequences at once where the flag is absent: never more than the batch has tokens.

    Source: vLLM 0.10.2 to 0.33.0, engine/arg_utils.py, read 2026-11-29.
    """
    return min(default_max_num_seqs(accelerator.name, accelerator.total_gib), batch_tokens)


@dataclass(frozen=True, kw_only=True)
class FitRequest:
    """One way to serve one model. `kv_cache_dtype` is a value of vLLM's flag, "auto" being BF16.

    `max_num_seqs` and `max_num_batched_tokens` are vLLM's flags; `speculative_tokens` counts the tokens that the
    model's own MTP layers draft, 0 for none. `prefix_caching` None is the default of the release, `vllm` None, or a
    name that tells no release, any release that the model runs on. Data parallel ranks are alike: one of their GPUs is
    what is sized here, but they share the experts between them. `weights_uncertainty` is a share by which the weights
    may differ on top, where the maker of the checkpoint is not told. `start` tells whether the compile cache is there
    ("warm") or is made at this start ("cold"), None where nobody knows. `other_memory_gib` is what other processes hold
    of each GPU, `block_size` vLLM's flag, None for what it takes by itself. `max_num_seqs_told` is False where
    `max_num_seqs` is vLLM's own value: whoever starts the server lowers it to what the states find room for.
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
    weights_uncertainty: float = 0.0
    start: Literal["cold", "warm"] | None = None
    other_memory_gib: float = 0.0
    block_size: int | None = None
    max_num_seqs_told: bool = True

    @property
    def rules(self) -> ReleaseRules:
        """What the vLLM release of this request does."""
        return release_rules(self.vllm, v0=self.engine_v0)

    @property
    def cache_dtype(self) -> str:
        """The KV cache's type: with "auto" the one that the checkpoint asks for, where that release listens to it."""
        if self.rules.number < _HEEDED_SINCE.get(self.model.architecture.model_type, (0, 0)):
            return "auto"
        declared = self.variant.kv_cache_dtype if self.rules.memory.declared_kv_cache else None
        return declared if self.kv_cache_dtype == "auto" and declared is not None else self.kv_cache_dtype

    @property
    def gpus(self) -> int:
        """All GPUs that the request takes."""
        return self.tensor_parallel * self.pipeline_parallel * self.data_parallel

    @property
    def least_states(self) -> int:
        """Sequences that must find room for a state, for vLLM to start."""
        return self.max_num_seqs if self.max_num_seqs_told else 1

    @property
    def batch_tokens(self) -> int:
        """Tokens of one batch as vLLM plans it."""
        return self.max_num_batched_tokens

    @property
    def least_batch_tokens(self) -> int:
        """The tokens of one item that a batch must hold whole, 0 where vLLM may cut items up."""
        return (self.model.image_batch_tokens or 0) if self.has_encoder else 0

    @property
    def budget_gib(self) -> float:
        """GiB of each GPU that vLLM may use."""
        return self.accelerator.total_gib * self.gpu_memory_utilization

    @property
    def has_encoder(self) -> bool:
        """True where an image or audio encoder is loaded and profiled."""
        return self.model.multimodal and not self.language_model_only
