"""The typed stack config: what a platform engineer says, and nothing that can be derived.

The value of `onprem-coding-agents:platform` is read by `onprem_agents.stack.settings_reader`, a whole stack file by
`onprem_agents.stack.stack_file`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

PROJECT = "onprem-coding-agents"
"""Name of the Pulumi project: the first half of each of its configuration keys."""

_DNS_LABEL = re.compile(r"^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$")
_DNS_NAME = re.compile(r"^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
_DEVELOPER = re.compile(r"^[a-z0-9]([-._a-z0-9]{0,61}[a-z0-9])?$")
_SOURCE = re.compile(r"^(hf|pvc|oci|s3)://[A-Za-z0-9][A-Za-z0-9._:/@-]*$")


def _label(value: str) -> str:
    if not _DNS_LABEL.fullmatch(value):
        raise ValueError(
            "must be lower-case letters, digits and dashes, start with a letter, at most 40 long, e.g. 'coder'"
        )
    return value


def _dns_name(value: str) -> str:
    if not _DNS_NAME.fullmatch(value):
        raise ValueError(
            "must be a lower-case DNS name without scheme or path, e.g. 'agents.example.internal'"
        )
    return value


def _developer(value: str) -> str:
    if not _DEVELOPER.fullmatch(value):
        raise ValueError(
            "must be lower-case letters, digits, '.', '_' and '-', at most 63 long, e.g. 'alice'"
        )
    return value


def _source(value: str) -> str:
    if not _SOURCE.fullmatch(value) or ".." in value:
        raise ValueError(
            "must be hf://, pvc://, oci:// or s3:// with a path, e.g. 'pvc://models/qwen3.6-27b-fp8'"
        )
    return value


Label = Annotated[str, AfterValidator(_label)]
Hostname = Annotated[str, AfterValidator(_dns_name)]
ObjectName = Annotated[str, AfterValidator(_dns_name)]
DeveloperName = Annotated[str, AfterValidator(_developer)]
SourceUri = Annotated[str, AfterValidator(_source)]
Count = Annotated[int, Field(strict=True, ge=1, le=4096)]


class Section(BaseModel):
    """A map of settings: closed, frozen, camelCase in YAML."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=False, allow_inf_nan=False
    )


class Hardware(Section):
    """The GPU nodes: a tier by name, or accelerator, GPUs per node and number of nodes."""

    tier: str | None = Field(default=None, description="hardware tier of the catalogue, e.g. '48gb'")
    accelerator: str | None = Field(default=None, description="accelerator of the catalogue, e.g. 'L40S'")
    gpus_per_node: Annotated[int, Field(strict=True, ge=1, le=16)] | None = None
    nodes: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = None
    node_names: tuple[ObjectName, ...] = Field(
        default=(),
        description="existing nodes to label and taint; empty: nodes are found by their GPU operator labels",
    )
    taint: bool = Field(default=True, description="keep other workloads off the GPU nodes")

    @model_validator(mode="after")
    def _one_way(self) -> Hardware:
        if (self.tier is None) == (self.accelerator is None):
            raise ValueError("say either 'tier' or 'accelerator', not both and not neither")
        if self.node_names and self.nodes is not None and len(self.node_names) != self.nodes:
            raise ValueError(
                f"'nodeNames' lists {len(self.node_names)} nodes but 'nodes' says {self.nodes}; make them agree"
            )
        if len(set(self.node_names)) != len(self.node_names):
            raise ValueError("'nodeNames' names a node twice")
        return self


