"""What each component is told: every value may be an Output.

Generated from the settings in `onprem_agents/stack` by `ONPREM_WRITE_GOLDEN=1 ./dev test golden`; the default of a
setting and what it is derived from are said there. The SDK's analyzer of component packages reads these types, so
no annotation is a text here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi


class Queue(TypedDict):
    """Kueue objects for the pool; left out when the cluster has no Kueue."""

    cluster_queue: NotRequired[pulumi.Input[str]]
    """Name of the ClusterQueue that is made; it is cluster-wide. Left out: the namespace's name and -gpu."""
    local_queue: NotRequired[pulumi.Input[str]]
    """Name of the LocalQueue in the stack's namespace. Default: coding-agents."""


class GpuNodePoolArgs(TypedDict):
    """What `GpuNodePool` is told."""

    accelerator: pulumi.Input[str]
    """Accelerator of the catalogue, e.g. L40S."""
    namespace: pulumi.Input[str]
    """Existing namespace of the model servers, one pool each; the cluster-wide names are made of it."""
    gpus_per_node: NotRequired[pulumi.Input[int]]
    """GPUs in each node. Default: 1."""
    nodes: NotRequired[pulumi.Input[int]]
    """Nodes in the pool. Left out: as many as 'nodeNames' lists, else 1."""
    node_names: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Existing nodes to label and taint. Left out: no node is touched, and pods find theirs by the label
    that NVIDIA's GPU feature discovery sets."""
    taint: NotRequired[pulumi.Input[bool]]
    """Keep other workloads off the nodes that 'nodeNames' lists, by a taint that GPU users know. Default:
    true."""
    queue: NotRequired[pulumi.Input[Queue]]
    """Kueue objects for the pool. Left out: none are made."""


