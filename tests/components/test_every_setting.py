"""Every setting of the schema, found by reflection: it does something, and what it does reaches the cluster.

A new setting is in these tests by itself. Where no other value of it can be made up, `SAMPLES` must say one.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from pulumi.runtime.rpc import is_rpc_secret

from components import CodingPlatform
from onprem_agents.manifests import DeclaredPatch, DeclaredSecret, bundles
from onprem_agents.plan import PlatformPlan, plan_stack
from onprem_agents.plan.report import report
from onprem_agents.stack.section import Section, sections_in
from onprem_agents.stack.settings import Platform
from tests.components.api_server_settings import API_SERVER
from tests.components.recording import ALICE, ALICE_NEXT, BOB, SERVER, Recorder, recorded, settings_of
from tests.unit.manifest_samples import FAST, STACK

Path = tuple[str, ...]
Object = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A valid value that is not the default, and what else the stack must say for the setting to matter."""

    value: Any
    given: Mapping[str, Any] = field(default_factory=dict)


_ISSUER = {"access.tls": {"issuer": "internal-ca"}}
_SECRET = {"access.tls": {"secretName": "agents-tls"}}
_ELSEWHERE = {"access.tls": {"secretName": "agents-tls", "secretNamespace": "certificates"}}
_NODE_PORT = {"access.gatewayService": {"type": "NodePort"}}
_WITH_EFFORTS = {"models": [{"role": "coder", "model": "Qwen/Qwen3.8-27B", "context": 65536}]}
_CLAIM: Mapping[str, Any] = {"models.cache": {"pvc": {}}}
_FOLDER = {"models.cache": {"hostPath": {"path": "/var/lib/coding-agents"}}}
_GROUP = {"models.cache": {"localModelCache": {"nodeGroup": "gpus"}}}
_TWO_NODES = {"hardware": {"accelerator": "L40S", "gpusPerNode": 2, "nodes": 2, "nodeNames": ["a", "b"]}}
_SLICE: Mapping[str, Any] = {"hardware": {"accelerator": "H100-MIG-3g.40gb", "gpusPerNode": 2, "nodes": 1}}
_POOLS: list[dict[str, Any]] = [
    {"accelerator": "L40S", "gpusPerNode": 2},
    {"accelerator": "H100", "gpusPerNode": 4, "name": "large"},
]
_TAINTED = {"models.tolerations": [{"key": "dedicated", "value": "agents", "effect": "NoExecute"}]}
_NO_CACHE = {"models": [{**STACK["models"][0], "prefixCaching": False}]}
_MINIO = {"cidr": "10.20.30.0/24", "ports": [9000]}
_RENTED = {"perGpuHour": 2.5}
_BOUGHT = {"purchase": 30000, "watts": 700, "perKilowattHour": 0.3}
_OF_A_PRICE = {"perGpuHour": 3.5, "purchase": 20000, "months": 48, "watts": 900, "perKilowattHour": 0.4}
_PROXY = {"httpsProxy": "http://proxy.example.internal:3128"}
VLLM = "docker.io/vllm/vllm-openai:v0.33.0"
DIGEST = f"sha256:{'0' * 63}1"


def _priced(key: str, *kind: str) -> Object:
    """Return the section of costs with a price that has the key: of all, or of one accelerator or pool."""
    price = _RENTED if key in _RENTED else _BOUGHT
    return {"cost": {"currency": "EUR", **({kind[0]: {kind[1]: price}} if kind else price)}}


