"""A value that is only known once the program has run never softens a mandatory rule."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from policy.checks import check_manifests
from policy.graph import UNKNOWN, dig, may_equal
from tests.policy.programs import Manifests, argument, bent, both, put

pytestmark = pytest.mark.policy

TOOLS, PARSER = "tool-calling-is-on", "parser-fits-the-model"
MEMORY, TIMEOUTS = "memory-headroom-is-left", "timeouts-are-monotonic"
PREDICTOR = ("server", "spec", "predictor")
CONTAINER = (*PREDICTOR, "containers", 0)


@pytest.mark.parametrize(
    ("change", "policies"),
    [
        (argument("--tool-call-parser", UNKNOWN), {TOOLS}),
        (argument("--reasoning-parser", UNKNOWN), {PARSER}),
        (argument("--gpu-memory-utilization", UNKNOWN), {MEMORY}),
        (argument("--max-model-len", UNKNOWN), {MEMORY}),
        (put(*CONTAINER, "resources", "limits", "nvidia.com/gpu", value=UNKNOWN), {MEMORY}),
        (put(*CONTAINER, "resources", "limits", "nvidia.com/gpumem", value=UNKNOWN), {MEMORY}),
        (put(*CONTAINER, "resources", "limits", "nvidia.com/gpumem", value="8 GiB"), {MEMORY}),
        (put(*PREDICTOR, "nodeSelector", value=UNKNOWN), {MEMORY}),
        (put(*PREDICTOR, "initContainers", 0, "args", 0, value=UNKNOWN), {PARSER, MEMORY}),
        (put(*CONTAINER, "args", 0, value=UNKNOWN), set()),  # the download still names the model
        (put(*CONTAINER, "args", value=UNKNOWN), {TOOLS, PARSER, MEMORY}),
        (put(*CONTAINER, "command", value=UNKNOWN), {MEMORY}),  # parsers stand in args; more flags may not
        (put(*PREDICTOR, "timeout", value=UNKNOWN), {TIMEOUTS}),
        (put("route", "spec", "rules", 0, "timeouts", "backendRequest", value=UNKNOWN), {TIMEOUTS}),
        (put("backend", "spec", "timeout", "http", "maxStreamDuration", value=UNKNOWN), {TIMEOUTS}),
    ],
)
def test_a_rule_that_needs_a_literal_fires(change: Callable[[Manifests], None], policies: set[str]) -> None:
    findings = [finding for finding in check_manifests(bent(change)) if finding.level == "mandatory"]
    assert {finding.policy for finding in findings} == policies, "\n".join(f.told for f in findings)


@pytest.mark.parametrize(
    "argv",
    [
        ["bash", "-c", "vllm serve /mnt/models $EXTRA"],
        ["bash", "-c", UNKNOWN],
        ["vllm", "serve", "/mnt/models", "--config", "/etc/vllm.yaml"],
    ],
)
def test_a_command_that_can_not_be_followed_is_refused_and_not_guessed(argv: list[str]) -> None:
    change = both(put(*CONTAINER, "command", value=argv), put(*CONTAINER, "args", value=[]))

    findings = check_manifests(bent(change))

    assert {finding.policy for finding in findings} == {TOOLS, PARSER, MEMORY}


@pytest.mark.parametrize("argv", [["bash", "-c", "exec /opt/start.sh"], ["/opt/start.sh"]])
def test_a_program_out_of_sight_that_starts_the_server_is_named_and_not_guessed(argv: list[str]) -> None:
    change = both(put(*CONTAINER, "command", value=argv), put(*CONTAINER, "args", value=[]))

    findings = check_manifests(bent(change))

    assert [finding.level for finding in findings] == ["advisory"]
    assert "/opt/start.sh" in findings[0].told


def test_a_policy_on_an_unknown_route_counts_for_every_route() -> None:
    change = both(
        put("backend", "spec", "targetRefs", 0, "name", value=UNKNOWN),
        put("backend", "spec", "timeout", "http", "maxStreamDuration", value="60s"),
    )
    assert [finding.policy for finding in check_manifests(bent(change))] == [TIMEOUTS]


def test_a_name_that_is_only_known_at_run_time_leaves_the_message_readable() -> None:
    change = both(put("server", "metadata", "name", value=UNKNOWN), argument("--tool-call-parser", "hermes"))
    messages = [finding.told for finding in check_manifests(bent(change))]
    assert len(messages) == 1
    assert messages[0].startswith("InferenceService agents/")


def test_the_way_to_an_unknown_value_is_unknown_and_not_empty() -> None:
    assert dig({"spec": UNKNOWN}, "spec", "predictor", "timeout") is UNKNOWN
    assert dig({"spec": {}}, "spec", "predictor") is None
    assert may_equal(UNKNOWN, "a")
    assert not may_equal("a", "b")