class InferenceServiceArgs(TypedDict):
    """What `InferenceService` is told."""

    role: pulumi.Input[str]
    """The name that developers' machines know the model by. The first role does the work, the last one takes
    titles and other short calls."""
    model: pulumi.Input[str]
    """Name in the catalogue, or Hugging Face id of one of its checkpoints, e.g. Qwen/Qwen3.6-27B-FP8. A bare
    name leaves the choice of the checkpoint open."""
    accelerator: pulumi.Input[str]
    """Accelerator of the catalogue, e.g. L40S."""
    gpus_per_node: pulumi.Input[int]
    """GPUs in each node."""
    namespace: pulumi.Input[str]
    """Existing namespace; several servers may share it under different roles."""
    longest_turn_seconds: NotRequired[pulumi.Input[int]]
    """Longest turn of an agent, in seconds: every limit from server to client is derived from it. Default:
    600."""
    load_budget_seconds: NotRequired[pulumi.Input[int]]
    """Longest time from the start of a model's pod until it answers, in seconds, download included. Default:
    2700."""
    mode: NotRequired[pulumi.Input[str]]
    """KServe's deployment mode; Knative needs Knative Serving in the cluster. A change replaces each model
    server: nothing serves until the new ones have loaded. One of Standard, Knative. Default: Standard."""
    kserve: NotRequired[pulumi.Input[str]]
    """KServe release of the cluster, in quotes, e.g. '0.15'; before 0.16 it has other words for the modes.
    Left out: the newest that was tried."""
    vllm: NotRequired[pulumi.Input[str]]
    """vLLM release of the image: flags and parsers are those of this release. Left out: the newest that is
    known ('onprem-agents catalog' lists them)."""
    image: NotRequired[pulumi.Input[str]]
    """Image of the model servers, e.g. from a mirror. Left out: vLLM's own of that release, by its tag."""
    image_pull_secrets: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Existing Secrets of the namespace with which images are pulled. Left out: none."""
    service_account: NotRequired[pulumi.Input[str]]
    """Existing ServiceAccount of the model servers. Left out: the namespace's default one."""
    storage_secret: NotRequired[pulumi.Input[str]]
    """Existing Secret with S3 or Hugging Face credentials for the download. Left out: none, which does for
    public models."""
    precision: NotRequired[pulumi.Input[str]]
    """Precision of the weights. Left out: the best checkpoint that fits and that the GPU computes natively.
    One of bf16, fp8, int4, nvfp4, mxfp4."""
    source: NotRequired[pulumi.Input[str]]
    """Where the weights come from: hf://, pvc://, oci:// or s3://. Left out: hf:// and the model's id."""
    revision: NotRequired[pulumi.Input[str]]
    """Git revision of the checkpoint on Hugging Face; only with an hf:// source. Left out: the newest."""
    context: NotRequired[pulumi.Input[int]]
    """Longest prompt and answer together, in tokens. Left out: the longest that fits, up to 131072."""
    sessions: NotRequired[pulumi.Input[int]]
    """Sessions of full context to hold at once, over all replicas. Left out: as many as fit."""
    replicas: NotRequired[pulumi.Input[int]]
    """Model servers. Left out: as many as 'sessions' need, else 1."""
    tensor_parallel: NotRequired[pulumi.Input[int]]
    """GPUs that share one replica. Left out: the fewest of a node that hold the model."""
    kv_cache_dtype: NotRequired[pulumi.Input[str]]
    """Precision of the KV cache; fp8 holds twice the tokens. Left out: the model's own where it fits, else
    fp8 on GPUs that have it. One of auto, fp8."""
    gpu_memory_utilization: NotRequired[pulumi.Input[float]]
    """Share of the GPU's memory that vLLM takes. Left out: 0.92, vLLM's default."""
    max_num_seqs: NotRequired[pulumi.Input[int]]
    """Requests in one batch. Left out: 16 to 64 by the GPU's memory, more where 'sessions' ask for it."""
    max_num_batched_tokens: NotRequired[pulumi.Input[int]]
    """Tokens in one batch. Left out: 2048, or 8192 on GPUs of 70 GiB and more."""
    tool_call_parser: NotRequired[pulumi.Input[str]]
    """vLLM's parser of tool calls. Left out: the one for the model's family."""
    reasoning_parser: NotRequired[pulumi.Input[str]]
    """vLLM's parser of reasoning. Left out: the one for the model's family."""
    chat_template: NotRequired[pulumi.Input[str]]
    """Jinja text to use instead of the model's own template. Left out: the model's, or the one that vLLM
    brings for its tool calls."""
    speculative_tokens: NotRequired[pulumi.Input[int]]
    """Tokens that the model's own draft layers guess ahead; 0 switches guessing off. Default: 0."""
    temperature: NotRequired[pulumi.Input[float]]
    """Sampling temperature that server and agents use. Left out: that of the model's own configuration."""
    nodes: NotRequired[pulumi.Input[int]]
    """Nodes that the server may use. Left out: as many as 'nodeNames' lists, else 1."""
    node_names: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """The nodes of a pool that lists them: pods then go by the pool's label. Left out: they go by the label
    that NVIDIA's GPU feature discovery sets."""
    priority_class: NotRequired[pulumi.Input[str]]
    """Existing PriorityClass of the pods, such as a pool's. Left out: none."""
    local_queue: NotRequired[pulumi.Input[str]]
    """Kueue's LocalQueue that admits the pods, such as a pool's. Left out: none."""
    key_secret: NotRequired[pulumi.Input[str]]
    """Existing Secret with the server's key: bare as apiKey, behind 'Bearer ' as credential. Left out: one
    is made of the key that is given; without a key the server asks for none."""
    server_key: NotRequired[pulumi.Input[str]]
    """The key between gateway and model servers, at least 32 characters. It stands in Secrets alone."""