class ModelRole(Section):
    """One model behind one stable role name; everything but role and model is derived when not said."""

    role: Label
    model: str = Field(
        min_length=1, description="catalogue name or Hugging Face id, e.g. 'Qwen/Qwen3.6-27B-FP8'"
    )
    precision: Literal["bf16", "fp8", "int4", "nvfp4", "mxfp4"] | None = None
    source: SourceUri | None = Field(
        default=None, description="where the weights come from; default hf://<model id>"
    )
    revision: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,64}$")
    context: Annotated[int, Field(strict=True, ge=1024, le=10_485_760)] | None = Field(
        default=None, description="tokens"
    )
    sessions: Count | None = Field(default=None, description="full-context sessions to hold at once")
    replicas: Annotated[int, Field(strict=True, ge=1, le=256)] | None = None
    tensor_parallel: Annotated[int, Field(strict=True, ge=1, le=16)] | None = None
    kv_cache_dtype: Literal["auto", "fp8"] | None = None
    gpu_memory_utilization: Annotated[float, Field(ge=0.3, le=0.98)] | None = None
    max_num_seqs: Annotated[int, Field(strict=True, ge=1, le=4096)] | None = None
    max_num_batched_tokens: Annotated[int, Field(strict=True, ge=256, le=1_048_576)] | None = None
    tool_call_parser: str | None = None
    reasoning_parser: str | None = None
    chat_template: str | None = Field(
        default=None, description="Jinja text to use instead of the model's own"
    )
    speculative_tokens: Annotated[int, Field(strict=True, ge=0, le=8)] = 0
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None


class Serving(Section):
    """How KServe runs vLLM."""

    mode: Literal["Standard", "Knative"] = "Standard"
    vllm: str | None = Field(
        default=None, pattern=r"^\d+\.\d+\.\d+$", description="vLLM release of the image"
    )
    image: str | None = Field(default=None, pattern=r"^[a-z0-9][A-Za-z0-9._:/@-]+$")
    image_pull_secrets: tuple[ObjectName, ...] = ()
    service_account: ObjectName | None = None
    storage_secret: ObjectName | None = Field(
        default=None, description="existing Secret with S3 or Hugging Face credentials for the download"
    )


class Tls(Section):
    """The certificate of the external listener: a cert-manager issuer or an existing Secret."""

    issuer: ObjectName | None = None
    issuer_kind: Literal["ClusterIssuer", "Issuer"] = "ClusterIssuer"
    secret_name: ObjectName | None = None
    secret_namespace: ObjectName | None = None
    ca_hint: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9 .,:/@_+=%-]{1,300}$",
        description="where developers find the CA file when the certificate is signed by a private CA",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Tls:
        if (self.issuer is None) == (self.secret_name is None):
            raise ValueError("say either 'issuer' (cert-manager) or 'secretName' (an existing Secret)")
        if self.secret_namespace is not None and self.secret_name is None:
            raise ValueError("'secretNamespace' only goes with 'secretName'")
        return self


class Developer(Section):
    """One developer; the key itself lives in the secret `developerKeys`."""

    team: Label | None = Field(default=None, description="for the report, which counts developers by team")


class Access(Section):
    """Who may call the models, and under which name."""

    host: Hostname
    port: Annotated[int, Field(strict=True, ge=1, le=65535)] = 443
    tls: Tls
    developers: dict[DeveloperName, Developer] = Field(min_length=1, max_length=5000)
    gateway: Literal["envoy-gateway", "envoy-ai-gateway"] = "envoy-gateway"
    gateway_class: ObjectName = "envoy-gateway"
    gateway_namespace: ObjectName = Field(
        default="envoy-gateway-system", description="where Envoy Gateway runs its proxies"
    )


class Timeouts(Section):
    """The two durations that all others are derived from."""

    longest_turn_seconds: Annotated[int, Field(strict=True, ge=60, le=7200)] = 600
    load_budget_seconds: Annotated[int, Field(strict=True, ge=300, le=14_400)] = 2700


class Queue(Section):
    """Kueue objects for the pool; left out when the cluster has no Kueue."""

    cluster_queue: ObjectName = "gpu"
    local_queue: ObjectName = "coding-agents"


class Platform(Section):
    """The whole of `onprem-coding-agents:platform`."""

    namespace: Label = "coding-agents"
    hardware: Hardware
    models: tuple[ModelRole, ...] = Field(min_length=1, max_length=16)
    serving: Serving = Serving()
    access: Access
    translation: Literal["native", "litellm", "claude-code-router"] = "native"
    timeouts: Timeouts = Timeouts()
    queue: Queue | None = None


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `onprem-coding-agents:platform` for editors."""
    return Platform.model_json_schema(by_alias=True)
