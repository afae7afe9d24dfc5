"""What an environment says of the policies: levels, settings and exemptions; and what is wrong with it, by field."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy.policy import _PolicyAnalyzerServicer

from onprem_agents.errors import InvalidInput
from policy.checks import Finding, found_in, graph_of
from policy.configuration import Configuration, _settings, read_configuration
from policy.exemptions import without_exempted
from policy.graph import Graph, Violation
from policy.pack import NAME, stack_policy
from policy.table import POLICIES
from tests.policy.programs import bent, both, put, without

pytestmark = pytest.mark.policy

MOVING = put("server", "spec", "predictor", "containers", 0, "image", value="vllm/vllm-openai:latest")
TODAY = dt.date(2026, 11, 29)


def _read(tmp_path: Path, content: Any) -> Configuration:
    file = tmp_path / "production.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read_configuration(file)


def _found(graph: Graph, configuration: Configuration) -> list[Finding]:
    return [finding for finding, _ in found_in(graph, configuration)]


def test_levels_and_settings_are_an_environments_own(tmp_path: Path) -> None:
    graph = graph_of(bent(both(MOVING, without("--tool-call-parser"))))
    said = _read(
        tmp_path,
        {
            "images-are-pinned": {"enforcementLevel": "mandatory"},
            "registries-are-allowed": {"allowedRegistries": ["registry.internal"]},
            "tool-calling-is-on": "disabled",
        },
    )

    assert [(finding.policy, finding.level) for finding in _found(graph, said)] == [
        ("images-are-pinned", "mandatory"),
        ("registries-are-allowed", "mandatory"),
    ]
    assert [finding.policy for finding in _found(graph, Configuration())] == [
        "tool-calling-is-on",
        "images-are-pinned",
    ]


def test_all_policies_can_have_one_level(tmp_path: Path) -> None:
    graph = graph_of(bent(without("--tool-call-parser")))
    said = _read(tmp_path, {"all": "advisory"})
    assert [finding.level for finding in _found(graph, said)] == ["advisory"]


def _exemption(**fields: Any) -> dict[str, Any]:
    return {"resource": "InferenceService agents/coder", "reason": "OPS-1", "until": "2026-12-31", **fields}


@pytest.mark.parametrize(
    ("exemption", "said"),
    [
        (_exemption(), None),
        (_exemption(until="2026-11-29"), None),
        (_exemption(until=dt.date(2026, 12, 31)), None),
        (_exemption(resource="coder"), None),
        (_exemption(until="2026-11-28"), "(Its exemption ended on 2026-11-28: OPS-1.)"),
        (_exemption(resource="InferenceService agents/fast"), "no parser"),
        (_exemption(until="soon"), "counts for nothing"),
        (_exemption(reason=""), "counts for nothing"),
    ],
)
def test_an_exemption_counts_for_its_object_through_its_last_day(
    exemption: dict[str, Any], said: str | None
) -> None:
    (server,) = (each for each in graph_of(bent()).resources if each.kind == "InferenceService")
    left = without_exempted([Violation(resource=server, message="no parser")], [exemption], today=TODAY)
    assert [said in violation.message for violation in left if said is not None] == (
        [] if said is None else [True]
    )
    assert bool(left) is (said is not None)


@pytest.mark.parametrize(
    ("content", "where", "part"),
    [
        ("[]", "the file", "an object of policies"),
        ("{", "the file", "neither JSON nor YAML"),
        ({"images-are-pined": "mandatory"}, "images-are-pined", "did you mean images-are-pinned"),
        ({"images-are-pinned": "strict"}, "images-are-pinned", "mandatory, advisory, disabled"),
        ({"images-are-pinned": 3}, "images-are-pinned", "neither a level nor an object"),
        (
            {"images-are-pinned": {"enforcementLevel": 1}},
            "images-are-pinned.enforcementLevel",
            "it is no level",
        ),
        ({"images-are-pinned": {"digest": True}}, "images-are-pinned.digest", "no setting of that name"),
        (
            {"images-are-pinned": {"requireDigest": "yes"}},
            "images-are-pinned.requireDigest",
            "neither true nor false",
        ),
        (
            {"registries-are-allowed": {"allowedRegistries": "a"}},
            "registries-are-allowed.allowedRegistries",
            "no list",
        ),
        ({"images-are-pinned": {"exemptions": {}}}, "images-are-pinned.exemptions", "it is no list"),
        (
            {"images-are-pinned": {"exemptions": [{"resource": "a", "reason": "b", "until": "2026-13-01"}]}},
            "images-are-pinned.exemptions[0].until",
            "ends on a day",
        ),
        (
            {"images-are-pinned": {"exemptions": [{"resource": "a", "until": "2026-12-01"}]}},
            "images-are-pinned.exemptions[0].reason",
            "names its object and why",
        ),
    ],
)
def test_a_bad_configuration_names_file_and_field(
    tmp_path: Path, content: Any, where: str, part: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        _read(tmp_path, content)
    assert caught.value.source.endswith("production.json")
    assert [problem.where for problem in caught.value.problems] == [where]
    assert part in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        read_configuration(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("64k", "write an integer from 1"),
        (0, "write an integer from 1"),
        (True, "an integer"),
        (1.5, "an integer"),
    ],
)
def test_a_setting_that_is_a_number_takes_one_within_its_limits(value: Any, part: str) -> None:
    policy = dataclasses.replace(POLICIES[0], settings={"leastTokens": {"type": "integer", "minimum": 1}})

    (problem,) = _settings(policy, {"leastTokens": value})
    assert (problem.where, problem.found) == (f"{policy.name}.leastTokens", repr(value))
    assert part in problem.fix
    assert list(_settings(policy, {"leastTokens": 65536})) == []


def test_every_setting_is_announced_to_the_engine_with_its_schema() -> None:
    servicer: Any = _PolicyAnalyzerServicer(
        NAME, "0.1.0", [stack_policy(policy) for policy in POLICIES], EnforcementLevel.ADVISORY, None
    )
    info = servicer.GetAnalyzerInfo(None, None)
    schemas = {policy.name: set(policy.configSchema.properties.fields) for policy in info.policies}
    assert schemas["images-are-pinned"] == {"requireDigest", "exemptions"}
    assert all("exemptions" in properties for properties in schemas.values())


def test_what_the_engine_passes_on_reaches_the_rule() -> None:
    policy = next(policy for policy in POLICIES if policy.name == "registries-are-allowed")
    servicer: Any = _PolicyAnalyzerServicer(
        NAME, "0.1.0", [stack_policy(policy)], EnforcementLevel.ADVISORY, None
    )
    properties = struct_pb2.Struct()
    properties.update({"allowedRegistries": ["registry.internal"]})
    configure = analyzer_pb2.ConfigureAnalyzerRequest()
    configure.policyConfig[policy.name].enforcementLevel = analyzer_pb2.MANDATORY
    configure.policyConfig[policy.name].properties.CopyFrom(properties)
    servicer.Configure(configure, None)

    request = analyzer_pb2.AnalyzeStackRequest()
    (server,) = (manifest for manifest in bent() if manifest["kind"] == "InferenceService")
    props = struct_pb2.Struct()
    props.update(json.loads(json.dumps(server)))
    kind = "kubernetes:serving.kserve.io/v1beta1:InferenceService"
    request.resources.add(type=kind, urn=f"urn:pulumi:a::b::{kind}::coder", name="coder").properties.CopyFrom(
        props
    )

    (found,) = servicer.AnalyzeStack(request, None).diagnostics
    assert "none of the allowed registries (registry.internal)" in found.message