class Tls(TypedDict):
    """The certificate of the external listener: a cert-manager issuer or an existing Secret."""

    issuer: NotRequired[pulumi.Input[str]]
    """cert-manager issuer that signs the certificate. Left out: 'secretName' must be said."""
    issuer_kind: NotRequired[pulumi.Input[str]]
    """Kind of that issuer. One of ClusterIssuer, Issuer. Default: ClusterIssuer."""
    secret_name: NotRequired[pulumi.Input[str]]
    """Existing Secret with the certificate. Left out: 'issuer' must be said."""
    secret_namespace: NotRequired[pulumi.Input[str]]
    """Namespace of that Secret; a ReferenceGrant there must allow it. Left out: the stack's own."""
    reference_grant: NotRequired[pulumi.Input[bool]]
    """Make that ReferenceGrant, in the Secret's namespace, where whoever deploys may write there. Otherwise
    that namespace's owner does; 'onprem-agents preflight' tells its YAML. Default: false."""
    ca_hint: NotRequired[pulumi.Input[str]]
    """Where developers find the CA file of a private issuer; it is published in the contract. Left out: the
    certificate is one that machines trust anyway."""


class ServerReference(TypedDict):
    """A model server that others lead to: ours, or any Service that speaks the agents' API.

    What is left out besides name, service and port is what developers' machines are then not told."""

    name: pulumi.Input[str]
    """The served model: what clients send as 'model'."""
    service: pulumi.Input[str]
    """Name of the Service in front of the server."""
    port: NotRequired[pulumi.Input[int]]
    """TCP port of that Service. Default: 80."""
    namespace: NotRequired[pulumi.Input[str]]
    """Namespace of that Service. Left out: the one of what uses it; there is no other."""
    mode: NotRequired[pulumi.Input[str]]
    """KServe's deployment mode; Knative's servers go by their host name. One of Standard, Knative. Default:
    Standard."""
    key_secret: NotRequired[pulumi.Input[str]]
    """Existing Secret with the server's key, bare as apiKey, behind 'Bearer ' as credential. Left out: the
    server asks for none."""
    role: NotRequired[pulumi.Input[str]]
    """The name that developers' machines know it by. Left out: 'name'."""
    model_id: NotRequired[pulumi.Input[str]]
    """The model's public name, such as a Hugging Face id. Left out: 'name'."""
    context_tokens: NotRequired[pulumi.Input[int]]
    """Longest prompt and answer together, in tokens. Left out: nobody knows, and no connection contract is
    published."""
    max_output_tokens: NotRequired[pulumi.Input[int]]
    """Longest answer that clients may ask for, in tokens. Left out: an eighth of 'contextTokens', at most
    16384."""
    reasoning: NotRequired[pulumi.Input[bool]]
    """Whether the model thinks before it answers. Default: false."""
    tool_calling: NotRequired[pulumi.Input[bool]]
    """Whether the server parses the model's tool calls. Default: true."""
    temperature: NotRequired[pulumi.Input[float]]
    """Sampling temperature that agents use. Left out: that of the server's own configuration."""
    unsupported_reasons: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Why an agent cannot work with it, for each agent that cannot. Left out: what follows from the limits
    above."""
    longest_turn_seconds: NotRequired[pulumi.Input[int]]
    """Longest turn that the server is made for, in seconds. Left out: what its user says."""


class ProxyReference(TypedDict):
    """A translation proxy that an ingress leads to."""

    software: pulumi.Input[str]
    """What speaks the Anthropic API to Claude Code: litellm takes all requests, claude-code-router those of
    Claude Code alone. One of litellm, claude-code-router."""
    service: pulumi.Input[str]
    """Name of the proxy's Service."""
    port: pulumi.Input[int]
    """TCP port of that Service."""
    key_secret: pulumi.Input[str]
    """Secret with the proxy's key, bare as apiKey, behind 'Bearer ' as credential."""
    namespace: NotRequired[pulumi.Input[str]]
    """Namespace of that Service. Left out: the one of what uses it; there is no other."""


