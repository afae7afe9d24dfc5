"""One model family member and its quantised variants."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from onprem_agents.catalog.attention import Architecture, Count
from onprem_agents.catalog.fact import Fact, Source
from onprem_agents.catalog.quality import Quality, Unrated
from onprem_agents.errors import UnknownFact

Precision = Literal["bf16", "fp8", "int8", "int4", "fp8+int4", "nvfp4", "mxfp4", "bnb4", "native"]
Part = Literal["attention", "linear-attention", "feed-forward", "shared-experts", "mtp", "head"]
AgentName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
SAMPLING_PARAMETERS = ("temperature", "top_p", "top_k", "min_p", "presence_penalty", "repetition_penalty")
"""Those that a server can have defaults for, by their names in a request."""

Works = Literal["yes", "no", "unproven"]
HuggingFaceId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*/[\w.-]+$")]
GibibytesField = Annotated[float, Field(gt=0)]


class Variant(Fact):
    """One checkpoint of a model.

    `weights_gib` is what the GPUs hold in sum at tensor parallel 1; `measured` says whether vLLM printed that
    figure or it was computed from the parameter count (then 3 to 6 % are missing: MTP layers, padding).
    `loaded_gib_per_gpu` holds what was printed at other tensor-parallel sizes, and `measured_tower` says of all that
    was printed whether it holds the image encoder, which a server for text alone does not load; null where nothing
    was printed, or the model has none. `quantization` is the flag
    vLLM needs; null: the checkpoint says it itself. `weight_block` is the edge of a block that shares one
    scale, so the width of a rank's feed-forward slice must be a multiple of it. `native_compute_capability`
    is where the hardware computes in that precision (empty: nowhere, it only saves memory); from
    `min_compute_capability` on, kernels that store it work. `kept_bf16` names parts left in BF16 beyond the usual
    ones (embeddings, head, norms, routers, towers), `fp8_parts` those kept in FP8 by a 4-bit checkpoint, and
    `quantized_parts` those that it quantises although others of its precision do not.
    `kv_cache_dtype` is that which the checkpoint itself asks for, null where vLLM's `auto` means BF16.
    `extra_args` stand in place of the model's where this checkpoint's files need others; null: the same.
    """

    hf_id: HuggingFaceId
    precision: Precision
    weights_gib: GibibytesField
    measured: bool
    loaded_gib_per_gpu: dict[int, GibibytesField] = Field(default_factory=dict)
    measured_tower: bool | None = None
    quantization: str | None = None
    weight_block: int | None = None
    kept_bf16: tuple[Part, ...] = ()
    fp8_parts: tuple[Part, ...] = ()
    quantized_parts: tuple[Part, ...] = ()
    kv_cache_dtype: Literal["fp8"] | None = None
    extra_args: tuple[str, ...] | None = None
    min_compute_capability: float
    native_compute_capability: tuple[float, ...]
    min_vllm: str | None = None
    notes: tuple[str, ...] = ()
    source: Source

    def runs_natively_on(self, compute_capability: float) -> bool:
        """True where the GPU computes in this precision rather than only storing weights in it."""
        # The FP4 units of one generation do not imply those of the next.
        if self.precision in ("nvfp4", "mxfp4"):
            return compute_capability in self.native_compute_capability
        return any(compute_capability >= native for native in self.native_compute_capability)


class AgentSupport(Fact):
    """Whether a coding agent works with this model on vLLM: `yes`, `no`, or `unproven` (seen, yet not settled)."""

    works: Works
    why: str
    source: Source


class Sampling(Fact):
    """The sampling its maker recommends, and where it says so.

    `configured` is what generation_config.json beside the weights says instead, null where it says nothing. A
    parameter that is not in it is the same there.
    """

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, gt=0)
    min_p: float | None = Field(default=None, ge=0, le=1)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    repetition_penalty: float | None = Field(default=None, gt=0, le=2)
    configured: dict[str, float | None] = Field(default_factory=dict)
    source: Source

    def values(self) -> dict[str, float]:
        """Return the parameters that it recommends, by their names in a request."""
        told = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "top_k": self.top_k,
            "min_p": self.min_p,
            "presence_penalty": self.presence_penalty,
            "repetition_penalty": self.repetition_penalty,
        }
        return {name: value for name, value in told.items() if value is not None}

    def differing(self) -> dict[str, float]:
        """Return the parameters that a server would take from the checkpoint, and otherwise than recommended."""
        return {name: value for name, value in self.values().items() if name in self.configured}


class Model(Fact):
    """A model that can serve coding agents, with everything vLLM must be told about it.

    `tool_call_parser` is null where vLLM has none that fits: no agent works with such a model. `chat_template` is
    a path inside the image `vllm/vllm-openai`, null for the model's own template.
    `aliases` are other names of the same weights; another release, however near, is an entry of its own.
    `same_shape` names other models that differ in their weights' values alone: they are sized as this one, not served.
    `quality` is what public benchmarks say, that which says most first; where none does, `unrated` says why.
    `thinking` is the server's default; `reasoning` says whether the model can think at all.
    `image_batch_tokens` is the least `--max-num-batched-tokens` with images, where a batch must hold a whole one.
    `speculative` is the value of `--speculative-config` for the model's own MTP layers. `sampling_off` is
    the sampling where it does not think, null for no other. `extra_args` are options of `vllm serve` without which
    it does not start or answers wrongly. An agent that `agents` does not name is unproven.
    """

    name: str
    family: str
    hf_id: HuggingFaceId
    aliases: tuple[str, ...] = ()
    same_shape: tuple[HuggingFaceId, ...] = ()
    license: str
    gated: bool
    license_source: Source
    quality: tuple[Quality, ...] = ()
    unrated: Unrated | None = None
    total_params: Count
    active_params_b: float = Field(gt=0)
    architecture: Architecture
    tool_call_parser: str | None
    reasoning_parser: str | None
    chat_template: str | None
    thinking: Literal["on", "off", "none", "effort"]
    reasoning: bool
    multimodal: bool
    image_batch_tokens: Count | None = None
    min_vllm: str
    serving_source: Source
    speculative: dict[str, Any] | None = None
    extra_args: tuple[str, ...] = ()
    sampling: Sampling | None = None
    sampling_off: Sampling | None = None
    agents: dict[AgentName, AgentSupport] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Model:
        ids = [variant.hf_id.casefold() for variant in self.variants]
        if len(set(ids)) != len(ids):
            raise ValueError(f"{self.name}: two variants with the same hf_id")
        if self.tool_call_parser is None and any(agent.works == "yes" for agent in self.agents.values()):
            raise ValueError(f"{self.name}: an agent is said to work without a tool-call parser")
        for variant in self.variants:
            printed = self.multimodal and (variant.measured or bool(variant.loaded_gib_per_gpu))
            if printed != (variant.measured_tower is not None):
                told = "is missing" if printed else "has nothing to tell of"
                raise ValueError(f"{variant.hf_id}: measured_tower {told}")
        return self

    @model_validator(mode="after")
    def _rated_or_not(self) -> Model:
        if bool(self.quality) == (self.unrated is not None):
            raise ValueError(f"{self.name}: either figures of quality or the reason why there is none")
        measured = [(figure.benchmark, figure.by) for figure in self.quality]
        if len(set(measured)) != len(measured):
            raise ValueError(f"{self.name}: the same benchmark twice by the same hand")
        return self

    def variant(self, name: str) -> Variant:
        """Return the variant of that precision (the first listed) or Hugging Face id. Raises UnknownFact."""
        wanted = name.casefold()
        for variant in self.variants:
            if wanted in (variant.precision, variant.hf_id.casefold()):
                return variant
        known = [word for variant in self.variants for word in (variant.precision, variant.hf_id)]
        raise UnknownFact(f"variant of {self.name}", name, known)

    def extra_args_of(self, variant: Variant) -> tuple[str, ...]:
        """Return the options of `vllm serve` that this checkpoint of the model needs."""
        return self.extra_args if variant.extra_args is None else variant.extra_args

    def works_with(self, agent: str) -> Works:
        """Return whether that agent works with this model: unproven where nothing is said."""
        return self.agents[agent].works if agent in self.agents else "unproven"

    def obstacle(self, agent: str) -> str | None:
        """Return why that agent does not work with this model, None where nothing says that it does not."""
        support = self.agents.get(agent)
        return support.why if support is not None and support.works == "no" else None

    def has_variant(self, hf_id: str) -> bool:
        """True when one of the variants has that Hugging Face id, in any case."""
        return any(variant.hf_id.casefold() == hf_id.casefold() for variant in self.variants)
