"""What each component is told: every value may be an Output.

Generated from the settings in `onprem_agents/stack` by `ONPREM_WRITE_GOLDEN=1 ./dev test golden`; the default of a
setting and what it is derived from are said there. The SDK's analyzer of component packages reads these types, so
no annotation is a text here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi


class GpuShare(TypedDict):
    """What a pod gets of a GPU that HAMi shares out."""

    memory_gib: pulumi.Input[int]
    """GiB of the GPU's memory that a pod gets."""
    core_percent: NotRequired[pulumi.Input[int]]
    """Percent of the GPU's cores that a pod gets. Default: 100."""


class Queue(TypedDict):
    """Kueue objects for the pool; left out when the cluster has no Kueue."""

    cluster_queue: NotRequired[pulumi.Input[str]]
    """Name of the ClusterQueue that is made; it is cluster-wide. Left out: the namespace's name and -gpu."""
    existing_cluster_queue: NotRequired[pulumi.Input[str]]
    """Existing ClusterQueue that admits the pods: then neither a ClusterQueue nor a flavor is made. Left
    out: one is made, with quota for all replicas and the pods of an update."""
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
    mig_strategy: NotRequired[pulumi.Input[str]]
    """How the nodes offer MIG slices, as the strategy of NVIDIA's device plugin: single as nvidia.com/gpu,
    mixed as nvidia.com/mig-PROFILE. It matters where the accelerator is a slice. One of single, mixed.
    Default: single."""
    share: NotRequired[pulumi.Input[GpuShare]]
    """Shares of GPUs, where the nodes have HAMi: 'gpusPerNode' then counts shares, and none of them work
    together. Left out: whole GPUs."""
    queue: NotRequired[pulumi.Input[Queue]]
    """Kueue objects for the pool. Left out: none are made."""
    platform: NotRequired[pulumi.Input[str]]
    """What the cluster is made of: it tells the resource by which its HAMi counts shares. One of upstream,
    openshift-ai, alauda. Default: upstream."""


class Thinking(TypedDict):
    """How much a model thinks before it answers, where a request says nothing; agents are set up alike."""

    default: NotRequired[pulumi.Input[str]]
    """on: as long as the model likes; off: not at all; auto: little, as suits agents: the least effort that
    the model knows, else a budget of tokens. One of on, off, auto. Default: auto."""
    budget_tokens: NotRequired[pulumi.Input[int]]
    """Most tokens of thought in one answer. Left out: 2048 where 'default' is auto and the model knows no
    efforts, else no limit."""
    effort: NotRequired[pulumi.Input[str]]
    """Effort of reasoning, of those that the model tells apart. Left out: the least of them where 'default'
    is auto, else the model's own. One of minimal, low, medium, high, xhigh, max."""


class Toleration(TypedDict):
    """A taint that the pods bear, beside the one of GPU nodes."""

    key: NotRequired[pulumi.Input[str]]
    """Key of the taint. Left out: every key, with the operator Exists."""
    operator: NotRequired[pulumi.Input[str]]
    """Exists takes any value of the taint, Equal the one that 'value' says. One of Exists, Equal. Default:
    Equal."""
    value: NotRequired[pulumi.Input[str]]
    """Value of the taint. Left out: the empty one."""
    effect: NotRequired[pulumi.Input[str]]
    """Effect of the taint. Left out: each of them. One of NoSchedule, PreferNoSchedule, NoExecute."""
    toleration_seconds: NotRequired[pulumi.Input[int]]
    """How long a pod stays on a node that gets the taint, in seconds; only with NoExecute. Left out: for
    ever."""


class PvcCache(TypedDict):
    """A PersistentVolumeClaim that the stack makes and a Job fills; the kernels that vLLM compiles lie
    beside."""

    storage_class: NotRequired[pulumi.Input[str]]
    """StorageClass of the claim. Left out: the cluster's default one."""
    size_gib: NotRequired[pulumi.Input[int]]
    """Size of the claim in GiB. Left out: the weights, and room for what vLLM compiles."""
    access_mode: NotRequired[pulumi.Input[str]]
    """How nodes may mount the claim. Left out: ReadWriteMany where replicas may run on several nodes, else
    ReadWriteOnce. One of ReadWriteOnce, ReadWriteMany."""


class HostPathCache(TypedDict):
    """A folder of each node: the first pod there downloads, and the next ones find the weights."""

    path: pulumi.Input[str]
    """Existing folder of each node that user 1000 may write. Pod Security forbids such volumes, so the
    stack's namespace then enforces no level."""