class ExternalIngressArgs(TypedDict):
    """What `ExternalIngress` is told."""

    host: pulumi.Input[str]
    """DNS name that developers connect to: the gateway listens for it, and the certificate is for it."""
    tls: pulumi.Input[Tls]
    """The certificate of the HTTPS listener."""
    servers: pulumi.Input[Sequence[pulumi.Input[ServerReference]]]
    """The model servers behind it, the main one first."""
    namespace: pulumi.Input[str]
    """Existing namespace of Gateway, routes and servers; one ingress each."""
    port: NotRequired[pulumi.Input[int]]
    """TCP port of the gateway's HTTPS listener. Default: 443."""
    gateway_class: NotRequired[pulumi.Input[str]]
    """Existing GatewayClass that Envoy Gateway serves. Default: envoy-gateway."""
    gateway_replicas: NotRequired[pulumi.Input[int]]
    """Envoys behind the Gateway, on nodes of their own where there are enough; one stays up while nodes are
    drained. 1 leaves their number to the GatewayClass. Default: 2."""
    proxy: NotRequired[pulumi.Input[ProxyReference]]
    """Translation proxy in front of the servers. Left out: none, they speak each agent's API."""
    longest_turn_seconds: NotRequired[pulumi.Input[int]]
    """Longest turn of an agent, in seconds. Left out: the longest that a server says, else 600."""
    developers: NotRequired[pulumi.Input[int]]
    """Developers who will call: limits of connections are made for so many. Default: 16."""


class IngressReference(TypedDict):
    """An ingress whose routes ask for a key."""

    namespace: pulumi.Input[str]
    """Namespace of the Gateway and its routes."""
    gateway: pulumi.Input[str]
    """Name of the Gateway."""
    routes: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Names of the HTTPRoutes that nobody may use without a key."""


class GatewayAuthArgs(TypedDict):
    """What `GatewayAuth` is told."""

    ingress: pulumi.Input[IngressReference]
    """The ingress whose routes ask for a key."""
    developer_keys: pulumi.Input[Mapping[str, pulumi.Input[Any]]]
    """Each developer's key by name, or a list of two while a key is exchanged; at least 32 characters each.
    They stand in Secrets alone."""


class TranslationProxyArgs(TypedDict):
    """What `TranslationProxy` is told."""

    servers: pulumi.Input[Sequence[pulumi.Input[ServerReference]]]
    """The model servers behind it, the main one first."""
    software: pulumi.Input[str]
    """What speaks the Anthropic API to Claude Code: litellm takes all requests, claude-code-router those of
    Claude Code alone. One of litellm, claude-code-router."""
    namespace: pulumi.Input[str]
    """Existing namespace of proxy and servers; one proxy each."""
    server_key: pulumi.Input[str]
    """The key between gateway and proxy, at least 32 characters. It stands in Secrets alone."""
    longest_turn_seconds: NotRequired[pulumi.Input[int]]
    """Longest turn of an agent, in seconds. Left out: the longest that a server says, else 600."""


class Hardware(TypedDict):
    """The GPU nodes: a tier by name, or accelerator, GPUs per node and number of nodes."""

    tier: NotRequired[pulumi.Input[str]]
    """Hardware tier of the catalogue ('onprem-agents catalog' lists them), e.g. 48gb; it gives accelerator,
    GPUs per node and nodes. Left out: 'accelerator' must be said."""
    accelerator: NotRequired[pulumi.Input[str]]
    """Accelerator of the catalogue, e.g. L40S. Left out: that of the tier."""
    gpus_per_node: NotRequired[pulumi.Input[int]]
    """GPUs in each node. Left out: as the tier says, 1 beside an accelerator."""
    nodes: NotRequired[pulumi.Input[int]]
    """Nodes in the pool. Left out: as many as 'nodeNames' lists, else as the tier says, else 1."""
    node_names: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Existing nodes to label and taint. Left out: no node is touched, and pods find theirs by the label
    that NVIDIA's GPU feature discovery sets."""
    taint: NotRequired[pulumi.Input[bool]]
    """Keep other workloads off the nodes that 'nodeNames' lists, by a taint that GPU users know. Default:
    true."""


