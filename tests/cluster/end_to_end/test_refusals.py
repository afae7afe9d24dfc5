"""What is refused, with a reason and a remedy, before anything is applied or even started."""

from __future__ import annotations

import copy
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.ports import LOOPBACK
from tests.cluster.end_to_end.checkout import Checkout, Outcome

_ACCESS = """\
    access:
      host: localhost
      port: 18443
      tls: {secretName: agents-tls}
      developers: {alice: {}}
"""
_HARDWARE = """\
    hardware: {accelerator: L40S, gpusPerNode: 2, nodes: 2}
"""
_MODELS = """\
    models:
      - {role: coder, model: Qwen/Qwen3.6-27B-FP8}
"""


def _stack(*sections: str, more: str = "") -> str:
    return "config:\n  onprem-coding-agents:platform:\n" + "".join(sections) + more


# A stack file, and pieces that the one message about it must hold.
_BAD = {
    "an-unknown-key": (
        _stack(_HARDWARE, _MODELS, _ACCESS, "    translatoin: native\n"),
        ["translatoin", "did you mean translation?"],
    ),
    "an-unknown-model": (
        _stack(_HARDWARE, "    models:\n      - {role: coder, model: Qwen/Qwen3.6-27B-FP9}\n", _ACCESS),
        ["Qwen/Qwen3.6-27B-FP9", "Qwen/Qwen3.6-27B-FP8"],
    ),
    "an-unknown-accelerator": (
        _stack("    hardware: {accelerator: L40X, gpusPerNode: 2, nodes: 2}\n", _MODELS, _ACCESS),
        ["L40X", "L40S"],
    ),
    "a-model-that-cannot-fit": (
        _stack("    hardware: {accelerator: L4, gpusPerNode: 1, nodes: 1}\n", _MODELS, _ACCESS),
        ["Qwen/Qwen3.6-27B-FP8", "GiB"],
    ),
    "a-negative-number": (
        _stack("    hardware: {accelerator: L40S, gpusPerNode: -2, nodes: 2}\n", _MODELS, _ACCESS),
        ["platform.hardware.gpusPerNode", "-2"],
    ),
    "an-absurd-number": (
        _stack(
            _HARDWARE,
            "    models:\n      - {role: coder, model: Qwen/Qwen3.6-27B-FP8, context: 1.0e+30}\n",
            _ACCESS,
        ),
        ["platform.models[0].context", "1e+30"],
    ),
    "a-role-used-twice": (
        _stack(_HARDWARE, _MODELS, "      - {role: coder, model: openai/gpt-oss-120b}\n", _ACCESS),
        ["the role 'coder' more than once"],
    ),
    "a-yaml-key-used-twice": (
        _stack(_HARDWARE, _MODELS, _ACCESS, "    namespace: a\n    namespace: b\n"),
        ["the key 'namespace'", "line"],
    ),
    "a-list-for-a-map": (
        _stack("    hardware: [L40S, 2]\n", _MODELS, _ACCESS),
        ["platform.hardware"],
    ),
    "a-list-for-everything": ("- config\n- platform\n", ["the file", "list"]),
    "a-missing-section": (_stack(_HARDWARE, _MODELS), ["platform.access", "nothing"]),
    "no-yaml": ("config: [\n", ["it is not valid YAML"]),
    "a-secret-in-plain-text": (
        _stack(
            _HARDWARE,
            _MODELS,
            _ACCESS,
            more="  onprem-coding-agents:developerKeys: {alice: plain-0123456789}\n",
        ),
        ["developerKeys.alice", "a value in plain text (not shown)", "pulumi config set --secret"],
    ),
    "more-gpus-than-a-node-has": (
        _stack(
            "    hardware: {accelerator: L40S, gpusPerNode: 1, nodes: 1}\n",
            "    models:\n      - {role: coder, model: Qwen/Qwen3.6-27B-FP8, replicas: 2}\n",
            _ACCESS,
        ),
        ["GPU", "replicas"],
    ),
}
_PLAIN_TEXT = "plain-0123456789"


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Yield the environment of a run with a state folder of its own, in which nothing may be started."""
    yield {"ONPREM_STATE": str(tmp_path / "state")}
    assert not (tmp_path / "state" / "cluster" / "run").exists(), "no process is started"


@pytest.fixture
def bad_stack(checkout: Checkout, request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the name of a stack whose file is bad in the way the parameter says."""
    file = checkout.stack_file(request.param)
    file.write_text(_BAD[request.param][0])
    yield request.param
    file.unlink()


@pytest.mark.parametrize("bad_stack", _BAD, indirect=True)
def test_up_refuses_a_bad_stack_with_found_why_and_fix_and_starts_nothing(
    checkout: Checkout, bad_stack: str, apart: dict[str, str]
) -> None:
    done = checkout.dev("up", bad_stack, env=apart)

    _told(done, *_BAD[bad_stack][1], "found:", "why:", "fix:")
    assert _PLAIN_TEXT not in done.text