class LocalModelCache(TypedDict):
    """KServe's LocalModelNamespaceCache, which keeps the weights on the disks of a group of nodes."""

    node_group: pulumi.Input[str]
    """Existing LocalModelNodeGroup with the nodes of the pool."""
    nodes: NotRequired[pulumi.Input[int]]
    """Nodes of that group that must have the weights before a server starts. Left out: all of the pool."""
    service_account: NotRequired[pulumi.Input[str]]
    """ServiceAccount in the namespace of KServe's download jobs that has the credentials. Left out: none,
    which does for public models."""


class Cache(TypedDict):
    """Where weights are kept between starts: exactly one of three."""

    pvc: NotRequired[pulumi.Input[PvcCache]]
    """On a PersistentVolumeClaim which a Job fills once; {} where its defaults do. Left out: not there."""
    host_path: NotRequired[pulumi.Input[HostPathCache]]
    """In a folder of each node. Left out: not there."""
    local_model_cache: NotRequired[pulumi.Input[LocalModelCache]]
    """In KServe's cache of local models. Left out: not there."""


class Images(TypedDict):
    """Where the images come from: all of them, the model servers', the download's, the proxy's and Envoy's."""

    registry: NotRequired[pulumi.Input[str]]
    """Registry that stands before the path of every image, such as a mirror; 'serving.image' and oci://
    sources name their own. Left out: each image's publisher's."""
    pull_policy: NotRequired[pulumi.Input[str]]
    """When nodes pull an image. One of IfNotPresent, Always, Never. Default: IfNotPresent."""
    digests: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Digest of an image by its name, as 'onprem-agents plan STACK --images' lists it: pods take these bytes
    and no others. Left out: what the tag means when a node pulls it."""


class DownloadProxy(TypedDict):
    """A company's HTTP proxy, which the containers that download weights are told of."""

    http_proxy: NotRequired[pulumi.Input[str]]
    """Proxy for http:// addresses. Left out: none."""
    https_proxy: NotRequired[pulumi.Input[str]]
    """Proxy for https:// addresses. Left out: none."""
    no_proxy: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Names and addresses that are reached directly, such as your own S3, besides the cluster's own
    (localhost, 127.0.0.1, .svc, .cluster.local). Left out: none."""


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
    """Longest time from the start of a model's pod until it answers, in seconds, download included; a Job
    that downloads before has as long. Default: 2700."""
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
    """Image of the model servers, with its registry: 'images.registry' does not stand before it. Left out:
    vLLM's own of that release, by its tag."""
    image_pull_secrets: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Existing Secrets of the namespace with which images are pulled; beside 'images.registry' Envoy's pods
    ask for the same in theirs. Left out: none."""
    service_account: NotRequired[pulumi.Input[str]]
    """Existing ServiceAccount of the model servers. Left out: the namespace's default one."""
    storage_secret: NotRequired[pulumi.Input[str]]
    """Existing Secret with S3 or Hugging Face credentials for the download. Left out: none, which does for
    public models."""
    cuda_affinity: NotRequired[pulumi.Input[bool]]
    """Whether pods go only to nodes whose driver knows the image's CUDA, by the labels of NVIDIA's GPU
    feature discovery; without those labels no node will do. Default: false."""
    download_mib_per_second: NotRequired[pulumi.Input[int]]
    """Rate in MiB/s at which weights come from hf:// or s3://: load times are estimated with it. 100 is
    about what a line of 1 Gbit/s gives. Default: 100."""
    precision: NotRequired[pulumi.Input[str]]
    """Precision of the weights; native: as the maker mixes it. Left out: the best checkpoint that fits and
    that the GPU computes natively. One of bf16, fp8, int4, nvfp4, mxfp4, native."""
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
    prefix_caching: NotRequired[pulumi.Input[bool]]
    """Keep the KV cache of earlier prompts for later ones that begin alike. Left out: on, but for models
    with linear attention on another maker's accelerators whose vLLM is not known to have it for them.
    Where it would harm answers beside 'speculativeTokens', what is left out gives way; where both are
    said, both hold."""
    vision: NotRequired[pulumi.Input[bool]]
    """Take images beside text, where the model can: its encoder then takes memory of its own. Default:
    false."""
    speculative_tokens: NotRequired[pulumi.Input[int]]
    """Tokens that the model's own draft layers guess ahead; 0 switches guessing off. Default: 0."""
    temperature: NotRequired[pulumi.Input[float]]
    """Sampling temperature that server and agents use. Left out: that of the maker's card where the
    checkpoint's own configuration says another, else that of its configuration."""
    top_p: NotRequired[pulumi.Input[float]]
    """Share of the likeliest tokens that are sampled from. Left out: as for 'temperature'."""
    top_k: NotRequired[pulumi.Input[int]]
    """Number of the likeliest tokens that are sampled from. Left out: as for 'temperature'."""
    min_p: NotRequired[pulumi.Input[float]]
    """Least probability of a token, as a share of the likeliest one's; not beside 'speculativeTokens'. Left
    out: as for 'temperature'."""
    presence_penalty: NotRequired[pulumi.Input[float]]
    """What a token loses once it has been said. Left out: as for 'temperature'."""
    repetition_penalty: NotRequired[pulumi.Input[float]]
    """Divisor of what was said before, 1 for none. Left out: as for 'temperature'."""
    thinking: NotRequired[pulumi.Input[Thinking]]
    """How much the model thinks where a request says nothing. Left out: little, as suits agents."""
    extra_args: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Further options of vLLM, word by word as `vllm serve` takes them, e.g. [--max-logprobs, '5']. What a
    setting says, what the plan decides and what could not be sized is refused. Left out: none."""
    env: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Further variables of the server, none of them secret, e.g. {NCCL_DEBUG: INFO}. Left out: none."""
    pod_labels: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Further labels of the pods. Left out: none."""
    pod_annotations: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Further annotations of the pods. Left out: none."""
    node_selector: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Labels that a node must have beside those of the pool. Left out: any node of the pool will do."""
    tolerations: NotRequired[pulumi.Input[Sequence[pulumi.Input[Toleration]]]]
    """Taints that the pods bear beside the one of GPU nodes. Left out: none."""
    cache: NotRequired[pulumi.Input[Cache]]
    """Where downloaded weights are kept between starts. Left out: nowhere, each pod downloads its own."""
    nodes: NotRequired[pulumi.Input[int]]
    """Nodes that the server may use. Left out: as many as 'nodeNames' lists, else 1."""
    node_names: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """The nodes of a pool that lists them: pods then go by the pool's label. Left out: they go by the label
    that NVIDIA's GPU feature discovery sets."""
    mig_strategy: NotRequired[pulumi.Input[str]]
    """How the nodes offer MIG slices, as the strategy of NVIDIA's device plugin: single as nvidia.com/gpu,
    mixed as nvidia.com/mig-PROFILE. It matters where the accelerator is a slice. One of single, mixed.
    Default: single."""
    share: NotRequired[pulumi.Input[GpuShare]]
    """Shares of GPUs, where the nodes have HAMi: 'gpusPerNode' then counts shares, and none of them work
    together. Left out: whole GPUs."""
    priority_class: NotRequired[pulumi.Input[str]]
    """Existing PriorityClass of the pods, such as a pool's. Left out: none."""
    local_queue: NotRequired[pulumi.Input[str]]
    """Kueue's LocalQueue that admits the pods, such as a pool's. Left out: none."""
    key_secret: NotRequired[pulumi.Input[str]]
    """Existing Secret with the server's key: bare as apiKey, behind 'Bearer ' as credential. Left out: one
    is made of the key that is given; without a key the server asks for none."""
    platform: NotRequired[pulumi.Input[str]]
    """What the cluster is made of: its name sets other settings that nobody says, and 'onprem-agents plan
    STACK' tells which and why. One of upstream, openshift-ai, alauda. Default: upstream."""
    images: NotRequired[pulumi.Input[Images]]
    """Where all images come from, when they are pulled, which bytes they have. Left out: the defaults below."""
    pod_ids: NotRequired[pulumi.Input[str]]
    """User and group of every pod: 1000 and, for Envoy, what Envoy Gateway sets (fixed), or what the
    platform assigns, as OpenShift's restricted-v2 does (platform). No pod runs as root in either case:
    where nothing assigns a user, an image whose own one is root does not start. One of fixed, platform.
    Default: fixed."""
    download_proxy: NotRequired[pulumi.Input[DownloadProxy]]
    """A company's HTTP proxy between the download and the weights. Left out: none."""
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


