"""The typed stack config: what a platform engineer says, and nothing that can be derived.

The value of `onprem-coding-agents:platform` is read by `onprem_agents.stack.settings_reader`, a whole stack file by
`onprem_agents.stack.stack_file`. Each description says the unit, and what holds where the setting is left out.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from onprem_agents.errors import Finding
from onprem_agents.stack.domain import (
    ContextTokens,
    DeveloperName,
    ForeignNamespace,
    HostName,
    Label,
    LabelValue,
    LoopbackUrl,
    Namespace,
    ObjectName,
    PlainText,
    PublishedName,
    RoleName,
    SourceUri,
    Temperature,
    Translation,
)
from onprem_agents.stack.untrusted import refusal

PROJECT = "onprem-coding-agents"
"""Name of the Pulumi project: the first half of each of its configuration keys."""

CatalogName = Annotated[str, Field(min_length=1, max_length=200)]
ParserName = Annotated[str, Field(min_length=1, max_length=64)]
Count = Annotated[int, Field(strict=True, ge=1, le=4096)]
# A ConfigMap holds at most 1 MiB (Kubernetes 1.36), and a character may take four bytes.
ChatTemplate = Annotated[str, Field(min_length=1, max_length=200_000)]


class Section(BaseModel):
    """A map of settings: closed, frozen, camelCase in YAML."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=False, allow_inf_nan=False
    )


