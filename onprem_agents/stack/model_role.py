"""The settings of one served model."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from onprem_agents.stack.by_people import ByPeople
from onprem_agents.stack.cache import Cache
from onprem_agents.stack.domain import CatalogName, ContextTokens, RoleName, SourceUri, Temperature
from onprem_agents.stack.pod import Annotations, Labels, NodeLabels, Toleration, Variables, Words
from onprem_agents.stack.section import Section, contradiction
from onprem_agents.stack.thinking import Thinking

ParserName = Annotated[str, Field(min_length=1, max_length=64)]
Revision = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
WEIGHTS = ByPeople("weights of another origin are another model under the same name")
BEYOND_THE_PLAN = ByPeople("it goes beyond what is sized and checked")
PLACES = ByPeople("other software of the cluster acts on it")
Count = Annotated[int, Field(strict=True, ge=1, le=4096)]
# A ConfigMap holds at most 1 MiB (Kubernetes 1.36), and a character may take four bytes.
ChatTemplate = Annotated[str, Field(min_length=1, max_length=200_000)]


class ModelRole(Section):
    """One model behind one stable role name; everything but role and model is derived when not said."""

    elsewhere: ClassVar = {"pool": "name the role under 'roles' of a pool in platform.hardware.pools"}

    role: Annotated[RoleName, ByPeople("developers' machines know models by their roles")] = Field(
        description="The name that developers' machines know the model by. The first role does the work, the "
        "last one takes titles and other short calls."
    )
    model: CatalogName = Field(
        description="Name in the catalogue, or Hugging Face id of one of its checkpoints, e.g. "
        "Qwen/Qwen3.6-27B-FP8. A bare name leaves the choice of the checkpoint open."
    )
    precision: Literal["bf16", "fp8", "int4", "nvfp4", "mxfp4", "native"] | None = Field(
        default=None,
        description="Precision of the weights; native: as the maker mixes it. Left out: the best checkpoint that fits "
        "and that the GPU computes natively.",
    )
    source: Annotated[SourceUri | None, WEIGHTS] = Field(
        default=None,
        description="Where the weights come from: hf://, pvc://, oci:// or s3://. Left out: hf:// and the model's id.",
    )
    revision: Annotated[Revision | None, WEIGHTS] = Field(
        default=None,
        description="Git revision of the checkpoint on Hugging Face; only with an hf:// source. Left out: the newest.",
    )
    context: ContextTokens | None = Field(
        default=None,
        description="Longest prompt and answer together, in tokens. Left out: the longest that fits, up to 131072.",
    )
    sessions: Count | None = Field(
        default=None,
        description="Sessions of full context to hold at once, over all replicas. Left out: as many as fit.",
    )
    replicas: Annotated[int, Field(strict=True, ge=1, le=256)] | None = Field(
        default=None, description="Model servers. Left out: as many as 'sessions' need, else 1."
    )
    tensor_parallel: Annotated[int, Field(strict=True, ge=1, le=16)] | None = Field(
        default=None,
        description="GPUs that share one replica. Left out: the fewest of a node that hold the model.",
    )
    kv_cache_dtype: Literal["auto", "fp8"] | None = Field(
        default=None,
        description="Precision of the KV cache; fp8 holds twice the tokens. Left out: the model's own where it "
        "fits, else fp8 on GPUs that have it.",
    )
    gpu_memory_utilization: Annotated[float, Field(ge=0.3, le=0.98)] | None = Field(
        default=None, description="Share of the GPU's memory that vLLM takes. Left out: 0.92, vLLM's default."
    )
    max_num_seqs: Count | None = Field(
        default=None,
        description="Requests in one batch. Left out: 16 to 64 by the GPU's memory, more where 'sessions' ask for it.",
    )
    max_num_batched_tokens: Annotated[int, Field(strict=True, ge=256, le=1_048_576)] | None = Field(
        default=None, description="Tokens in one batch. Left out: 2048, or 8192 on GPUs of 70 GiB and more."
    )
    tool_call_parser: ParserName | None = Field(
        default=None, description="vLLM's parser of tool calls. Left out: the one for the model's family."
    )
    reasoning_parser: ParserName | None = Field(
        default=None, description="vLLM's parser of reasoning. Left out: the one for the model's family."
    )
    chat_template: Annotated[ChatTemplate | None, ByPeople("it writes every prompt")] = Field(
        default=None,
        description="Jinja text to use instead of the model's own template. Left out: the model's, or the one that "
        "vLLM brings for its tool calls.",
    )
    prefix_caching: bool | None = Field(
        default=None,
        description="Keep the KV cache of earlier prompts for later ones that begin alike. Left out: on, but for "
        "models with linear attention on another maker's accelerators whose vLLM is not known to have it for them. "
        "Where it would harm answers beside 'speculativeTokens', what is left out gives way; where both are said, "
        "both hold.",
    )
    vision: bool = Field(
        default=False,
        description="Take images beside text, where the model can: its encoder then takes memory of its own.",
    )
    speculative_tokens: Annotated[int, Field(strict=True, ge=0, le=8)] = Field(
        default=0,
        description="Tokens that the model's own draft layers guess ahead; 0 switches guessing off.",
    )
    temperature: Temperature | None = Field(
        default=None,
        description="Sampling temperature that server and agents use. Left out: that of the maker's card where the "
        "checkpoint's own configuration says another, else that of its configuration.",
    )
    top_p: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None,
        description="Share of the likeliest tokens that are sampled from. Left out: as for 'temperature'.",
    )
    top_k: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = Field(
        default=None,
        description="Number of the likeliest tokens that are sampled from. Left out: as for 'temperature'.",
    )
    min_p: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None,
        description="Least probability of a token, as a share of the likeliest one's; not beside "
        "'speculativeTokens'. Left out: as for 'temperature'.",
    )
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = Field(
        default=None,
        description="What a token loses once it has been said. Left out: as for 'temperature'.",
    )
    repetition_penalty: Annotated[float, Field(gt=0, le=2)] | None = Field(
        default=None,
        description="Divisor of what was said before, 1 for none. Left out: as for 'temperature'.",
    )
    thinking: Thinking = Field(
        default=Thinking(),
        description="How much the model thinks where a request says nothing. Left out: little, as suits agents.",
    )
    extra_args: Annotated[Words, BEYOND_THE_PLAN] = Field(
        default=(),
        description="Further options of vLLM, word by word as `vllm serve` takes them, e.g. [--max-logprobs, '5']. "
        "What a setting says, what the plan decides and what could not be sized is refused. Left out: none.",
    )
    env: Annotated[Variables, BEYOND_THE_PLAN] = Field(
        default={},
        description="Further variables of the server, none of them secret, e.g. {NCCL_DEBUG: INFO}. Left out: none.",
    )
    pod_labels: Annotated[Labels, PLACES] = Field(
        default={}, description="Further labels of the pods. Left out: none."
    )
    pod_annotations: Annotated[Annotations, PLACES] = Field(
        default={}, description="Further annotations of the pods. Left out: none."
    )
    node_selector: Annotated[NodeLabels, PLACES] = Field(
        default={},
        description="Labels that a node must have beside those of the pool. Left out: any node of the pool will do.",
    )
    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=16), PLACES] = Field(
        default=(),
        description="Taints that the pods bear beside the one of GPU nodes. Left out: none.",
    )

    cache: Annotated[Cache | None, ByPeople("it takes storage of the cluster or of its nodes")] = Field(
        default=None,
        description="Where downloaded weights are kept between starts. Left out: nowhere, each pod downloads its own.",
    )

    @model_validator(mode="after")
    def _cache_of_a_download(self) -> ModelRole:
        if self.cache is not None and not (self.source or "hf://").startswith(("hf://", "s3://")):
            raise contradiction(
                f"'cache' beside the source {self.source}",
                "these weights are mounted where they are: there is nothing to keep",
                "remove 'cache', or let the source be hf:// or s3://",
            )
        return self

    @model_validator(mode="after")
    def _revision_of_hugging_face(self) -> ModelRole:
        if self.revision is not None and not (self.source or "hf://").startswith("hf://"):
            raise contradiction(
                f"'revision' beside the source {self.source}",
                "'revision' is a Git revision on Hugging Face, and nothing would read it",
                "remove 'revision', and let the source name the version",
            )
        return self

    @model_validator(mode="after")
    def _guesses_without_least_probability(self) -> ModelRole:
        if self.min_p and self.speculative_tokens:
            raise contradiction(
                f"'minP' beside 'speculativeTokens' {self.speculative_tokens}",
                "vLLM refuses every request with a least probability while it guesses tokens ahead",
                "remove one of them; 'topK' and 'topP' go with guessing",
            )
        return self
