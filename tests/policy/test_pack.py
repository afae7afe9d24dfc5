"""The adapter on the SDK's own proxies and its own analyzer: what the engine sends is what the rules read."""

from __future__ import annotations

import gc
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pulumi_policy.policy as sdk
import pytest
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy.policy import PolicyResource, PolicyResourceOptions
from pulumi_policy.proxy import (
    UNKNOWN_OBJECT_VALUE,
    UNKNOWN_STRING_VALUE,
    UnknownValueError,
    unknown_checking_proxy,
)

from policy import pack
from policy.graph import UNKNOWN, Graph, Resource
from policy.pack import NAME, Analyzer, graph_of, plain, stack_policy
from policy.table import POLICIES
from tests.policy.in_the_engine import diagnostics
from tests.policy.programs import argument, bent, put, without

pytestmark = pytest.mark.policy

ROOT = Path(__file__).resolve().parents[2]
MANDATORY, ADVISORY = 1, 0  # pulumirpc EnforcementLevel


def test_a_compliant_program_passes_the_sdks_analyzer_without_a_word() -> None:
    assert diagnostics(bent()) == []


def test_a_violation_reaches_the_engine_with_level_urn_and_message() -> None:
    found = diagnostics(bent(without("--tool-call-parser")))

    assert [diagnostic.policyName for diagnostic in found] == ["tool-calling-is-on"]
    assert found[0].enforcementLevel == MANDATORY
    assert found[0].urn.endswith("InferenceService::coder")
    assert "platform.models[role=coder].toolCallParser" in found[0].message


def test_an_unknown_value_leaves_a_mandatory_rule_mandatory() -> None:
    found = diagnostics(bent(argument("--tool-call-parser", UNKNOWN_STRING_VALUE)))

    assert [(d.policyName, d.enforcementLevel) for d in found] == [("tool-calling-is-on", MANDATORY)]
    assert "can't run policy" not in found[0].message, "the SDK's own notice would let it pass"


def test_what_can_not_be_checked_is_a_notice() -> None:
    change = put("server", "spec", "predictor", "nodeSelector", "nvidia.com/gpu.product", value="NVIDIA-X1")
    found = diagnostics(bent(change))
    assert [(d.policyName, d.enforcementLevel) for d in found] == [("serving-can-be-checked", ADVISORY)]


def test_proxies_become_plain_values_with_unknowns_in_their_place() -> None:
    proxy = unknown_checking_proxy(
        {
            "spec": {"replicas": 2.0, "share": 0.92, "on": True, "none": None, "name": UNKNOWN_STRING_VALUE},
            "args": ["a", UNKNOWN_STRING_VALUE, {"deep": UNKNOWN_OBJECT_VALUE}],
            "whole": UNKNOWN_OBJECT_VALUE,
        }
    )
    assert not isinstance(proxy["spec"], dict), (
        "the SDK hands out a proxy, which a test with dicts would hide"
    )
    with pytest.raises(UnknownValueError):
        dict(proxy)

    value = plain(proxy)

    assert value == {
        "spec": {"replicas": 2, "share": 0.92, "on": True, "none": None, "name": UNKNOWN},
        "args": ["a", UNKNOWN, {"deep": UNKNOWN}],
        "whole": UNKNOWN,
    }
    assert type(value["spec"]["replicas"]) is int
    assert type(value["spec"]["on"]) is bool


def test_resources_keep_their_identity_and_their_links() -> None:
    def resource(name: str, *others: PolicyResource) -> PolicyResource:
        props: Mapping[str, Any] = unknown_checking_proxy({"metadata": {"name": name}})
        options = PolicyResourceOptions(False, [], None, [], None, [])  # type: ignore[arg-type]
        return PolicyResource(
            "kubernetes:core/v1:Secret", props, f"urn:{name}", name, options, None, None, list(others), {}
        )

    first = resource("a")
    graph = graph_of([first, resource("b", first)])

    assert graph.resources[1] == Resource(
        urn="urn:b",
        type="kubernetes:core/v1:Secret",
        name="b",
        props={"metadata": {"name": "b"}},
        dependencies=("urn:a",),
    )


def test_names_are_statements_and_unique() -> None:
    names = [policy.name for policy in POLICIES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)+", name) for name in names)
    assert all(policy.description.endswith(".") for policy in POLICIES)


def test_the_pack_announces_a_port_and_nothing_else_from_any_folder(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(ROOT / "policy")],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    watchdog = threading.Timer(30, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip().isdigit(), "the engine reads the first line as a port"
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def test_no_rule_knows_pulumi() -> None:
    script = (
        "import sys, policy.checks; "
        "print(sorted(name for name in sys.modules if name.split('.')[0].startswith('pulumi')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_no_module_of_the_pack_hides_one_of_the_standard_library() -> None:
    modules = {path.stem for path in (ROOT / "policy").glob("*.py")} | {"rules"}
    assert not modules & set(sys.stdlib_module_names), "the engine puts the pack's folder first on the path"


def test_resources_are_made_once_for_all_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Graph] = []

    def counted(resources: Iterable[PolicyResource]) -> Graph:
        made.append(graph_of(resources))
        return made[-1]

    monkeypatch.setattr(pack, "graph_of", counted)

    assert diagnostics(bent()) == []
    assert [len(graph.resources) for graph in made] == [len(bent())]
    diagnostics(bent(), by_the_sdk_alone=True)
    assert len(made) == 1 + len(POLICIES), "on the SDK's own analyzer each policy makes them"


def test_what_is_served_makes_resources_once(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[type] = []
    name = Analyzer.__mro__[1].__name__
    monkeypatch.setattr(sdk, name, getattr(sdk, name))
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(pack, "PolicyPack", lambda _name, _policies: served.append(getattr(sdk, name)))

    pack.serve()

    assert served == [Analyzer]


def test_nothing_is_mended() -> None:
    analyzer: Any = Analyzer(NAME, "0.1.0", [stack_policy(POLICIES[0])], EnforcementLevel.ADVISORY)
    assert list(analyzer.Remediate(analyzer_pb2.AnalyzeRequest(), None).remediations) == []
