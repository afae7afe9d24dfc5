"""Every argument of every component, found by reflection: it does something, and its problems speak of arguments.

A new argument is in these tests by itself. Where `test_every_setting` has no sample of it and none can be made up,
`SAMPLES` must say one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import asdict
from typing import Any

import pytest

from onprem_agents.errors import InvalidInput
from onprem_agents.manifests import (
    auth_bundles,
    ingress_bundles,
    pool_bundles,
    proxy_bundles,
    server_bundles,
)
from onprem_agents.plan import ENVOY_IMAGE, PROXY_IMAGES
from onprem_agents.plan.plan_check import plan_check
from onprem_agents.plan.plan_ingress import plan_ingress, plan_proxy
from onprem_agents.plan.plan_parts import plan_auth, plan_platform, plan_pool, plan_server
from onprem_agents.plan.references import ingress_reference, server_reference
from onprem_agents.plan.report import role_report
from onprem_agents.stack.parts import (
    AuthArguments,
    CheckArguments,
    IngressArguments,
    PoolArguments,
    ProxyArguments,
    ServerArguments,
)
from onprem_agents.stack.section import Section
from tests.components.test_every_setting import DIGEST, made_up, settings
from tests.components.test_every_setting import SAMPLES as SETTINGS
from tests.unit.contract_samples import CONTRACT
from tests.unit.part_samples import (
    ANY_SERVICE,
    POOL,
    SERVER,
    auth_arguments,
    ingress_arguments,
    proxy_arguments,
    proxy_told,
    wire,
)
from tests.unit.stack_generator import stack

Arguments = dict[str, Any]
NAMED: Any = {"stack": "test", "source": "the component"}

PLANNED: Mapping[type[Section], tuple[Arguments, Callable[[Arguments], Any]]] = {
    PoolArguments: (POOL, lambda raw: [pool_bundles(part := plan_pool(raw, **NAMED)), part.pools]),
    ServerArguments: (
        SERVER | {"nodes": 2, "context": 65536},
        lambda raw: [
            server_bundles(part := plan_server(raw, **NAMED)),
            wire(server_reference(part)),
            role_report(part.serving),
        ],
    ),
    IngressArguments: (
        ingress_arguments() | {"servers": [ANY_SERVICE | {"contextTokens": 65536}]},
        lambda raw: [ingress_bundles(part := plan_ingress(raw, **NAMED)), wire(ingress_reference(part))],
    ),
    AuthArguments: (
        auth_arguments(),
        lambda raw: auth_bundles(plan_auth(raw, **NAMED, developers=["alice"])),
    ),
    ProxyArguments: (
        proxy_arguments() | {"servers": [ANY_SERVICE | {"contextTokens": 65536}]},
        lambda raw: proxy_bundles(plan_proxy(raw, **NAMED)),
    ),
    CheckArguments: ({"connection": CONTRACT}, lambda raw: plan_check(raw, **NAMED)),
}

OF_A_SERVER: Arguments = {
    "name": "other",
    "service": "other-vllm",
    "port": 8001,
    "mode": "Knative",
    "replicas": 2,
    "keySecret": "other-key",
    "role": "writer",
    "modelId": "Qwen/Qwen3.6-27B-FP8",
    "contextTokens": 131_072,
    "maxOutputTokens": 2048,
    "reasoning": True,
    "toolCalling": False,
    "temperature": 0.3,
    "thinking": {"default": "off"},
    "unsupportedReasons": {"codex": "it refuses its tools"},
    "longestTurnSeconds": 900,
}
# What a section of the settings says of its own, its arguments say as well.
SHARED = ("models", "serving", "timeouts", "access")
SAMPLES: dict[str, Any] = {
    **{
        name.partition(".")[2]: one.value
        for name, one in SETTINGS.items()
        if name.partition(".")[0] in SHARED
    },
    **{
        name: one.value
        for name, one in SETTINGS.items()
        if name.partition(".")[0] in ("queue", "images", "support")
    },
    "IngressArguments.images.digests": {ENVOY_IMAGE: DIGEST},
    "ProxyArguments.images.digests": {PROXY_IMAGES["litellm"]: DIGEST},
    "imagePullSecrets": ["pull"],
    **{
        name.replace("network.proxy", "downloadProxy"): one.value
        for name, one in SETTINGS.items()
        if name.startswith("network.proxy")
    },
    **{name.partition(".")[2]: one.value for name, one in SETTINGS.items() if name.startswith("check.")},
    "connection": CONTRACT | {"stack": "other"},
    "models": ["fast"],
    "uncachedModels": ["fast"],
    "accelerator": "H100",
    "namespace": "team-b",
    "gpusPerNode": 4,
    "nodes": 3,
    "nodeNames": ["gpu-a", "gpu-b"],
    "taint": False,
    "migStrategy": "mixed",
    "share": {"memoryGib": 44},
    "share.memoryGib": 42,
    "share.corePercent": 50,
    "mode": "Knative",
    "priorityClass": "own-serving",
    "localQueue": "own-agents",
    "keySecret": "own-key",
    "host": "models.example.internal",
    "port": 8443,
    "gatewayClass": "own-class",
    "developers": 300,
    "servers": [ANY_SERVICE],
    "software": "claude-code-router",
    "proxy": proxy_told(),
    "proxy.software": "claude-code-router",
    "proxy.service": "own-proxy",
    "proxy.port": 4001,
    "proxy.keySecret": "own-proxy-key",
    "ingress": {"namespace": "team-b", "gateway": "coding-agents", "routes": ["other"]},
    "ingress.namespace": "team-b",
    "ingress.gateway": "own-gateway",
    "ingress.routes": ["other"],
    **{f"servers.{key}": value for key, value in OF_A_SERVER.items()},
    "servers.thinking.default": "off",
    "servers.thinking.budgetTokens": 1024,
    "servers.thinking.effort": "low",
    "servers.thinking.efforts": ["low"],
    "servers.thinking.switch": "enable_thinking",
}
# What an argument needs beside it, or what must change with it.
GIVEN: dict[str, Arguments] = {
    "ServerArguments.gpusPerNode": {"replicas": 4},
    "ServerArguments.nodes": {"replicas": 4},
    "ProxyArguments.servers.role": {"software": "claude-code-router"},
    "speculativeTokens": {"prefixCaching": False},
    **{
        name.partition(".")[2]: {"tolerations": one.given["models.tolerations"]}
        for name, one in SETTINGS.items()
        if name.startswith("models.tolerations.")
    },
    "ServerArguments.thinking.effort": {"model": "Qwen/Qwen3.8-27B"},
    **{
        f"servers.thinking.{key}": {
            "servers": [ANY_SERVICE | {"contextTokens": 65536, "thinking": {"default": "on"}}]
        }
        for key in ("default", "budgetTokens", "effort", "efforts", "switch")
    },
    "servers.thinking.default": {
        "servers": [
            ANY_SERVICE | {"contextTokens": 65536, "thinking": {"default": "on", "switch": "enable_thinking"}}
        ]
    },
    "taint": {"nodeNames": ["gpu-a"]},
    **{f"share.{key}": {"share": {"memoryGib": 44}} for key in ("memoryGib", "corePercent")},
    "PoolArguments.platform": {"share": {"memoryGib": 44}},
    "PoolArguments.migStrategy": {"accelerator": "H100-MIG-3g.40gb", "queue": {}},
    "ServerArguments.migStrategy": {
        "accelerator": "H100-MIG-3g.40gb",
        "model": "google/gemma-4-12B-it-qat-w4a16-ct",
    },
    **{name: dict(one.given) for name, one in SETTINGS.items() if name.startswith("queue.")},
    "IngressArguments.imagePullSecrets": {"images": {"registry": "registry.example.internal"}},
    **{f"images.{key}": {"images": {}} for key in ("registry", "pullPolicy", "digests")},
    **{
        f"gatewayService.{key}": {"gatewayService": {"type": "NodePort"} if key == "nodePort" else {}}
        for key in ("type", "addresses", "loadBalancerClass", "annotations", "nodePort")
    },
    **{
        name.replace("network.proxy", "downloadProxy"): {"downloadProxy": dict(one.given["network.proxy"])}
        for name, one in SETTINGS.items()
        if name.startswith("network.proxy.")
    },
    **{
        name.removeprefix("models."): {"cache": one.given["models.cache"]}
        for name, one in SETTINGS.items()
        if name.startswith("models.cache.")
    },
    "balancedSessions": {"servers": [ANY_SERVICE | {"contextTokens": 65536, "replicas": 2}]},
    "sessionAffinity": {"servers": [ANY_SERVICE | {"contextTokens": 65536, "replicas": 2}]},
    "tls.issuer": {"tls": {"issuer": "internal-ca"}},
    "tls.issuerKind": {"tls": {"issuer": "internal-ca"}},
    "tls.referenceGrant": {"tls": {"secretName": "agents-tls", "secretNamespace": "certificates"}},
    **{f"proxy.{key}": {"proxy": proxy_told()} for key in ("software", "service", "port", "keySecret")},
}
# A reference to another namespace is refused: there is no other value, only the same one.
REFUSED = {"servers.namespace", "proxy.namespace"}
# What a proxy's clients are told, its ingress tells.
TOLD_BY_THE_INGRESS = {
    "servers.modelId",
    "servers.reasoning",
    "servers.toolCalling",
    "servers.unsupportedReasons",
    "servers.temperature",
    "servers.namespaceTools",
    "servers.vision",
    "servers.thinking",
    "servers.thinking.efforts",
    "servers.thinking.switch",
    "servers.mode",
    "servers.replicas",
}


def cases() -> Iterator[Any]:
    for section in PLANNED:
        for path, annotation, default in settings(section):
            name = ".".join(path)
            own = f"{section.__name__}.{name}"
            sample = next((SAMPLES[each] for each in (own, name) if each in SAMPLES), None)
            values = [sample] if sample is not None else made_up(annotation, default)
            yield pytest.param(section, path, values, id=f"{section.__name__}-{name}")


def put(raw: Any, path: tuple[str, ...], value: Any) -> None:
    *sections, last = path
    for name in sections:
        found = raw.setdefault(name, {})
        raw = found[0] if isinstance(found, list) else found
    raw[last] = value


@pytest.mark.parametrize(("section", "path", "values"), list(cases()))
def test_every_argument_changes_something(
    section: type[Section], path: tuple[str, ...], values: list[Any]
) -> None:
    name = ".".join(path)
    base, plan = PLANNED[section]
    given = GIVEN.get(f"{section.__name__}.{name}", GIVEN.get(name, {}))
    raw = deepcopy(base) | deepcopy(given)
    changed = deepcopy(raw)
    if name in REFUSED:
        changed = deepcopy(raw) | ({"proxy": proxy_told()} if name.startswith("proxy") else {})
        put(changed, path, "team-c")
        with pytest.raises(InvalidInput):
            plan(changed)
        return
    assert values, f"SAMPLES says no other value of {name}"
    if name == "nodeNames":
        raw.pop("nodes", None)
        changed.pop("nodes", None)
    put(changed, path, values[-1])
    if section is ProxyArguments and name in TOLD_BY_THE_INGRESS:
        assert plan(changed) == plan(raw)
        return

    assert plan(changed) != plan(raw), f"{name} changes nothing that is declared or told"


def texts(error: InvalidInput) -> Iterator[str]:
    for problem in error.problems:
        yield from (str(value) for value in asdict(problem).values())


OF_A_STACK_FILE = ("platform.", "platform:", "Pulumi.", "stack file", ".yaml", "models[", "hardware")


def of_one_role(raw: Arguments) -> Arguments:
    """Return a generated stack's first role as a server's arguments, wrong values and all."""
    hardware = raw.get("hardware") if isinstance(raw.get("hardware"), dict) else {}
    models = raw.get("models")
    role = models[0] if isinstance(models, list) and models and isinstance(models[0], dict) else {}
    serving = raw.get("serving") if isinstance(raw.get("serving"), dict) else {}
    timeouts = raw.get("timeouts") if isinstance(raw.get("timeouts"), dict) else {}
    kept = {key: value for key, value in (hardware or {}).items() if key not in ("tier", "taint")}
    return {"namespace": "team-a", **kept, **role, **(serving or {}), **(timeouts or {})}


def test_no_problem_of_a_server_or_a_platform_speaks_of_a_stack_file() -> None:
    refused = 0
    for raw in map(stack, range(120)):
        for plan, arguments in ((plan_server, of_one_role(raw)), (plan_platform, raw)):
            try:
                plan(arguments, **NAMED)
            except InvalidInput as error:
                refused += 1
                words = OF_A_STACK_FILE if plan is plan_server else OF_A_STACK_FILE[:5]
                told = [text for text in texts(error) if any(word in text for word in words)]
                assert not told, told
    assert refused > 40


def test_the_problem_of_an_argument_is_told_at_the_argument_with_the_way_out() -> None:
    wrong = SERVER | {"model": "Qwen/Qwen3.5-397B-A17B-FP8", "gpusPerNode": 1}

    with pytest.raises(InvalidInput) as caught:
        plan_server(wrong, **NAMED)

    (problem,) = caught.value.problems
    assert problem.where in {"model", "tensorParallel"}
    assert "set accelerator to" in problem.fix
    assert "set gpusPerNode to" in problem.fix


@pytest.mark.parametrize("raw", [None, "text", ["a"], 3])
def test_arguments_that_are_no_map_are_refused(raw: object) -> None:
    for plan in (plan_pool, plan_server, plan_ingress, plan_proxy):
        with pytest.raises(InvalidInput, match="arguments are a map"):
            plan(raw, **NAMED)