class ModelRole(TypedDict):
    """One model behind one stable role name; everything but role and model is derived when not said."""

    role: pulumi.Input[str]
    """The name that developers' machines know the model by. The first role does the work, the last one takes
    titles and other short calls."""
    model: pulumi.Input[str]
    """Name in the catalogue, or Hugging Face id of one of its checkpoints, e.g. Qwen/Qwen3.6-27B-FP8. A bare
    name leaves the choice of the checkpoint open."""
    precision: NotRequired[pulumi.Input[str]]
    """Precision of the weights. Left out: the best checkpoint that fits and that the GPU computes natively.
    One of bf16, fp8, int4, nvfp4, mxfp4."""
    source: NotRequired[pulumi.Input[str]]
    """Where the weights come from: hf://, pvc://, oci:// or s3://. Left out: hf:// and the model's id."""
    revision: NotRequired[pulumi.Input[str]]
    """Git revision of the checkpoint on Hugging Face; only with an hf:// source. Left out: the newest."""
    context: NotRequired[pulumi.Input[int]]
    """Longest prompt and answer together, in tokens. Left out: the longest that fits, up to 131072."""
    sessions: NotRequired[pulumi.Input[int]]
    """Sessions of full context to hold at once, over all replicas. Left out: as many as fit."""
    replicas: NotRequired[pulumi.Input[int]]
    """Model servers. Left out: as many as 'sessions' need, else 1."""
    tensor_parallel: NotRequired[pulumi.Input[int]]
    """GPUs that share one replica. Left out: the fewest of a node that hold the model."""
    kv_cache_dtype: NotRequired[pulumi.Input[str]]
    """Precision of the KV cache; fp8 holds twice the tokens. Left out: the model's own where it fits, else
    fp8 on GPUs that have it. One of auto, fp8."""
    gpu_memory_utilization: NotRequired[pulumi.Input[float]]
    """Share of the GPU's memory that vLLM takes. Left out: 0.92, vLLM's default."""
    max_num_seqs: NotRequired[pulumi.Input[int]]
    """Requests in one batch. Left out: 16 to 64 by the GPU's memory, more where 'sessions' ask for it."""
    max_num_batched_tokens: NotRequired[pulumi.Input[int]]
    """Tokens in one batch. Left out: 2048, or 8192 on GPUs of 70 GiB and more."""
    tool_call_parser: NotRequired[pulumi.Input[str]]
    """vLLM's parser of tool calls. Left out: the one for the model's family."""
    reasoning_parser: NotRequired[pulumi.Input[str]]
    """vLLM's parser of reasoning. Left out: the one for the model's family."""
    chat_template: NotRequired[pulumi.Input[str]]
    """Jinja text to use instead of the model's own template. Left out: the model's, or the one that vLLM
    brings for its tool calls."""
    speculative_tokens: NotRequired[pulumi.Input[int]]
    """Tokens that the model's own draft layers guess ahead; 0 switches guessing off. Default: 0."""
    temperature: NotRequired[pulumi.Input[float]]
    """Sampling temperature that server and agents use. Left out: that of the model's own configuration."""


class Serving(TypedDict):
    """How KServe runs vLLM."""

    mode: NotRequired[pulumi.Input[str]]
    """KServe's deployment mode; Knative needs Knative Serving in the cluster. A change replaces each model
    server: nothing serves until the new ones have loaded. One of Standard, Knative. Default: Standard."""
    kserve: NotRequired[pulumi.Input[str]]
    """KServe release of the cluster, in quotes, e.g. '0.15'; before 0.16 it has other words for the modes.
    Left out: the newest that was tried."""
    vllm: NotRequired[pulumi.Input[str]]
    """vLLM release of the image: flags and parsers are those of this release. Left out: the newest that is
    known ('onprem-agents catalog' lists them)."""
    image: NotRequired[pulumi.Input[str]]
    """Image of the model servers, e.g. from a mirror. Left out: vLLM's own of that release, by its tag."""
    image_pull_secrets: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Existing Secrets of the namespace with which images are pulled. Left out: none."""
    service_account: NotRequired[pulumi.Input[str]]
    """Existing ServiceAccount of the model servers. Left out: the namespace's default one."""
    storage_secret: NotRequired[pulumi.Input[str]]
    """Existing Secret with S3 or Hugging Face credentials for the download. Left out: none, which does for
    public models."""