class GatewayService(TypedDict):
    """The Service that Envoy Gateway makes in front of Envoy.

    Developers always connect to 'host' and 'port' of 'access'. With a NodePort they reach a node there
    where 'port' is one of the nodes' ports, such as 30443; else something of yours passes 'port' on to
    'nodePort' of the nodes."""

    type: NotRequired[pulumi.Input[str]]
    """Kind of the Service: LoadBalancer needs something in the cluster that gives it an address, such as
    MetalLB; NodePort listens on every node; ClusterIP is for what is in the cluster already. One of
    LoadBalancer, NodePort, ClusterIP. Default: LoadBalancer."""
    addresses: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Addresses of the gateway: external addresses of the Service, which something must lead to the nodes,
    or the one cluster address of a ClusterIP. Left out: what the cluster gives."""
    load_balancer_class: NotRequired[pulumi.Input[str]]
    """Class of what gives a LoadBalancer its address. Left out: the cluster's default."""
    annotations: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Annotations of the Service, such as those by which MetalLB picks an address. Left out: none."""
    node_port: NotRequired[pulumi.Input[int]]
    """The port of the nodes. Left out: the listener's where that is from 30000 to 32767, else one that the
    cluster picks."""


class ServedThinking(TypedDict):
    """How much a server's model thinks where a request says nothing; agents and proxies ask for the same."""

    default: pulumi.Input[str]
    """Whether it thinks where a request says nothing. One of on, off."""
    budget_tokens: NotRequired[pulumi.Input[int]]
    """Most tokens of thought that agents ask for. Left out: they set no limit."""
    effort: NotRequired[pulumi.Input[str]]
    """Effort that agents ask for. Left out: they ask for none. One of minimal, low, medium, high, xhigh,
    max."""
    efforts: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Efforts that the model tells apart. Left out: none. One of minimal, low, medium, high, xhigh, max."""
    switch: NotRequired[pulumi.Input[str]]
    """Argument of the chat template that switches thinking off by false, e.g. enable_thinking. Left out: a
    request cannot switch it off."""


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
    replicas: NotRequired[pulumi.Input[int]]
    """Model servers behind that Service: with several a session keeps to one. Default: 1."""
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
    thinking: NotRequired[pulumi.Input[ServedThinking]]
    """How much it thinks, which agents keep to. Left out: nobody knows, and agents ask for nothing."""
    tool_calling: NotRequired[pulumi.Input[bool]]
    """Whether the server parses the model's tool calls. Default: true."""
    namespace_tools: NotRequired[pulumi.Input[bool]]
    """Whether the server takes tools in namespaces, as vLLM does since 0.32.0; Codex then has sub-agents.
    Default: false."""
    vision: NotRequired[pulumi.Input[bool]]
    """Whether the server takes images beside text. Default: false."""
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