class Hardware(Section):
    """The GPU nodes: a tier by name, or accelerator, GPUs per node and number of nodes."""

    tier: CatalogName | None = Field(
        default=None,
        description="Hardware tier of the catalogue ('onprem-agents catalog' lists them), e.g. 48gb; it gives "
        "accelerator, GPUs per node and nodes. Left out: 'accelerator' must be said.",
    )
    accelerator: CatalogName | None = Field(
        default=None,
        description="Accelerator of the catalogue, e.g. L40S. Left out: that of the tier.",
    )
    gpus_per_node: Annotated[int, Field(strict=True, ge=1, le=16)] | None = Field(
        default=None, description="GPUs in each node. Left out: as the tier says, 1 beside an accelerator."
    )
    nodes: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = Field(
        default=None,
        description="Nodes in the pool. Left out: as many as 'nodeNames' lists, else as the tier says, else 1.",
    )
    node_names: tuple[ObjectName, ...] = Field(
        default=(),
        description="Existing nodes to label and taint. Left out: no node is touched, and pods find theirs by "
        "the label that NVIDIA's GPU feature discovery sets.",
    )
    taint: bool = Field(
        default=True,
        description="Keep other workloads off the nodes that 'nodeNames' lists, by a taint that GPU users know.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Hardware:
        if (self.tier is None) == (self.accelerator is None):
            raise _contradiction(
                "both" if self.tier else "neither",
                "say either 'tier' or 'accelerator', not both and not neither",
                "name a tier, or the accelerator with gpusPerNode and nodes",
            )
        if self.node_names and self.nodes is not None and len(self.node_names) != self.nodes:
            raise _contradiction(
                f"'nodeNames' lists {len(self.node_names)} nodes but 'nodes' says {self.nodes}",
                "the pool has one size",
                "make them agree, or leave 'nodes' out",
            )
        if len(set(self.node_names)) != len(self.node_names):
            raise _contradiction(
                ", ".join(self.node_names), "'nodeNames' names a node twice", "name each node once"
            )
        return self


class ModelRole(Section):
    """One model behind one stable role name; everything but role and model is derived when not said."""

    role: RoleName = Field(
        description="The name that developers' machines know the model by. The first role does the work, the "
        "last one takes titles and other short calls."
    )
    model: CatalogName = Field(
        description="Name in the catalogue, or Hugging Face id of one of its checkpoints, e.g. "
        "Qwen/Qwen3.6-27B-FP8. A bare name leaves the choice of the checkpoint open."
    )
    precision: Literal["bf16", "fp8", "int4", "nvfp4", "mxfp4"] | None = Field(
        default=None,
        description="Precision of the weights. Left out: the best checkpoint that fits and that the GPU computes "
        "natively.",
    )
    source: SourceUri | None = Field(
        default=None,
        description="Where the weights come from: hf://, pvc://, oci:// or s3://. Left out: hf:// and the model's id.",
    )
    revision: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = Field(
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
    chat_template: ChatTemplate | None = Field(
        default=None,
        description="Jinja text to use instead of the model's own template. Left out: the model's, or the one that "
        "vLLM brings for its tool calls.",
    )
    speculative_tokens: Annotated[int, Field(strict=True, ge=0, le=8)] = Field(
        default=0,
        description="Tokens that the model's own draft layers guess ahead; 0 switches guessing off.",
    )
    temperature: Temperature | None = Field(
        default=None,
        description="Sampling temperature that server and agents use. Left out: that of the model's own configuration.",
    )

    @model_validator(mode="after")
    def _revision_of_hugging_face(self) -> ModelRole:
        if self.revision is not None and not (self.source or "hf://").startswith("hf://"):
            raise _contradiction(
                f"'revision' beside the source {self.source}",
                "'revision' is a Git revision on Hugging Face, and nothing would read it",
                "remove 'revision', and let the source name the version",
            )
        return self


class Serving(Section):
    """How KServe runs vLLM."""

    mode: Literal["Standard", "Knative"] = Field(
        default="Standard",
        description="KServe's deployment mode; Knative needs Knative Serving in the cluster.",
    )
    vllm: Annotated[str, Field(pattern=r"^[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}$")] | None = Field(
        default=None,
        description="vLLM release of the image: flags and parsers are those of this release. Left out: the "
        "catalogue's newest.",
    )
    image: Annotated[str, Field(pattern=r"^[a-z0-9][A-Za-z0-9._:/@-]+$", max_length=500)] | None = Field(
        default=None,
        description="Image of the model servers, e.g. from a mirror. Left out: vLLM's own of that release, by digest.",
    )
    image_pull_secrets: tuple[ObjectName, ...] = Field(
        default=(),
        description="Existing Secrets of the namespace with which images are pulled. Left out: none.",
    )
    service_account: ObjectName | None = Field(
        default=None,
        description="Existing ServiceAccount of the model servers. Left out: the namespace's default one.",
    )
    storage_secret: ObjectName | None = Field(
        default=None,
        description="Existing Secret with S3 or Hugging Face credentials for the download. Left out: none, which "
        "does for public models.",
    )


class Tls(Section):
    """The certificate of the external listener: a cert-manager issuer or an existing Secret."""

    issuer: PublishedName | None = Field(
        default=None,
        description="cert-manager issuer that signs the certificate. Left out: 'secretName' must be said.",
    )
    issuer_kind: Literal["ClusterIssuer", "Issuer"] = Field(
        default="ClusterIssuer", description="Kind of that issuer."
    )
    secret_name: PublishedName | None = Field(
        default=None, description="Existing Secret with the certificate. Left out: 'issuer' must be said."
    )
    secret_namespace: ForeignNamespace | None = Field(
        default=None,
        description="Namespace of that Secret; a ReferenceGrant there must allow it. Left out: the stack's own.",
    )
    ca_hint: PlainText | None = Field(
        default=None,
        description="Where developers find the CA file of a private issuer; it is published in the contract. Left "
        "out: the certificate is one that machines trust anyway.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Tls:
        if (self.issuer is None) == (self.secret_name is None):
            raise _contradiction(
                "both" if self.issuer else "neither",
                "say either 'issuer' (cert-manager) or 'secretName' (an existing Secret)",
                "keep one of the two",
            )
        if self.secret_namespace is not None and self.secret_name is None:
            raise _contradiction(
                "'secretNamespace' beside 'issuer'",
                "'secretNamespace' only goes with 'secretName': cert-manager writes into the stack's own namespace",
                "remove 'secretNamespace'",
            )
        return self


class Developer(Section):
    """One developer; the key itself lives in the secret `developerKeys`."""

    team: Label | None = Field(
        default=None, description="The developer's team, for people who read the file. Left out: none."
    )


class Access(Section):
    """Who may call the models, and under which name."""

    host: HostName = Field(
        description="DNS name that developers connect to: the gateway listens for it, and the certificate is for it."
    )
    port: Annotated[int, Field(strict=True, ge=1, le=65535)] = Field(
        default=443, description="TCP port of the gateway's HTTPS listener."
    )
    tls: Tls = Field(description="The certificate of the HTTPS listener.")
    developers: dict[DeveloperName, Developer] = Field(
        min_length=1,
        max_length=5000,
        description="Everyone who may call, by name; each needs a key in the secret 'developerKeys'.",
    )
    gateway: Literal["envoy-gateway", "envoy-ai-gateway"] = Field(
        default="envoy-gateway",
        description="Software of the gateway; envoy-ai-gateway counts tokens and needs its controller.",
    )
    gateway_class: ObjectName = Field(
        default="envoy-gateway", description="Existing GatewayClass that Envoy Gateway serves."
    )
    gateway_namespace: ForeignNamespace = Field(
        default="envoy-gateway-system",
        description="Namespace in which Envoy Gateway runs its proxies: only from there are pods reachable.",
    )


class Upstreams(Section):
    """Servers beside the gateway's proxy, on its own loopback, that answer instead of the stack's pods.

    For the embedded cluster, whose pods are simulated: './dev gateway' sets and removes them.
    """

    models: dict[RoleName, LoopbackUrl] = Field(
        default={},
        description="Role to address, e.g. {coder: 'http://127.0.0.1:8000'}. Left out: pods answer.",
    )
    proxy: LoopbackUrl | None = Field(
        default=None, description="Address of the translation proxy. Left out: its pod answers."
    )


class Timeouts(Section):
    """The two durations that all others are derived from."""

    longest_turn_seconds: Annotated[int, Field(strict=True, ge=60, le=7200)] = Field(
        default=600,
        description="Longest turn of an agent, in seconds: every limit from server to client is derived from it.",
    )
    load_budget_seconds: Annotated[int, Field(strict=True, ge=300, le=14_400)] = Field(
        default=2700,
        description="Longest time from the start of a model's pod until it answers, in seconds, download included.",
    )


class Queue(Section):
    """Kueue objects for the pool; left out when the cluster has no Kueue."""

    cluster_queue: ObjectName = Field(
        default="gpu", description="Name of the ClusterQueue that the stack makes."
    )
    local_queue: LabelValue = Field(
        default="coding-agents", description="Name of the LocalQueue in the stack's namespace."
    )


class Platform(Section):
    """The whole of `onprem-coding-agents:platform`."""

    namespace: Namespace = Field(
        default="coding-agents", description="Namespace that the stack makes and fills; one stack each."
    )
    hardware: Hardware = Field(description="The GPU nodes.")
    models: tuple[ModelRole, ...] = Field(
        min_length=1, max_length=16, description="What is served: one entry for each role."
    )
    serving: Serving = Field(
        default=Serving(), description="How KServe runs vLLM. Left out: the defaults below."
    )
    access: Access = Field(description="Who may call, and under which name.")
    translation: Translation = Field(
        default="native",
        description="What speaks the Anthropic API to Claude Code: vLLM itself (native), or a proxy in between.",
    )
    timeouts: Timeouts = Field(
        default=Timeouts(), description="The longest turn and the longest load. Left out: the defaults below."
    )
    queue: Queue | None = Field(
        default=None, description="Kueue objects for the pool. Left out: none are made."
    )
    upstreams: Upstreams = Field(
        default=Upstreams(), description="For the embedded cluster alone: servers that stand in for the pods."
    )

    @model_validator(mode="after")
    def _upstreams_of_what_there_is(self) -> Platform:
        roles = [model.role for model in self.models]
        unknown = [role for role in self.upstreams.models if role not in roles]
        if unknown:
            raise _contradiction(
                f"'upstreams.models' names {unknown[0]!r}",
                f"the roles are {', '.join(roles)}",
                "name a role, or remove the entry",
            )
        if self.upstreams.proxy is not None and self.translation == "native":
            raise _contradiction(
                "'upstreams.proxy' beside the translation 'native'",
                "'upstreams.proxy' only goes with a 'translation' other than 'native'",
                "remove 'upstreams.proxy'",
            )
        return self


def _contradiction(found: str, why: str, fix: str) -> Exception:
    return refusal(Finding(cause="contradiction", found=found, why=why, fix=fix))


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `onprem-coding-agents:platform` for editors."""
    return Platform.model_json_schema(by_alias=True)