class Developer(TypedDict):
    """One developer; the key itself lives in the secret `developerKeys`."""

    team: NotRequired[pulumi.Input[str]]
    """The developer's team; the report counts developers by it. Left out: none."""


class Access(TypedDict):
    """Who may call the models, and under which name."""

    host: pulumi.Input[str]
    """DNS name that developers connect to: the gateway listens for it, and the certificate is for it."""
    tls: pulumi.Input[Tls]
    """The certificate of the HTTPS listener."""
    developers: pulumi.Input[Mapping[str, pulumi.Input[Developer]]]
    """Everyone who may call, by name; each needs a key in the secret 'developerKeys'."""
    port: NotRequired[pulumi.Input[int]]
    """TCP port of the gateway's HTTPS listener. Default: 443."""
    gateway: NotRequired[pulumi.Input[str]]
    """Software of the gateway; envoy-ai-gateway counts tokens and needs its controller. One of
    envoy-gateway, envoy-ai-gateway. Default: envoy-gateway."""
    gateway_class: NotRequired[pulumi.Input[str]]
    """Existing GatewayClass that Envoy Gateway serves. Default: envoy-gateway."""
    gateway_namespace: NotRequired[pulumi.Input[str]]
    """Namespace in which Envoy Gateway runs its proxies: only from there are pods reachable, and from the
    stack's own, where it runs them in the Gateway's. Default: envoy-gateway-system."""
    gateway_replicas: NotRequired[pulumi.Input[int]]
    """Envoys behind the Gateway, on nodes of their own where there are enough; one stays up while nodes are
    drained. 1 leaves their number to the GatewayClass. Default: 2."""


class Timeouts(TypedDict):
    """The two durations that all others are derived from."""

    longest_turn_seconds: NotRequired[pulumi.Input[int]]
    """Longest turn of an agent, in seconds: every limit from server to client is derived from it. Default:
    600."""
    load_budget_seconds: NotRequired[pulumi.Input[int]]
    """Longest time from the start of a model's pod until it answers, in seconds, download included. Default:
    2700."""


class CodingPlatformArgs(TypedDict):
    """What `CodingPlatform` is told."""

    hardware: pulumi.Input[Hardware]
    """The GPU nodes."""
    models: pulumi.Input[Sequence[pulumi.Input[ModelRole]]]
    """What is served: one entry for each role."""
    access: pulumi.Input[Access]
    """Who may call, and under which name."""
    developer_keys: pulumi.Input[Mapping[str, pulumi.Input[Any]]]
    """Each developer's key by name, or a list of two while a key is exchanged; at least 32 characters each.
    They stand in Secrets alone."""
    server_key: pulumi.Input[str]
    """The key between gateway and model servers, at least 32 characters. It stands in Secrets alone."""
    namespace: NotRequired[pulumi.Input[str]]
    """Namespace that the stack makes and fills; one stack each. Default: coding-agents."""
    serving: NotRequired[pulumi.Input[Serving]]
    """How KServe runs vLLM. Left out: the defaults below."""
    translation: NotRequired[pulumi.Input[str]]
    """What speaks the Anthropic API to Claude Code: vLLM itself (native), or a proxy in between. One of
    native, litellm, claude-code-router. Default: native."""
    timeouts: NotRequired[pulumi.Input[Timeouts]]
    """The longest turn and the longest load. Left out: the defaults below."""
    queue: NotRequired[pulumi.Input[Queue]]
    """Kueue objects for the pool. Left out: none are made."""
