"""Every policy through a real preview: one program that declares what each is against, each in its own namespaces."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from policy.checks import found_in, graph_of
from policy.configuration import Configuration
from policy.graph import UNKNOWN
from policy.table import POLICIES
from tests.policy.programs import Manifest, bent, put
from tests.policy.rows import Row, rows
from tests.policy.test_mutations import CONTAINER
from tests.policy.test_supply_chain import REGISTRIES
from tests.toolchain.previewed import Program

IMAGE = (*CONTAINER, "image")
CHECKOUT = Path(__file__).resolve().parents[2]
# No other row's image comes from elsewhere.
ALLOWED = ["docker.io", "docker.litellm.ai", "ghcr.io", "registry.internal:5000"]
# The namespaces of the tables' programs; Envoy Gateway's own is not renamed, a policy knows it by name.
_SPACES = re.compile(r"(?<![\w/-])(agents|coding-agents)(?=$|\.svc)")


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


def _side_by_side() -> dict[str, list[Manifest]]:
    """Return a program for each policy, by its name; their namespaces are their own."""
    programs = {policy: row.manifests for policy, row in _chosen().items()}
    programs[REGISTRIES] = bent(put(*IMAGE, value="elsewhere.example/vllm/vllm-openai:v0.33.0"))
    return {
        policy: _apart(manifests, number)
        for number, (policy, manifests) in enumerate(sorted(programs.items()))
    }


def test_each_policy_fires_on_its_own_object_and_nowhere_else(program: Program, tmp_path: Path) -> None:
    programs = _side_by_side()
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
    assert code != 0, told
    assert found == expected, told
    assert {(policy, name.partition(":")[0]) for policy, _, name in found} == {
        (policy.name, policy.name) for policy in POLICIES
    }
