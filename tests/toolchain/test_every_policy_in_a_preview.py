"""Every policy through a real preview: one program that declares what each is against, each in its own namespaces."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from policy.checks import check_manifests, found_in, graph_of
from policy.configuration import Configuration
from policy.graph import UNKNOWN
from policy.table import POLICIES
from tests.policy.option_changes import BESIDE_ANOTHER
from tests.policy.programs import Manifest, bent, compliant, put
from tests.policy.rendered import objects_of
from tests.policy.rows import Row, rows
from tests.policy.test_mutations import CONTAINER
from tests.policy.test_supply_chain import REGISTRIES
from tests.toolchain.previewed import Program

IMAGE = (*CONTAINER, "image")
CHECKOUT = Path(__file__).resolve().parents[2]
# No other row's image comes from elsewhere.
ALLOWED = ["docker.io", "registry.example.com", "docker.litellm.ai", "ghcr.io", "registry.internal:5000"]
# What a server stands in; where a program declares queues, every server of it is asked for one.
QUEUES = ("LocalQueue", "ClusterQueue", "ResourceFlavor")
AROUND = ("Namespace", "NetworkPolicy", *QUEUES)
# A contract, a ClusterQueue and a cluster's metrics speak of all servers of a program, whichever namespace they are
# in, and a route to a proxy may lead to any: each of these has a preview of its own.
ALONE = (
    *("context-fits-the-agents", "contract-names-are-served", "metrics-exist", "model-suits-the-agents"),
    *("promised-agents-are-served", "queues-admit-the-pods", "release-speaks-to-the-agents"),
    *("routes-ask-for-served-names", "capabilities-are-not-added"),
)
# Their rows leave routes without the policies of a stack, which the stacks beside them would miss.
ROUTES = ("no-hosted-fallback", "paths-are-listed", "gateways-have-their-own-namespace")
# The namespaces and the ClusterQueue of the tables' programs; Envoy Gateway's own keeps the name a policy knows it by.
_SPACES = re.compile(r"(?<![\w/-])(agents|coding-agents|gpu)(?=$|\.svc)")


def _chosen() -> dict[str, Row]:
    """Return one row of each policy: the first whose every value is known."""
    chosen: dict[str, Row] = {}
    for row in rows():
        if row.policy not in chosen and not _has_unknown(row.manifests):
            chosen[row.policy] = row
    return chosen


def _has_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_unknown(each) for each in value.values())
    return value is UNKNOWN or (isinstance(value, list) and any(_has_unknown(each) for each in value))


def _apart(value: Any, number: int) -> Any:
    """Return manifests with their namespaces, and all that bears such a name, of a row's own."""
    if isinstance(value, dict):
        return {key: _apart(each, number) for key, each in value.items()}
    if isinstance(value, list):
        return [_apart(each, number) for each in value]
    return _SPACES.sub(rf"\1-{number}", value) if isinstance(value, str) else value


def _least(row: Row) -> list[Manifest]:
    """Return as few objects of a row as fire its policy alone: an engine takes its time over thousands."""
    before = (compliant() if row.stack is None else objects_of(row.stack)).values()
    if row.stack is None:
        return row.manifests
    changed = [each for each in row.manifests if each not in before]
    servers = [each for each in row.manifests if each["kind"] == "InferenceService" and each not in changed]
    around = [each for each in row.manifests if each["kind"] in AROUND and each not in changed]
    for few in (changed, [*changed, *servers], [*changed, *servers, *around]):
        if {finding.policy for finding in check_manifests(few)} == {row.policy}:
            return few
    return row.manifests


def _previews() -> dict[str, dict[str, list[Manifest]]]:
    """Return the programs of each preview by their policy; the namespaces of each are its own."""
    rows_of = _chosen()
    programs = {policy: _least(row) for policy, row in rows_of.items()}
    programs[REGISTRIES] = bent(put(*IMAGE, value="elsewhere.example/vllm/vllm-openai:v0.33.0"))
    previews: dict[str, dict[str, list[Manifest]]] = {}
    for number, (policy, manifests) in enumerate(sorted(programs.items())):
        if policy in ALONE:
            preview = policy
        elif policy in ROUTES or policy not in rows_of or rows_of[policy].stack is None:
            preview = "servers"
        else:
            preview = "queues" if any(each["kind"] in QUEUES for each in manifests) else "stacks"
        previews.setdefault(preview, {})[policy] = _apart(manifests, number)
    return previews


@pytest.mark.parametrize("preview", ["servers", "stacks", "queues", *ALONE])
def test_each_policy_fires_on_its_own_object_and_nowhere_else(
    program: Program, tmp_path: Path, preview: str
) -> None:
    programs = _previews()[preview]
    program.declare(
        {f"{policy}:{place}": one for policy, each in programs.items() for place, one in enumerate(each)}
    )
    settings = {REGISTRIES: {"allowedRegistries": ALLOWED}}
    config = tmp_path / "policies.json"
    config.write_text(json.dumps(settings), encoding="utf-8")

    code, told, events = program.preview(CHECKOUT / "policy", config)

    found = {
        (event["policyName"], event["enforcementLevel"], event["resourceUrn"].rpartition("::")[2])
        for event in events
    }
    expected = {
        (finding.policy, finding.level, f"{policy}:{each.index(dict(resource.props))}")
        for policy, each in programs.items()
        for finding, resource in found_in(graph_of(each), Configuration(settings=settings))
    }
    assert (code != 0) == any(level == "mandatory" for _, level, _ in expected), told
    assert found == expected, told
    assert {(policy, name.partition(":")[0]) for policy, _, name in found} == {
        (policy, policy) for policy in programs
    }


def test_every_policy_that_fires_alone_is_among_them() -> None:
    declared = {policy for programs in _previews().values() for policy in programs}
    assert declared == {policy.name for policy in POLICIES} - BESIDE_ANOTHER