def _told(done: Outcome, *pieces: str) -> None:
    assert done.code == 1, done.text
    for piece in pieces:
        assert piece in done.text
    assert "Traceback" not in done.text


def test_all_problems_of_a_stack_are_told_at_once(checkout: Checkout, apart: dict[str, str]) -> None:
    file = checkout.stack_file("many")
    file.write_text(
        _stack(
            "    hardware: {accelerator: L40S, gpusPerNode: -2, nodes: 2}\n",
            "    models:\n      - {role: Coder, model: Qwen/Qwen3.6-27B-FP8}\n",
            _ACCESS,
            "    translatoin: native\n",
        )
    )
    try:
        done = checkout.dev("up", "many", env=apart)
    finally:
        file.unlink()

    _told(done, "3 problems", "gpusPerNode", "platform.models[0].role", "translatoin")


def test_an_unknown_stack_is_refused_with_the_nearest_name(checkout: Checkout, apart: dict[str, str]) -> None:
    _told(checkout.dev("up", "mutli-gpu", env=apart), "did you mean multi-gpu?")


# Pulumi reads the file itself first: what it cannot read is refused in its own words.
_READABLE = ["an-unknown-key", "more-gpus-than-a-node-has"]


@pytest.mark.parametrize("bad_stack", _READABLE, indirect=True)
def test_a_plain_preview_of_a_bad_stack_says_the_same_without_a_traceback(
    checkout: Checkout, bad_stack: str
) -> None:
    made = checkout.pulumi("stack", "init", bad_stack, "--secrets-provider", "passphrase")
    assert made.code == 0, made.text
    try:
        done = checkout.pulumi("preview", "--stack", bad_stack)
    finally:
        checkout.pulumi("stack", "rm", "--yes", "--preserve-config", bad_stack)

    assert done.code != 0
    for piece in (*_BAD[bad_stack][1], "found:", "why:", "fix:"):
        assert piece in done.text
    assert "Traceback" not in done.text
    assert "InferenceService" not in done.text, "nothing is even planned"


def test_a_stack_that_breaks_a_policy_is_refused_by_up_and_by_preview(local: Checkout) -> None:
    # The settings allow any parser of the vLLM release; that it fits the model is the policy's business.
    platform = local.platform()
    changed = copy.deepcopy(platform)
    changed["models"][0]["toolCallParser"] = "hermes"
    local.write_stack("local", changed)
    try:
        up = local.dev("up")
        preview = local.pulumi("preview", "--stack", "local", "--policy-pack", "policy")
    finally:
        local.write_stack("local", platform)

    for done in (up, preview):
        assert done.code != 0, done.text
        assert "parser-fits-the-model" in done.text
        assert "toolCallParser" in done.text, "the key to change"
        assert "qwen3_coder" in done.text, "the value that fits"
        assert "Traceback" not in done.text
    assert local.pulumi("preview", "--stack", "local", "--expect-no-changes").code == 0, "nothing was applied"


def test_a_port_that_another_program_holds_is_named_before_anything_starts(
    checkout: Checkout, apart: dict[str, str]
) -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        port = other.getsockname()[1]
        platform = checkout.platform()
        platform["access"]["port"] = port
        checkout.write_stack("elsewhere", platform)
        try:
            done = checkout.dev("up", "elsewhere", env=apart)
        finally:
            checkout.stack_file("elsewhere").unlink()

    _told(
        done,
        f"port {port} of 127.0.0.1 is in use by another program",
        "'access.port' in Pulumi.elsewhere.yaml",
    )


def test_an_empty_passphrase_is_refused_before_anything_starts(
    checkout: Checkout, apart: dict[str, str]
) -> None:
    done = checkout.dev("up", env={**apart, "PULUMI_CONFIG_PASSPHRASE": ""})

    _told(done, "PULUMI_CONFIG_PASSPHRASE is set but empty")


def test_a_second_run_is_told_who_is_at_work(local: Checkout) -> None:
    with local.running("up") as first:
        assert any("Kubernetes API server" in line for line in first.stdout or ()), "it is at work"
        second = local.dev("up")
        first.communicate(timeout=120)

    _told(second, "`./dev up local` (pid ", f"(pid {first.pid},", "is at work here already")
    assert first.returncode == 0


def test_an_unreachable_cluster_is_one_clear_sentence_of_preview(local: Checkout) -> None:
    down = local.dev("down")
    assert down.code == 0, down.text

    done = local.pulumi("preview", "--stack", "local", "--refresh")

    assert done.code != 0
    assert "unreachable" in done.text, done.text
    assert "Traceback" not in done.text
    local.up()
