"""An API server that says no, or nothing: what was not looked at is told, with the right that it takes."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import pytest

from onprem_agents.cluster import KubeClient
from onprem_agents.cluster.preflight import SUBJECTS, Check, preflight
from onprem_agents.errors import ClusterError
from onprem_agents.manifests import render
from tests.unit.preflight_samples import stack_plan

Answer = Callable[[httpx2.Request], httpx2.Response]

_NO_GROUPS = {"kind": "APIGroupDiscoveryList", "items": []}


def _discovery() -> dict[str, object]:
    kinds = ("Node", "Service", "Secret", "ConfigMap", "ResourceQuota", "LimitRange")
    resources = [
        {
            "resource": f"{kind.lower()}s",
            "responseKind": {"kind": kind},
            "scope": "Cluster" if kind == "Node" else "Namespaced",
        }
        for kind in kinds
    ]
    return {
        "kind": "APIGroupDiscoveryList",
        "items": [{"metadata": {}, "versions": [{"version": "v1", "resources": resources}]}],
    }


def _looked(answer: Answer) -> tuple[dict[str, Check], int]:
    """Return the checks of a server that tells its version and kinds, and how often it was asked for more."""
    asked = 0

    def handle(request: httpx2.Request) -> httpx2.Response:
        nonlocal asked
        known = {"/version": {"gitVersion": "v1.36.3"}, "/api": _discovery(), "/apis": _NO_GROUPS}
        if request.url.path in known:
            return httpx2.Response(200, json=known[request.url.path])
        asked += 1
        return answer(request)

    http = httpx2.Client(transport=httpx2.MockTransport(handle), base_url="https://cluster.test")
    plan = stack_plan()
    with KubeClient(http, source="a test") as client:
        checks = preflight(plan, render(plan), client)
    return {check.name: check for check in checks}, asked


def _forbidden(request: httpx2.Request) -> httpx2.Response:
    parts = request.url.path.split("/")
    where = "at the cluster scope"
    if "namespaces" in parts:
        where = f'in the namespace "{parts[parts.index("namespaces") + 1]}"'
    message = f'x is forbidden: User "alice" cannot list resource "{parts[-1]}" in API group "" {where}'
    return httpx2.Response(403, json={"reason": "Forbidden", "message": message})


def _silent(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ReadTimeout("no answer", request=request)


def test_what_may_not_be_read_is_doubtful_and_names_the_right() -> None:
    found, _ = _looked(_forbidden)

    assert found["nodes"].verdict == found["quotas"].verdict == "doubtful"
    assert found["nodes"].found == "not looked at: the caller may not list nodes cluster-wide"
    assert found["quotas"].found.endswith("may not list resourcequotas in the namespace coding-agents")
    assert "kubectl auth can-i list nodes -A" in found["nodes"].fix
    assert "can-i list resourcequotas -n coding-agents" in found["quotas"].fix
    assert found["Kubernetes"].verdict == "ok", "what may be read is told as ever"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda _: httpx2.Response(500, text="<html>etcd is away</html>"), "etcd is away"),
        (lambda _: httpx2.Response(404, json={"reason": "NotFound", "message": "gone"}), "404 NotFound"),
        (lambda _: httpx2.Response(403, text="blocked by the proxy"), "the caller may not read it"),
    ],
)
def test_an_answer_that_is_none_is_doubtful_too(answer: Answer, told: str) -> None:
    found, _ = _looked(answer)

    assert found["nodes"].verdict == "doubtful"
    assert told in found["nodes"].found
    assert found["nodes"].fix


def test_a_server_that_falls_silent_is_given_up_and_what_was_found_is_kept() -> None:
    found, asked = _looked(_silent)

    last = found["API server"]
    assert (last.verdict, asked) == ("missing", 3), "each question costs a timeout"
    assert "no answer in time" in last.found
    assert last.found.endswith("permissions")
    assert found["Kubernetes"].verdict == "ok"


def test_a_server_that_never_answers_is_an_error() -> None:
    http = httpx2.Client(transport=httpx2.MockTransport(_silent), base_url="https://cluster.test")
    plan = stack_plan()

    with pytest.raises(ClusterError, match="no answer in time"):
        preflight(plan, render(plan), KubeClient(http, source="a test"))


def test_one_answer_that_comes_too_late_costs_one_subject() -> None:
    def late(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/resourcequotas"):
            raise httpx2.ReadTimeout("no answer", request=request)
        return httpx2.Response(200, json={"metadata": {}, "items": [], "status": {"allowed": True}})

    found, _ = _looked(late)

    assert found["quotas"].verdict == "doubtful"
    assert "no answer in time" in found["quotas"].found
    assert found["permissions"].verdict == "ok"


def test_credentials_that_are_not_known_end_it_at_once() -> None:
    def unknown(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(401, json={"reason": "Unauthorized", "message": "Unauthorized"})

    with pytest.raises(ClusterError, match="401 Unauthorized"):
        _looked(unknown)


def test_every_subject_is_announced_before_it_is_looked_at() -> None:
    heard: list[str] = []
    http = httpx2.Client(
        transport=httpx2.MockTransport(
            lambda request: httpx2.Response(
                200,
                json={"/version": {"gitVersion": "v1.36.3"}, "/api": _discovery(), "/apis": _NO_GROUPS}.get(
                    request.url.path, {"metadata": {}, "items": [], "status": {"allowed": True}}
                ),
            )
        ),
        base_url="https://cluster.test",
    )
    plan = stack_plan()
    preflight(plan, render(plan), KubeClient(http, source="a test"), started=heard.append)

    assert heard == [subject.name for subject in SUBJECTS]