class Support(TypedDict):
    """Who helps developers, and where they see whether the platform is well."""

    address: NotRequired[pulumi.Input[str]]
    """Whom developers ask: a mail address, a channel or a page, as they know it. Left out: nobody is named."""
    status_page: NotRequired[pulumi.Input[str]]
    """Address of the page that tells of outages. Left out: none is named."""


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
    gateway_service: NotRequired[pulumi.Input[GatewayService]]
    """The Service in front of Envoy. Left out: as the GatewayClass's own EnvoyProxy says, else a
    LoadBalancer."""
    model_aliases: NotRequired[pulumi.Input[bool]]
    """Whether names of hosted models, claude-* and gpt-*, lead to the first role: repositories bring agents
    and commands that ask for them. Otherwise those get 404. Default: true."""
    session_affinity: NotRequired[pulumi.Input[bool]]
    """Whether all turns of a session go to the same replica, whose prefix cache knows them, where there are
    several and the gateway itself chooses among them. Otherwise to one of those with the fewest requests.
    Default: true."""
    balanced_sessions: NotRequired[pulumi.Input[bool]]
    """Whether a turn leaves its session's replica while that works on more than 1.25 times its share of all
    requests. It takes an EnvoyPatchPolicy, so Envoy Gateway's configuration must say
    'extensionApis.enableEnvoyPatchPolicy: true'; whoever may write such objects decides all that Envoy
    does. Default: false."""
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
    images: NotRequired[pulumi.Input[Images]]
    """Where all images come from, when they are pulled, which bytes they have. Left out: the defaults below."""
    image_pull_secrets: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Existing Secrets of the namespace with which images are pulled; beside 'images.registry' Envoy's pods
    ask for the same in theirs. Left out: none."""
    pod_ids: NotRequired[pulumi.Input[str]]
    """User and group of every pod: 1000 and, for Envoy, what Envoy Gateway sets (fixed), or what the
    platform assigns, as OpenShift's restricted-v2 does (platform). No pod runs as root in either case:
    where nothing assigns a user, an image whose own one is root does not start. One of fixed, platform.
    Default: fixed."""
    support: NotRequired[pulumi.Input[Support]]
    """Where developers turn when something is wrong: 'onprem-agents setup' and 'doctor' tell it. Left out:
    they are told to ask the platform team."""


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
    images: NotRequired[pulumi.Input[Images]]
    """Where all images come from, when they are pulled, which bytes they have. Left out: the defaults below."""
    pod_ids: NotRequired[pulumi.Input[str]]
    """User and group of every pod: 1000 and, for Envoy, what Envoy Gateway sets (fixed), or what the
    platform assigns, as OpenShift's restricted-v2 does (platform). No pod runs as root in either case:
    where nothing assigns a user, an image whose own one is root does not start. One of fixed, platform.
    Default: fixed."""
    image_pull_secrets: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Existing Secrets of the namespace with which images are pulled; beside 'images.registry' Envoy's pods
    ask for the same in theirs. Left out: none."""


