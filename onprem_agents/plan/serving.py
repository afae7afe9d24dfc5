"""What one role's model server is: the values that manifests, policies, reports and clients share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from onprem_agents.agents import AGENTS
from onprem_agents.catalog import Model, Variant
from onprem_agents.plan.cache import Cache, FolderCache
from onprem_agents.plan.loading import Loading
from onprem_agents.plan.pod_settings import PodSettings
from onprem_agents.plan.pool import Pool
from onprem_agents.plan.rollout import Rollout
from onprem_agents.plan.sampling import SamplingPlan
from onprem_agents.plan.start import Start
from onprem_agents.plan.thinking import Thinking
from onprem_agents.plan.timeouts import TimeoutChain
from onprem_agents.sizing import Fit
from onprem_agents.vllm import Cuda, ServeFlags

MODEL_PATH = "/mnt/models"
"""Where the weights are mounted, whatever their source; KServe's storage initializer uses the same path."""

CHAT_TEMPLATE_PATH = "/etc/onprem/chat-template/template.jinja"
"""Where a chat template of the stack's own is mounted."""

KEEP_ALIVE_PATH = "/etc/onprem/python/onprem_keep_alive.py"
"""Where the middleware is mounted that keeps silent streams alive."""
KEEP_ALIVE_MIDDLEWARE = "onprem_keep_alive.KeepAlive"
"""The same as vLLM imports it."""


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """Where the weights come from."""

    scheme: Literal["hf", "pvc", "oci", "s3"]
    uri: str
    """The whole URI, e.g. `hf://Qwen/Qwen3.6-27B-FP8`; a Hugging Face revision is in `revision`."""
    revision: str | None

    @property
    def leaves_the_cluster(self) -> bool:
        """Whether the download needs a way out of the namespace."""
        return self.scheme in ("hf", "s3")

    @property
    def pinned_uri(self) -> str:
        """The URI with its revision, as KServe writes it: hf://owner/model:revision (kserve_storage.py, v0.20.0)."""
        return self.uri if self.revision is None else f"{self.uri}:{self.revision}"


@dataclass(frozen=True, kw_only=True)
class Probes:
    """Startup, readiness and liveness on vLLM's `/health`."""

    startup_period_seconds: int
    startup_failures: int
    readiness_period_seconds: int
    readiness_failures: int
    liveness_period_seconds: int
    liveness_failures: int


@dataclass(frozen=True, kw_only=True)
class PodResources:
    """Requests equal limits, so the pod is never evicted for memory it was promised."""

    cpus: int
    memory_gib: int
    shm_gib: int
    gpus: int
    download_gib: int
    """Room for the weights in the pod's own volume when they are downloaded to it, else 0."""


@dataclass(frozen=True, kw_only=True)
class ServingPlan:
    """Everything that is decided about one role."""

    role: str
    name: str
    """Name of the InferenceService; also the served model name, so a model swap never touches a client."""
    asked: str
    """The name of the model that the stack says."""
    because: str | None
    """Why something else is served than what was asked for; None where it is the same id."""
    licence_to_accept: str | None
    """How the licence is accepted without which the weights cannot be downloaded; None where none must be."""
    model: Model
    variant: Variant
    pool: Pool
    """The nodes that it is served on."""
    source: ModelSource
    image_name: str
    """The image as its publisher or the stack names it."""
    image: str
    """What pods name it by."""
    vllm_release: str
    flags: ServeFlags
    argv: tuple[str, ...]
    """The arguments of that release after `vllm serve`: the flags, then what the stack gives itself, as it wrote it."""
    pod: PodSettings
    replicas: int
    resources: PodResources
    probes: Probes
    rollout: Rollout
    fit: Fit
    context_tokens: int
    max_output_tokens: int
    temperature: float | None
    vision: bool
    """Whether it takes images beside text."""
    thinking: Thinking | None
    """How much it thinks where a request says nothing; None for a model that never does."""
    sampling: SamplingPlan
    unsupported_reasons: Mapping[str, str]
    """Why an agent cannot work with this role, for each agent that cannot."""
    chat_template: str | None
    """Jinja text to mount as a ConfigMap; None when the model's own or the image's template is used."""
    timeouts: TimeoutChain
    notes: tuple[str, ...]
    """What the reader of the plan should know or do although it holds."""
    remarks: tuple[str, ...]
    """What is worth knowing about the model as it is served."""
    start: Start
    """Whether the memory is sized for a cold start or a warm one."""
    loading: Loading
    """How long a pod needs from its start until it serves."""
    cache: Cache | None
    """Where the weights are kept between starts; None where each pod downloads its own, or mounts them."""
    scattered: bool = False
    """Whether turns of one session reach any of the replicas, so that each comes to hold a part of all sessions."""
    required_cuda: Cuda | None = None
    """The CUDA release that a node's driver must know to get a pod; None where every node of the pool may."""

    @property
    def sessions(self) -> int:
        """Full-context sessions that all replicas hold at once."""
        return self.fit.sessions * self.holders

    @property
    def holders(self) -> int:
        """Replicas whose sessions add up: all where a session keeps to one of them."""
        return 1 if self.scattered else self.replicas

    @property
    def pods_download(self) -> bool:
        """Whether the server's own pods fetch the weights, and need a way out of the namespace for it."""
        return self.source.leaves_the_cluster and (self.cache is None or isinstance(self.cache, FolderCache))

    @property
    def supported_agents(self) -> tuple[str, ...]:
        """The agents that can work with this role, in their fixed order."""
        return tuple(agent.name for agent in AGENTS if agent.name not in self.unsupported_reasons)

    @property
    def predictor_service(self) -> str:
        """The Service that KServe makes in Standard mode for the predictor."""
        return f"{self.name}-predictor"
