"""Clusters on a real API server: what is broken is found with cause and fix, and a good one is green."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from embedded.layout import Layout
from embedded.toolchain import Binary
from onprem_agents.cli.main import main
from onprem_agents.manifests import render
from onprem_agents.plan import plan_stack
from tests.cluster.api_server import ApiServer, api_server
from tests.cluster.broken import Broken
from tests.cluster.broken_clusters import BROKEN
from tests.cluster.good_cluster import GOOD, NAMESPACE, NAMESPACES, STACK

GROUPS = frozenset({"kserve", "gateway-api", "envoy-gateway", "cert-manager"})
# Those that stacks declare and preflight reads: each definition costs the server a second.
KINDS = frozenset(
    {
        *("InferenceService", "ClusterIssuer", "Certificate", "GatewayClass", "Gateway", "HTTPRoute"),
        *("ReferenceGrant", "EnvoyProxy", "SecurityPolicy", "BackendTrafficPolicy", "ClientTrafficPolicy"),
        *("HTTPRouteFilter", "EnvoyExtensionPolicy", "Backend"),
    }
)
Report = dict[str, dict[str, str]]
Preflight = Callable[..., Report]

# What a developer of the namespace and a guest may do; nobody may look at nodes or at other namespaces.
_ALL = {
    "apiGroups": [
        "",
        "apps",
        "policy",
        "networking.k8s.io",
        "serving.kserve.io",
        "gateway.networking.k8s.io",
    ],
    "resources": ["*"],
    "verbs": ["*"],
}
_READ = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, binaries: Mapping[str, Binary]) -> Iterator[ApiServer]:
    default = Layout.default()
    state = tmp_path_factory.mktemp("api-server")
    layout = Layout(checkout=default.checkout, state=state, cache=default.cache)
    with api_server(layout, binaries, GROUPS, KINDS) as running:
        for each in (*NAMESPACES, *GOOD):
            running.put(each)
        for account, rule in (("developer", _ALL), ("guest", _READ)):
            _invite(running, account, rule)
        yield running


@pytest.fixture
def preflight(server: ApiServer, tmp_path: Path) -> Preflight:
    """Return how `onprem-agents preflight` is run on a stack; the report is by the checks' names."""

    def run(stack: Mapping[str, Any], account: str | None = None) -> Report:
        content = {"config": {"onprem-coding-agents:platform": stack}}
        (tmp_path / "Pulumi.site.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        kubeconfig = server.kubeconfig if account is None else server.kubeconfig_of(account, NAMESPACE)
        argv = ["preflight", "site", "--stacks", str(tmp_path), "--kubeconfig", str(kubeconfig), "--json"]
        result = CliRunner().invoke(main, argv)
        checks = json.loads(result.stdout)
        assert isinstance(checks, list), checks
        assert result.exit_code == any(check["verdict"] == "missing" for check in checks), result.output
        report: Report = {}
        for check in checks:
            assert bool(check["fix"]) == (check["verdict"] != "ok"), f"what is wrong has a fix: {check}"
            report.setdefault(check["name"], check)
        return report

    return run


def test_a_good_cluster_is_green(preflight: Preflight) -> None:
    report = preflight(STACK)

    assert {name: check for name, check in report.items() if check["verdict"] != "ok"} == {}
    assert {"NVIDIA driver for CUDA 13.0", "room for a pod of coder", "permissions"} <= set(report)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.what)
def test_a_broken_cluster_is_found_with_cause_and_fix(
    broken: Broken, server: ApiServer, preflight: Preflight
) -> None:
    touched = _break(server, broken)
    try:
        check = preflight(_stack(broken), broken.account)[broken.check]
    finally:
        for each in (*broken.added, *touched):
            server.remove(each)
        for each in touched:
            server.put(each)

    assert check["verdict"] == broken.verdict, check
    for words in broken.found:
        assert words in check["found"]
    for words in broken.fix:
        assert words in check["fix"]