class ServiceCheckArgs(TypedDict):
    """What `ServiceCheck` is told."""

    connection: pulumi.Input[Mapping[str, pulumi.Input[Any]]]
    """The platform's connection contract, as an ingress or a platform tells it: the check comes after all
    that it comes from."""
    developer_key: pulumi.Input[str]
    """A developer's key, by which the models are asked. It stands in no object, state or log."""
    strict: NotRequired[pulumi.Input[bool]]
    """Let the update fail where the check finds a fault. Left out: it warns. Default: false."""
    long_prompt_tokens: NotRequired[pulumi.Input[int]]
    """Length of the long prompt, in tokens; a smaller context takes what it has room for. Default: 60000."""
    wait_seconds: NotRequired[pulumi.Input[int]]
    """How long the gateway may take to know its routes, keys and servers after it says that it is ready, in
    seconds. Default: 60."""
    address: NotRequired[pulumi.Input[str]]
    """Where the gateway is reached, HOST[:PORT], while its name is in no DNS yet or leads elsewhere; the
    certificate is checked for the name all the same. Left out: where its name leads."""
    ca_file: NotRequired[pulumi.Input[str]]
    """CA file (PEM) of a private issuer, on the machine that deploys. Left out: the certificates that this
    machine trusts."""
    models: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """The served models to check, as each model server tells its own once it is loaded: the check comes
    after that. Left out: all of the contract."""
    uncached_models: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """The served models that keep no prefix of a prompt on purpose: of them no reuse is expected. Left out:
    none."""


