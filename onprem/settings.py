"""The typed stack config: what a platform engineer says, and nothing that can be derived.

`parse_platform` reads the value of `onprem-coding-agents:platform`; it returns a `Platform` or raises
`InvalidInput` with every problem at once. Reading a whole stack file is `onprem.stack_file`'s work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from onprem.errors import InvalidInput, Problem, nearest_hint

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
        raise ValueError("must be a lower-case DNS name without scheme or path, e.g. 'agents.example.internal'")
    return value


def _developer(value: str) -> str:
    if not _DEVELOPER.fullmatch(value):
        raise ValueError("must be lower-case letters, digits, '.', '_' and '-', at most 63 long, e.g. 'alice'")
    return value


def _source(value: str) -> str:
    if not _SOURCE.fullmatch(value) or ".." in value:
        raise ValueError("must be hf://, pvc://, oci:// or s3:// with a path, e.g. 'pvc://models/qwen3.6-27b-fp8'")
    return value


Label = Annotated[str, AfterValidator(_label)]
Hostname = Annotated[str, AfterValidator(_dns_name)]
ObjectName = Annotated[str, AfterValidator(_dns_name)]
DeveloperName = Annotated[str, AfterValidator(_developer)]
SourceUri = Annotated[str, AfterValidator(_source)]
Count = Annotated[int, Field(strict=True, ge=1, le=4096)]


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=False, allow_inf_nan=False
    )


class Hardware(_Section):
    """The GPU nodes: a tier by name, or accelerator, GPUs per node and number of nodes."""

    tier: str | None = Field(default=None, description="hardware tier of the catalogue, e.g. '48gb'")
    accelerator: str | None = Field(default=None, description="accelerator of the catalogue, e.g. 'L40S'")
    gpus_per_node: Annotated[int, Field(strict=True, ge=1, le=16)] | None = None
    nodes: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = None
    node_names: tuple[ObjectName, ...] = Field(
        default=(), description="existing nodes to label and taint; empty: nodes are found by their GPU operator labels"
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


class ModelRole(_Section):
    """One model behind one stable role name; everything but role and model is derived when not said."""

    role: Label
    model: str = Field(min_length=1, description="catalogue name or Hugging Face id, e.g. 'Qwen/Qwen3.6-27B-FP8'")
    precision: Literal["bf16", "fp8", "int4", "nvfp4", "mxfp4"] | None = None
    source: SourceUri | None = Field(default=None, description="where the weights come from; default hf://<model id>")
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
    chat_template: str | None = Field(default=None, description="Jinja text to use instead of the model's own")
    speculative_tokens: Annotated[int, Field(strict=True, ge=0, le=8)] = 0
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None


class Serving(_Section):
    """How KServe runs vLLM."""

    mode: Literal["Standard", "Knative"] = "Standard"
    vllm: str | None = Field(default=None, pattern=r"^\d+\.\d+\.\d+$", description="vLLM release of the image")
    image: str | None = Field(default=None, pattern=r"^[a-z0-9][A-Za-z0-9._:/@-]+$")
    image_pull_secrets: tuple[ObjectName, ...] = ()
    service_account: ObjectName | None = None
    storage_secret: ObjectName | None = Field(
        default=None, description="existing Secret with S3 or Hugging Face credentials for the download"
    )


class Tls(_Section):
    """The certificate of the external listener: a cert-manager issuer or an existing Secret."""

    issuer: ObjectName | None = None
    issuer_kind: Literal["ClusterIssuer", "Issuer"] = "ClusterIssuer"
    secret_name: ObjectName | None = None
    secret_namespace: ObjectName | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Tls:
        if (self.issuer is None) == (self.secret_name is None):
            raise ValueError("say either 'issuer' (cert-manager) or 'secretName' (an existing Secret)")
        if self.secret_namespace is not None and self.secret_name is None:
            raise ValueError("'secretNamespace' only goes with 'secretName'")
        return self


class Developer(_Section):
    """One developer; the key itself lives in the secret `developerKeys`."""

    team: Label | None = None


class Access(_Section):
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


class Timeouts(_Section):
    """The two durations that all others are derived from."""

    longest_turn_seconds: Annotated[int, Field(strict=True, ge=60, le=7200)] = 600
    load_budget_seconds: Annotated[int, Field(strict=True, ge=300, le=14_400)] = 2700


class Queue(_Section):
    """Kueue objects for the pool; left out when the cluster has no Kueue."""

    cluster_queue: ObjectName = "gpu"
    local_queue: ObjectName = "coding-agents"


class Platform(_Section):
    """The whole of `onprem-coding-agents:platform`."""

    namespace: Label = "coding-agents"
    hardware: Hardware
    models: tuple[ModelRole, ...] = Field(min_length=1, max_length=16)
    serving: Serving = Serving()
    access: Access
    translation: Literal["native", "litellm", "claude-code-router"] = "native"
    timeouts: Timeouts = Timeouts()
    queue: Queue | None = None


def parse_platform(raw: object, source: str) -> Platform:
    """Validate the value of `onprem-coding-agents:platform`.

    `source` names the stack or file in the error. Raises `InvalidInput` with all problems found.
    """
    if not isinstance(raw, Mapping):
        raise InvalidInput(
            source,
            [
                Problem(
                    where="platform",
                    found=_shown(raw),
                    why="the platform settings are a map of sections",
                    fix="write 'onprem-coding-agents:platform:' with hardware, models and access below it; "
                    "see stacks/Pulumi.local.yaml",
                )
            ],
        )
    problems = _roles_used_twice(raw.get("models"))
    try:
        platform = Platform.model_validate(dict(raw))
    except ValidationError as error:
        problems = [*(_problem(details) for details in _causes(error)), *problems]
    if problems:
        raise InvalidInput(source, problems)
    return platform


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `onprem-coding-agents:platform` for editors."""
    return Platform.model_json_schema(by_alias=True)