SAMPLES: dict[str, Sample] = {
    "namespace": Sample(value="agents"),
    "hardware": Sample(value={"accelerator": "H100", "gpusPerNode": 4, "nodes": 1}),
    "hardware.tier": Sample(value="80gb", given={"hardware": {"tier": "48gb"}}),
    "hardware.accelerator": Sample(value="A100-80"),
    "hardware.gpusPerNode": Sample(value=4),
    "hardware.nodes": Sample(value=3),
    "hardware.nodeNames": Sample(value=["gpu-a", "gpu-b"]),
    "hardware.taint": Sample(value=False, given=_TWO_NODES),
    "hardware.migStrategy": Sample(value="mixed", given=_SLICE),
    "hardware.share": Sample(value={"memoryGib": 40}),
    "hardware.share.memoryGib": Sample(value=42, given={"hardware.share": {"memoryGib": 40}}),
    "hardware.share.corePercent": Sample(value=50, given={"hardware.share": {"memoryGib": 40}}),
    "hardware.pools": Sample(value=_POOLS, given={"hardware": {"pools": _POOLS[1:]}}),
    **{
        f"hardware.pools.{key}": Sample(value=value, given={"hardware": {"pools": [pool, *_POOLS[1:]]}})
        for key, value, pool in (
            ("name", "other", _POOLS[0]),
            ("roles", ["coder"], _POOLS[0]),
            ("tier", "48gb", {"tier": "24gb"}),
            ("accelerator", "A100-80", _POOLS[0]),
            ("gpusPerNode", 4, _POOLS[0]),
            ("nodes", 3, _POOLS[0]),
            ("nodeNames", ["gpu-a"], _POOLS[0]),
            ("taint", False, _POOLS[0] | {"nodeNames": ["gpu-a"]}),
            ("share", {"memoryGib": 40}, _POOLS[0]),
            ("share.memoryGib", 42, _POOLS[0] | {"share": {"memoryGib": 40}}),
            ("share.corePercent", 50, _POOLS[0] | {"share": {"memoryGib": 40}}),
            ("migStrategy", "mixed", {"accelerator": "H100-MIG-3g.40gb"}),
        )
    },
    "models": Sample(value=[*STACK["models"], FAST]),
    "models.role": Sample(value="writer"),
    "models.model": Sample(value="google/gemma-4-E4B-it"),
    "models.precision": Sample(value="bf16"),
    "models.source": Sample(value="pvc://models/coder"),
    "models.revision": Sample(value="0123abcd"),
    "models.context": Sample(value=32768),
    "models.sessions": Sample(value=4),
    "models.replicas": Sample(value=2),
    "models.tensorParallel": Sample(value=2),
    "models.kvCacheDtype": Sample(value="auto"),
    "models.gpuMemoryUtilization": Sample(value=0.8),
    "models.maxNumSeqs": Sample(value=7),
    "models.maxNumBatchedTokens": Sample(value=4096),
    "models.toolCallParser": Sample(value="hermes"),
    "models.reasoningParser": Sample(value="deepseek_r1"),
    "models.chatTemplate": Sample(value="{{ messages }}"),
    "models.prefixCaching": Sample(value=False),
    "models.speculativeTokens": Sample(value=2, given=_NO_CACHE),
    "models.temperature": Sample(value=0.3),
    "models.topP": Sample(value=0.5),
    "models.topK": Sample(value=30),
    "models.minP": Sample(value=0.1),
    "models.presencePenalty": Sample(value=0.5),
    "models.repetitionPenalty": Sample(value=1.1),
    "models.thinking": Sample(value={"default": "off"}),
    "models.thinking.budgetTokens": Sample(value=1024),
    "models.thinking.effort": Sample(value="medium", given=_WITH_EFFORTS),
    "models.cache": Sample(value={"pvc": {}}),
    "models.cache.pvc": Sample(value={"storageClass": "fast"}, given=_CLAIM),
    "models.cache.pvc.storageClass": Sample(value="fast", given=_CLAIM),
    "models.cache.pvc.sizeGib": Sample(value=100, given=_CLAIM),
    "models.cache.pvc.accessMode": Sample(value="ReadWriteMany", given=_CLAIM),
    "models.cache.hostPath": Sample(value={"path": "/data/models"}, given=_FOLDER),
    "models.cache.hostPath.path": Sample(value="/data/models", given=_FOLDER),
    "models.cache.localModelCache": Sample(value={"nodeGroup": "others"}, given=_GROUP),
    "models.cache.localModelCache.nodeGroup": Sample(value="others", given=_GROUP),
    "models.cache.localModelCache.nodes": Sample(value=7, given=_GROUP),
    "models.cache.localModelCache.serviceAccount": Sample(value="downloads", given=_GROUP),
    "models.extraArgs": Sample(value=["--max-logprobs", "5"]),
    "models.env": Sample(value={"NCCL_DEBUG": "INFO"}),
    "models.podLabels": Sample(value={"example.com/team": "a"}),
    "models.podAnnotations": Sample(value={"example.com/contact": "a team"}),
    "models.nodeSelector": Sample(value={"example.com/rack": "a1"}),
    "models.tolerations": Sample(value=_TAINTED["models.tolerations"]),
    "models.tolerations.key": Sample(value="reserved", given=_TAINTED),
    "models.tolerations.operator": Sample(
        value="Equal", given={"models.tolerations": [{"key": "a", "operator": "Exists"}]}
    ),
    "models.tolerations.value": Sample(value="others", given=_TAINTED),
    "models.tolerations.effect": Sample(value="NoSchedule", given=_TAINTED),
    "models.tolerations.tolerationSeconds": Sample(value=60, given=_TAINTED),
    "serving": Sample(value={"mode": "Knative"}),
    "serving.kserve": Sample(value="0.15"),
    "serving.vllm": Sample(value="0.32.0"),
    "serving.image": Sample(value="registry.example.internal/vllm:v0.24.0"),
    "serving.imagePullSecrets": Sample(value=["pull"]),
    "serving.serviceAccount": Sample(value="own-account"),
    "serving.storageSecret": Sample(value="hf-token"),
    "serving.downloadMibPerSecond": Sample(value=1000),
    "access": Sample(value={**STACK["access"], "host": "models.example.internal"}),
    "access.host": Sample(value="models.example.internal"),
    "access.port": Sample(value=8443),
    "access.balancedSessions": Sample(value=True, given={"models.replicas": 2}),
    "access.sessionAffinity": Sample(value=False, given={"models.replicas": 2}),
    "access.tls": Sample(value={"issuer": "internal-ca"}),
    "access.tls.issuer": Sample(value="other-ca", given=_ISSUER),
    "access.tls.issuerKind": Sample(value="Issuer", given=_ISSUER),
    "access.tls.secretName": Sample(value="other-tls"),
    "access.tls.secretNamespace": Sample(value="certificates", given=_SECRET),
    "access.tls.referenceGrant": Sample(value=True, given=_ELSEWHERE),
    "access.tls.caHint": Sample(value="https://pki.example.internal/ca.crt"),
    "access.gatewayService": Sample(value={"type": "NodePort"}),
    "access.gatewayService.type": Sample(value="NodePort"),
    "access.gatewayService.addresses": Sample(value=["192.0.2.10"]),
    "access.gatewayService.loadBalancerClass": Sample(value="example.internal/metal"),
    "access.gatewayService.annotations": Sample(value={"metallb.io/address-pool": "agents"}),
    "access.gatewayService.nodePort": Sample(value=30443, given=_NODE_PORT),
    "access.developers": Sample(value={"alice": {}}),
    "access.developers.team": Sample(value="editors"),
    "access.agents": Sample(value=["opencode", "claude"]),
    "access.gatewayClass": Sample(value="own-class"),
    "access.gatewayReplicas": Sample(value=3),
    "access.gatewayNamespace": Sample(value="gateways"),
    "timeouts": Sample(value={"longestTurnSeconds": 900}),
    "timeouts.longestTurnSeconds": Sample(value=900),
    "timeouts.loadBudgetSeconds": Sample(value=3600),
    "queue": Sample(value={}),
    "queue.clusterQueue": Sample(value="own-gpus", given={"queue": {}}),
    "queue.existingClusterQueue": Sample(value="shared-gpus", given={"queue": {}}),
    "queue.localQueue": Sample(value="own-agents", given={"queue": {}}),
    "network": Sample(value={"dns": {"port": 5353}}),
    "network.dns": Sample(value={"port": 5353}),
    "network.dns.namespace": Sample(value="openshift-dns"),
    "network.dns.podLabels": Sample(value={"k8s-app": "kube-dns"}),
    "network.dns.port": Sample(value=5353),
    "network.dns.cidrs": Sample(value=["169.254.20.10/32"]),
    "network.egress": Sample(value=[_MINIO]),
    "network.egress.cidr": Sample(value="10.20.31.0/24", given={"network.egress": [_MINIO]}),
    "network.egress.ports": Sample(value=[9000, 443], given={"network.egress": [_MINIO]}),
    "network.proxy": Sample(value=_PROXY),
    "network.proxy.httpProxy": Sample(
        value="http://other.example.internal:8080", given={"network.proxy": _PROXY}
    ),
    "network.proxy.httpsProxy": Sample(
        value="http://other.example.internal:8080", given={"network.proxy": _PROXY}
    ),
    "network.proxy.noProxy": Sample(value=[".example.internal"], given={"network.proxy": _PROXY}),
    "network.proxy.cidr": Sample(value="10.20.40.10/32", given={"network.proxy": _PROXY}),
    "images": Sample(value={"registry": "registry.example.internal"}),
    "images.registry": Sample(value="registry.example.internal/mirror"),
    "images.digests": Sample(value={VLLM: DIGEST}),
    "support": Sample(value={"address": "agents@example.internal"}),
    "support.address": Sample(value="agents@example.internal"),
    "support.statusPage": Sample(value="https://status.example.internal"),
    **{key: Sample(value=value, given=given) for key, (value, given) in API_SERVER.items()},
    "cost": Sample(value={"perGpuHour": 2.5, "currency": "EUR"}),
    "cost.currency": Sample(value="USD", given=_priced("purchase")),
    **{
        ".".join(("cost", *kind[:1], key)): Sample(value=value, given=_priced(key, *kind))
        for kind in ((), ("accelerators", "L40S"), ("pools", "l40s"))
        for key, value in _OF_A_PRICE.items()
    },
    "cost.accelerators": Sample(value={"L40S": _RENTED}, given=_priced("purchase")),
    "cost.pools": Sample(value={"l40s": _RENTED}, given=_priced("purchase")),
    "check": Sample(value={}),
    "check.longPromptTokens": Sample(value=8192),
    "check.waitSeconds": Sample(value=5),
    "check.address": Sample(value="127.0.0.1:8443"),
    "check.caFile": Sample(value="pki/ca.crt"),
}