class NodePool(TypedDict):
    """One of several pools, each with GPUs of one kind."""

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
    mig_strategy: NotRequired[pulumi.Input[str]]
    """How the nodes offer MIG slices, as the strategy of NVIDIA's device plugin: single as nvidia.com/gpu,
    mixed as nvidia.com/mig-PROFILE. It matters where the accelerator is a slice. One of single, mixed.
    Default: single."""
    share: NotRequired[pulumi.Input[GpuShare]]
    """Shares of GPUs, where the nodes have HAMi: 'gpusPerNode' then counts shares, and none of them work
    together. Left out: whole GPUs."""
    name: NotRequired[pulumi.Input[str]]
    """Name of the pool. Left out: that of its tier or accelerator."""
    roles: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Roles of 'models' that are served here. A role that no pool names goes to the first pool on which it
    fits."""


class Hardware(TypedDict):
    """The GPU nodes: those of one kind, or pools of several kinds."""

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
    mig_strategy: NotRequired[pulumi.Input[str]]
    """How the nodes offer MIG slices, as the strategy of NVIDIA's device plugin: single as nvidia.com/gpu,
    mixed as nvidia.com/mig-PROFILE. It matters where the accelerator is a slice. One of single, mixed.
    Default: single."""
    share: NotRequired[pulumi.Input[GpuShare]]
    """Shares of GPUs, where the nodes have HAMi: 'gpusPerNode' then counts shares, and none of them work
    together. Left out: whole GPUs."""
    pools: NotRequired[pulumi.Input[Sequence[pulumi.Input[NodePool]]]]
    """Pools of nodes with different GPUs, in place of all other keys here. Left out: there is one pool,
    which the other keys describe."""


class ModelRole(TypedDict):
    """One model behind one stable role name; everything but role and model is derived when not said."""

    role: pulumi.Input[str]
    """The name that developers' machines know the model by. The first role does the work, the last one takes
    titles and other short calls."""
    model: pulumi.Input[str]
    """Name in the catalogue, or Hugging Face id of one of its checkpoints, e.g. Qwen/Qwen3.6-27B-FP8. A bare
    name leaves the choice of the checkpoint open."""
    precision: NotRequired[pulumi.Input[str]]
    """Precision of the weights; native: as the maker mixes it. Left out: the best checkpoint that fits and
    that the GPU computes natively. One of bf16, fp8, int4, nvfp4, mxfp4, native."""
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
    prefix_caching: NotRequired[pulumi.Input[bool]]
    """Keep the KV cache of earlier prompts for later ones that begin alike. Left out: on, but for models
    with linear attention on another maker's accelerators whose vLLM is not known to have it for them.
    Where it would harm answers beside 'speculativeTokens', what is left out gives way; where both are
    said, both hold."""
    vision: NotRequired[pulumi.Input[bool]]
    """Take images beside text, where the model can: its encoder then takes memory of its own. Default:
    false."""
    speculative_tokens: NotRequired[pulumi.Input[int]]
    """Tokens that the model's own draft layers guess ahead; 0 switches guessing off. Default: 0."""
    temperature: NotRequired[pulumi.Input[float]]
    """Sampling temperature that server and agents use. Left out: that of the maker's card where the
    checkpoint's own configuration says another, else that of its configuration."""
    top_p: NotRequired[pulumi.Input[float]]
    """Share of the likeliest tokens that are sampled from. Left out: as for 'temperature'."""
    top_k: NotRequired[pulumi.Input[int]]
    """Number of the likeliest tokens that are sampled from. Left out: as for 'temperature'."""
    min_p: NotRequired[pulumi.Input[float]]
    """Least probability of a token, as a share of the likeliest one's; not beside 'speculativeTokens'. Left
    out: as for 'temperature'."""
    presence_penalty: NotRequired[pulumi.Input[float]]
    """What a token loses once it has been said. Left out: as for 'temperature'."""
    repetition_penalty: NotRequired[pulumi.Input[float]]
    """Divisor of what was said before, 1 for none. Left out: as for 'temperature'."""
    thinking: NotRequired[pulumi.Input[Thinking]]
    """How much the model thinks where a request says nothing. Left out: little, as suits agents."""
    extra_args: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Further options of vLLM, word by word as `vllm serve` takes them, e.g. [--max-logprobs, '5']. What a
    setting says, what the plan decides and what could not be sized is refused. Left out: none."""
    env: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Further variables of the server, none of them secret, e.g. {NCCL_DEBUG: INFO}. Left out: none."""
    pod_labels: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Further labels of the pods. Left out: none."""
    pod_annotations: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Further annotations of the pods. Left out: none."""
    node_selector: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Labels that a node must have beside those of the pool. Left out: any node of the pool will do."""
    tolerations: NotRequired[pulumi.Input[Sequence[pulumi.Input[Toleration]]]]
    """Taints that the pods bear beside the one of GPU nodes. Left out: none."""
    cache: NotRequired[pulumi.Input[Cache]]
    """Where downloaded weights are kept between starts. Left out: nowhere, each pod downloads its own."""


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
    """Image of the model servers, with its registry: 'images.registry' does not stand before it. Left out:
    vLLM's own of that release, by its tag."""
    image_pull_secrets: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Existing Secrets of the namespace with which images are pulled; beside 'images.registry' Envoy's pods
    ask for the same in theirs. Left out: none."""
    service_account: NotRequired[pulumi.Input[str]]
    """Existing ServiceAccount of the model servers. Left out: the namespace's default one."""
    storage_secret: NotRequired[pulumi.Input[str]]
    """Existing Secret with S3 or Hugging Face credentials for the download. Left out: none, which does for
    public models."""
    cuda_affinity: NotRequired[pulumi.Input[bool]]
    """Whether pods go only to nodes whose driver knows the image's CUDA, by the labels of NVIDIA's GPU
    feature discovery; without those labels no node will do. Default: false."""
    download_mib_per_second: NotRequired[pulumi.Input[int]]
    """Rate in MiB/s at which weights come from hf:// or s3://: load times are estimated with it. 100 is
    about what a line of 1 Gbit/s gives. Default: 100."""


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
    gateway_service: NotRequired[pulumi.Input[GatewayService]]
    """The Service in front of Envoy. Left out: as the GatewayClass's own EnvoyProxy says, else a
    LoadBalancer."""
    model_aliases: NotRequired[pulumi.Input[bool]]
    """Whether names of hosted models, claude-* and gpt-*, lead to the first role: repositories bring agents
    and commands that ask for them. Otherwise those get 404. Default: true."""
    session_affinity: NotRequired[pulumi.Input[bool]]
    """Whether all turns of a session go to the same replica, whose prefix cache knows them, where there are
    several and the gateway itself chooses among them. Otherwise to one of those with the fewest requests.
    Default: true."""
    balanced_sessions: NotRequired[pulumi.Input[bool]]
    """Whether a turn leaves its session's replica while that works on more than 1.25 times its share of all
    requests. It takes an EnvoyPatchPolicy, so Envoy Gateway's configuration must say
    'extensionApis.enableEnvoyPatchPolicy: true'; whoever may write such objects decides all that Envoy
    does. Default: false."""
    agents: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """The agents that developers use, e.g. [opencode, claude]: plan and setup keep to these, and a stack
    that serves none of them is refused. An empty list: other clients alone. Left out: all that are known."""
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
    """Longest time from the start of a model's pod until it answers, in seconds, download included; a Job
    that downloads before has as long. Default: 2700."""


class Dns(TypedDict):
    """Where the pods find the cluster's DNS: the only way out that every pod has."""

    namespace: NotRequired[pulumi.Input[str]]
    """Namespace of the DNS servers' pods; OpenShift's is openshift-dns. Default: kube-system."""
    pod_labels: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """Labels of those pods. Left out: all pods of that namespace, at that port."""
    port: NotRequired[pulumi.Input[int]]
    """Port that those pods listen on, behind their Service; OpenShift's is 5353. Default: 53."""
    cidrs: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Addresses of DNS servers that are no pods, reached at port 53, such as 169.254.20.10/32 of NodeLocal
    DNSCache. Left out: none."""


class Egress(TypedDict):
    """One place that downloads may go to."""

    cidr: pulumi.Input[str]
    """Addresses, as a range: one alone is 10.20.30.40/32."""
    ports: pulumi.Input[Sequence[pulumi.Input[int]]]
    """TCP ports there; MinIO's is 9000."""