def test_a_report_as_text_can_be_read_and_copied(server: ApiServer, tmp_path: Path) -> None:
    good = _text(server, tmp_path)
    assert good.exit_code == 0
    assert re.search(r"^\d+ ok, 0 doubtful, 0 missing$", good.stdout.splitlines()[-1])

    (broken,) = (each for each in BROKEN if each.gone == ("ReferenceGrant/agents",))
    (touched,) = _break(server, broken)
    report = _text(server, tmp_path)
    server.put(touched)

    assert report.exit_code == 1
    assert report.stdout.splitlines()[-1].endswith("0 doubtful, 1 missing")
    lines = report.stdout.splitlines()
    start, end = lines.index("missing   ReferenceGrant in certificates") + 3, len(lines)
    told = [line for line in lines[start:end] if not line.startswith("ok ")][:-1]
    assert yaml.safe_load("\n".join(told))["kind"] == "ReferenceGrant"


def test_the_api_server_takes_what_the_pods_ask_of_their_nodes(server: ApiServer) -> None:
    for vllm in ("0.19.1", "0.33.0"):
        plan = plan_stack(STACK | {"serving": {"cudaAffinity": True, "vllm": vllm}}, stack="site")
        (service,) = (each for each in render(plan) if each["kind"] == "InferenceService")
        server.client.create(service, dry_run=True)
        pod: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "asks", "namespace": "ingress"},
            "spec": {
                "affinity": service["spec"]["predictor"]["affinity"],
                "containers": [{"name": "one", "image": "one:1"}],
            },
        }
        taken = server.client.create(pod, dry_run=True)
        assert taken["spec"]["affinity"] == pod["spec"]["affinity"]


def test_nothing_else_is_wrong_with_a_cluster_that_lacks_one_thing(
    server: ApiServer, preflight: Preflight
) -> None:
    """The grant that the fix tells is all that is missed: it applies as it stands."""
    (broken,) = (each for each in BROKEN if each.gone == ("ReferenceGrant/agents",))
    (touched,) = _break(server, broken)
    wrong = [check for check in preflight(STACK).values() if check["verdict"] != "ok"]
    assert [check["name"] for check in wrong] == [broken.check]

    told = yaml.safe_load(wrong[0]["fix"].partition("\n")[2])
    server.put(told)
    assert all(check["verdict"] == "ok" for check in preflight(STACK).values())

    server.remove(told)
    server.put(touched)


def _text(server: ApiServer, folder: Path) -> Result:
    (folder / "Pulumi.site.yaml").write_text(
        yaml.safe_dump({"config": {"onprem-coding-agents:platform": STACK}}), encoding="utf-8"
    )
    argv = ["preflight", "site", "--stacks", str(folder), "--kubeconfig", str(server.kubeconfig)]
    return CliRunner().invoke(main, argv)


def _stack(broken: Broken) -> dict[str, Any]:
    stack = deepcopy(STACK)
    for section, value in broken.stack.items():
        if section == "models" and isinstance(value, Mapping):
            stack["models"][0] |= value
        elif isinstance(value, Mapping) and section != "hardware":
            stack[section] = stack.get(section, {}) | value
        else:
            stack[section] = value
    return stack


def _break(server: ApiServer, broken: Broken) -> list[dict[str, Any]]:
    """Break the good cluster and return the objects of it that are no longer as they were."""
    good = {f"{each['kind']}/{each['metadata']['name']}": each for each in GOOD}
    for name in broken.gone:
        server.remove(good[name])
    for name, change in broken.changed.items():
        server.patch(good[name], change)
    for name, status in broken.states.items():
        server.patch(good[name], {"status": status}, subresource="/status")
    for each in broken.added:
        server.put(each)
    return [good[name] for name in dict.fromkeys((*broken.gone, *broken.changed, *broken.states))]


def _invite(server: ApiServer, account: str, rule: Mapping[str, Any]) -> None:
    """Make a ServiceAccount that may do in the stack's namespace what the rule says, and nothing elsewhere."""
    rbac = "rbac.authorization.k8s.io"
    server.put({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(account)})
    server.put({"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": _metadata(account), "rules": [rule]})
    server.put(
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": _metadata(account),
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": account},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}],
        }
    )


def _metadata(name: str) -> dict[str, str]:
    return {"name": name, "namespace": NAMESPACE}