def _causes(error: ValidationError) -> list[Any]:
    """Drop what only follows: pydantic also calls a list too short when its entries were refused."""
    found = error.errors()
    return [
        details
        for details in found
        if details["type"] != "too_short"
        or not any(other is not details and other["loc"][: len(details["loc"])] == details["loc"] for other in found)
    ]


def _roles_used_twice(models: object) -> list[Problem]:
    """Look at the raw list, so that this is told together with errors inside the entries."""
    entries = models if isinstance(models, list | tuple) else []
    roles = [str(entry["role"]) for entry in entries if isinstance(entry, Mapping) and "role" in entry]
    return [
        Problem(
            where="platform.models",
            found=f"the role {role!r} more than once",
            why="a role is the name that developers' machines know one model by",
            fix="give each entry of models its own role",
        )
        for role in sorted({role for role in roles if roles.count(role) > 1})
    ]


def _problem(details: Any) -> Problem:
    location: tuple[str | int, ...] = details["loc"]
    where = "platform" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    kind = details["type"]
    if kind == "extra_forbidden":
        known = _known_keys(location[:-1])
        return Problem(
            where=where,
            found=f"the key {location[-1]!r}",
            why="no such setting exists, so it would be ignored silently",
            fix=f"{nearest_hint(str(location[-1]), known)} (or remove the line)" if known else "remove the line",
        )
    if kind == "missing":
        return Problem(
            where=where,
            found="nothing",
            why="this setting has no default",
            fix=f"add {location[-1]!r}; see stacks/Pulumi.local.yaml for an example",
        )
    message = str(details["msg"]).removeprefix("Value error, ")
    return Problem(
        where=where,
        found=_shown(details.get("input")),
        why=message[0].upper() + message[1:],
        fix=f"change {where} under 'onprem-coding-agents:platform'",
    )


def _known_keys(location: tuple[str | int, ...]) -> list[str]:
    section: Any = Platform
    for part in location:
        if isinstance(part, int) or section is None:
            continue
        field = next((f for f in section.model_fields.values() if f.alias == part), None)
        section = _section_of(field.annotation) if field is not None else section
    return [str(f.alias) for f in section.model_fields.values()] if section is not None else []


def _section_of(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, _Section):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _section_of(argument)
        if found is not None:
            return found
    return None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