class NetworkProxy(TypedDict):
    """A company's HTTP proxy, which the containers that download weights are told of, and may reach."""

    http_proxy: NotRequired[pulumi.Input[str]]
    """Proxy for http:// addresses. Left out: none."""
    https_proxy: NotRequired[pulumi.Input[str]]
    """Proxy for https:// addresses. Left out: none."""
    no_proxy: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Names and addresses that are reached directly, such as your own S3, besides the cluster's own
    (localhost, 127.0.0.1, .svc, .cluster.local). Left out: none."""
    cidr: NotRequired[pulumi.Input[str]]
    """Addresses of the proxy, for a NetworkPolicy knows no names. Left out: the one in its URL, where there
    is one, else any address at its port."""


class Network(TypedDict):
    """What is around the stack's namespace, in which all traffic is denied but this."""

    dns: NotRequired[pulumi.Input[Dns]]
    """Where DNS is. Left out: the defaults below."""
    egress: NotRequired[pulumi.Input[Sequence[pulumi.Input[Egress]]]]
    """Where downloads of hf:// and s3:// weights may go. Left out: port 443 of any address, or, beside
    'proxy', the proxy alone."""
    proxy: NotRequired[pulumi.Input[NetworkProxy]]
    """A company's HTTP proxy. Left out: none."""


class Operator(TypedDict):
    """An account for an agent that operates the stack: it looks at all but Secrets."""

    service_account: NotRequired[pulumi.Input[str]]
    """Name of the ServiceAccount that is made, with a Role of the same name. Default: platform-operator."""
    updates_models: NotRequired[pulumi.Input[bool]]
    """Whether it may also change the model servers that are there. Whoever may do that can let their pods
    read any Secret of the namespace. Otherwise it changes nothing. Default: false."""


class Exemption(TypedDict):
    """One object that a policy lets pass for a while."""

    policy: pulumi.Input[str]
    """Which policy lets it pass, as 'onprem-agents policies' lists them. One of tool-calling-is-on,
    memory-headroom-is-left, timeouts-are-monotonic, paths-are-listed, keys-end-at-the-gateway,
    keys-are-read-from-both-headers, servers-stay-behind-the-gateway, keys-are-bare, no-hosted-models,
    secrets-are-not-plain, images-are-pinned, registries-are-allowed, releases-are-not-denied,
    releases-have-no-open-holes, pods-leave-their-node-alone, node-folders-are-read-only,
    pods-are-restricted, pods-pass-their-namespace, eager-mode-is-off, deployment-modes-exist,
    servers-stay-up, capabilities-are-not-added, tolerations-name-their-taint, certificates-are-checked,
    tokens-name-their-audience."""
    resource: pulumi.Input[str]
    """The object as findings name it, e.g. 'Deployment coding-agents/router', or its name alone."""
    reason: pulumi.Input[str]
    """Why."""
    until: pulumi.Input[str]
    """Its last day, in quotes, e.g. "2027-01-31"; the first update after it takes it away."""