def settings(section: type[Section] = Platform, above: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    """Yield every setting of the schema, sections included: its path in YAML, its type and its default."""
    for info in section.model_fields.values():
        path = (*above, str(info.alias))
        yield path, info.annotation, info.default
        for inner in sections_in(info.annotation):
            yield from settings(inner, path)


def made_up(annotation: Any, default: Any) -> list[Any]:
    """Return other values of a setting whose type lists them all."""
    if annotation is bool:
        return [not default]
    if get_origin(annotation) is Literal:
        return [value for value in get_args(annotation) if value != default]
    if get_origin(annotation) in (Union, types.UnionType):
        return [
            value for part in get_args(annotation) for value in made_up(part, default) if part is not None
        ]
    return []


def cases() -> Iterator[Any]:
    for path, annotation, default in settings():
        name = ".".join(path)
        sample = SAMPLES.get(name)
        values = [sample.value] if sample is not None else made_up(annotation, default)
        for number, value in enumerate(values or [None]):
            yield pytest.param(path, value, bool(values), id=f"{name}-{number}" if number else name)


def stack(path: Path, value: Any, given: Mapping[str, Any]) -> tuple[Object, Object]:
    """Return the stack without a setting and with it."""
    base = deepcopy(STACK)
    for where, section in given.items():
        put(base, tuple(where.split(".")), section)
    changed = deepcopy(base)
    put(changed, path, value)
    return base, changed


def put(raw: Any, path: Path, value: Any) -> None:
    """Set a value in a stack; in a list of models and a map of developers, that of the first one."""
    *sections, last = path
    for name in sections:
        raw = raw.setdefault(name, {})
        if isinstance(raw, list):
            raw = raw[0]
        elif name == "developers" or (sections[0] == "cost" and name in ("accelerators", "pools")):
            raw = next(iter(raw.values()))
    raw[last] = value


def outcome(plan: PlatformPlan) -> Object:
    """Return all that a stack leads to: objects, report and connection contract."""
    return {
        "objects": [each.shown() for bundle in bundles(plan) for each in bundle.objects],
        "report": report(plan),
        "connection": plan.connection.to_wire(),
    }


every_setting = pytest.mark.parametrize(("path", "value", "known"), list(cases()))


@every_setting
def test_every_setting_changes_something(path: Path, value: Any, known: bool) -> None:
    name = ".".join(path)
    assert known, f"SAMPLES says no value of platform.{name} other than its default"
    base, changed = stack(path, value, SAMPLES[name].given if name in SAMPLES else {})

    assert outcome(plan_stack(changed, stack="test")) != outcome(plan_stack(base, stack="test")), (
        f"platform.{name} changes nothing that is declared, reported or told to developers"
    )


@every_setting
def test_with_every_setting_what_is_declared_is_what_is_rendered(path: Path, value: Any, known: bool) -> None:
    name = ".".join(path)
    assert known, f"SAMPLES says no value of platform.{name} other than its default"
    plan = plan_stack(stack(path, value, SAMPLES[name].given if name in SAMPLES else {})[1], stack="test")
    listed = [each for bundle in bundles(plan) for each in bundle.objects]
    expected = {
        identity(each.manifest): (isinstance(each, DeclaredPatch), numbers(each.manifest)) for each in listed
    }
    secrets = {identity(each.manifest) for each in listed if isinstance(each, DeclaredSecret)}

    declared = {}
    for item in declare(plan).resources:
        if item.typ.startswith("kubernetes:"):
            inputs = dict(item.inputs)
            if identity(inputs) in secrets:
                assert is_rpc_secret(inputs.pop("data"))
            declared[identity(inputs)] = (item.typ.endswith("Patch"), numbers(inputs))

    assert declared == expected
    assert len(declared) == len(listed)


def declare(plan: PlatformPlan) -> Recorder:
    keys = {"alice": [ALICE, ALICE_NEXT], "bob": [BOB]}
    arguments: Any = settings_of(plan) | {
        "developer_keys": {name: keys[name] for name in plan.developers},
        "server_key": SERVER,
    }
    return recorded(lambda: CodingPlatform("platform", arguments))


def identity(manifest: Object) -> tuple[str, str, str]:
    return manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"]


def numbers(manifest: Object) -> str:
    """Return an object as text; every number reaches the engine as a float."""
    return json.dumps(json.loads(json.dumps(manifest), parse_int=float), sort_keys=True)