class AdmissionSettings(TypedDict):
    """What the API server asks of each object that comes into the stack's namespace."""

    mode: NotRequired[pulumi.Input[str]]
    """Whether what is mandatory is denied and the rest warned of (enforce), or all is warned of (warn);
    warnings are in the audit log too. One of warn, enforce. Default: enforce."""
    disabled: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Policies that the API server does not ask. Left out: it asks all that it can. One of
    tool-calling-is-on, memory-headroom-is-left, timeouts-are-monotonic, paths-are-listed,
    keys-end-at-the-gateway, keys-are-read-from-both-headers, servers-stay-behind-the-gateway,
    keys-are-bare, no-hosted-models, secrets-are-not-plain, images-are-pinned, registries-are-allowed,
    releases-are-not-denied, releases-have-no-open-holes, pods-leave-their-node-alone,
    node-folders-are-read-only, pods-are-restricted, pods-pass-their-namespace, eager-mode-is-off,
    deployment-modes-exist, servers-stay-up, capabilities-are-not-added, tolerations-name-their-taint,
    certificates-are-checked, tokens-name-their-audience."""
    allowed_registries: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """Where images may come from: hosts, or hosts with the beginning of a path. Left out: from anywhere."""
    require_digest: NotRequired[pulumi.Input[bool]]
    """Whether images need a digest, not a tag alone. Default: false."""
    exemptions: NotRequired[pulumi.Input[Sequence[pulumi.Input[Exemption]]]]
    """Objects that a policy lets pass for a while. Left out: none."""


class Price(TypedDict):
    """What one GPU costs, with its share of the server around it."""

    per_gpu_hour: NotRequired[pulumi.Input[float]]
    """Rent of one GPU for an hour, with its share of the server. Left out: 'purchase'."""
    purchase: NotRequired[pulumi.Input[float]]
    """Price of one GPU with its share of the server. Left out: 'perGpuHour'."""
    months: NotRequired[pulumi.Input[int]]
    """Months over which a purchase is written off. Default: 36."""
    watts: NotRequired[pulumi.Input[int]]
    """Power of one GPU with its share of server and cooling. Left out: not counted."""
    per_kilowatt_hour: NotRequired[pulumi.Input[float]]
    """Price of a kilowatt-hour. Left out: power is not counted."""


class Cost(TypedDict):
    """What the GPUs of a stack cost: all the same, or by pool or accelerator."""

    currency: pulumi.Input[str]
    """Currency of the prices by its three letters, e.g. EUR."""
    per_gpu_hour: NotRequired[pulumi.Input[float]]
    """Rent of one GPU for an hour, with its share of the server. Left out: 'purchase'."""
    purchase: NotRequired[pulumi.Input[float]]
    """Price of one GPU with its share of the server. Left out: 'perGpuHour'."""
    months: NotRequired[pulumi.Input[int]]
    """Months over which a purchase is written off. Default: 36."""
    watts: NotRequired[pulumi.Input[int]]
    """Power of one GPU with its share of server and cooling. Left out: not counted."""
    per_kilowatt_hour: NotRequired[pulumi.Input[float]]
    """Price of a kilowatt-hour. Left out: power is not counted."""
    accelerators: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[Price]]]]
    """Price by accelerator, as 'onprem-agents catalog' names it, where it differs from the one above. Left
    out: all cost the same."""
    pools: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[Price]]]]
    """Price by name of a pool of platform.hardware, where it differs from that of its accelerator. Left out:
    none does."""


class Check(TypedDict):
    """How the deployed platform is tried out once its models are loaded."""

    strict: NotRequired[pulumi.Input[bool]]
    """Let the update fail where the check finds a fault. Left out: it warns. Default: false."""
    long_prompt_tokens: NotRequired[pulumi.Input[int]]
    """Length of the long prompt, in tokens; a smaller context takes what it has room for. Default: 60000."""
    wait_seconds: NotRequired[pulumi.Input[int]]
    """How long the gateway may take to know its routes, keys and servers after it says that it is ready, in
    seconds. Default: 60."""
    address: NotRequired[pulumi.Input[str]]
    """Where the gateway is reached, HOST[:PORT], while its name is in no DNS yet or leads elsewhere; the
    certificate is checked for the name all the same. Left out: where its name leads."""
    ca_file: NotRequired[pulumi.Input[str]]
    """CA file (PEM) of a private issuer, on the machine that deploys. Left out: the certificates that this
    machine trusts."""


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
    platform: NotRequired[pulumi.Input[str]]
    """What the cluster is made of: its name sets other settings that nobody says, and 'onprem-agents plan
    STACK' tells which and why. One of upstream, openshift-ai, alauda. Default: upstream."""
    network: NotRequired[pulumi.Input[Network]]
    """What is around the namespace. Left out: the defaults below."""
    images: NotRequired[pulumi.Input[Images]]
    """Where all images come from, when they are pulled, which bytes they have. Left out: the defaults below."""
    pod_ids: NotRequired[pulumi.Input[str]]
    """User and group of every pod: 1000 and, for Envoy, what Envoy Gateway sets (fixed), or what the
    platform assigns, as OpenShift's restricted-v2 does (platform). No pod runs as root in either case:
    where nothing assigns a user, an image whose own one is root does not start. One of fixed, platform.
    Default: fixed."""
    support: NotRequired[pulumi.Input[Support]]
    """Where developers turn when something is wrong: 'onprem-agents setup' and 'doctor' tell it. Left out:
    they are told to ask the platform team."""
    operator: NotRequired[pulumi.Input[Operator]]
    """An account for an agent that operates the stack: it looks at all but Secrets. Left out: none is made."""
    admission: NotRequired[pulumi.Input[AdmissionSettings]]
    """Policies that the API server itself asks of all that comes into the namespace; they are cluster-wide
    objects. Left out: it asks none."""
    cost: NotRequired[pulumi.Input[Cost]]
    """What a GPU costs, the same for all or by accelerator and pool, for 'onprem-agents plan' and the
    report. Left out: no cost is told."""
    check: NotRequired[pulumi.Input[Check]]
    """How the deployed platform is tried out, with the first developer's key, once its models are loaded;
    'onprem-agents verify' does the same at any time. Left out: it is not."""
