"""A developer's key in the stack config stays in the cluster: nothing else ever shows it, in any form."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from onprem_agents.cli.render import yaml_of
from onprem_agents.manifests import render
from onprem_agents.plan import plan_stack_file
from tests.cluster.end_to_end.checkout import Checkout
from tests.cluster.end_to_end.conftest import CANARY, FirstUp
from tests.cluster.end_to_end.sampling import Sampler, forms, holders


@pytest.fixture
def after_a_hard_day(local: Checkout, first_up: FirstUp) -> tuple[Sampler, str]:
    """Refresh, fail a preview, print everything that can be printed; return who saw what, and the output."""
    platform = local.platform()
    commands = (
        ("refresh", "--yes", "--skip-preview", "--stack", "local"),
        ("preview", "--stack", "local", "--json"),
        ("stack", "output", "--json", "--stack", "local"),
        ("stack", "export", "--stack", "local"),
        ("up", "--yes", "--stack", "local", "--policy-pack", "policy"),
    )
    with Sampler(first_up.canary) as sampler:
        texts = [local.pulumi(*command).text for command in commands]
        local.write_stack("local", {**platform, "translatoin": "native"})
        try:
            failed = local.pulumi("preview", "--stack", "local", "--policy-pack", "policy")
            texts += [failed.text, local.dev("up").text]
        finally:
            local.write_stack("local", platform)
        texts += [local.dev("status").text, local.dev("status", "--json").text]
    assert failed.code != 0
    return sampler, "\n".join([first_up.outcome.text, *texts])


def test_the_search_finds_a_secret_in_plain_text_and_inside_of_base64(tmp_path: Path) -> None:
    for number in range(3):
        text = base64.b64encode(b"x" * number + CANARY.encode() + b"more")
        (tmp_path / f"base64-{number}").write_bytes(b"key: " + text)
    (tmp_path / "plain").write_text(f"key: {CANARY}")
    (tmp_path / "other").write_text("key: nothing")

    assert {file.name for file in holders(tmp_path, CANARY)} == {"plain", "base64-0", "base64-1", "base64-2"}


def test_the_canary_shows_nowhere_but_in_the_cluster(
    local: Checkout, first_up: FirstUp, after_a_hard_day: tuple[Sampler, str]
) -> None:
    canary = first_up.canary
    sampler, text = after_a_hard_day

    assert local.key("alice") == canary, "the key does reach the cluster"
    printed = [form for form in forms(canary) if form in text.encode()]
    assert printed == []
    assert holders(local.layout.state, canary) == [], "state, backups, history, logs, etcd"
    assert holders(local.layout.checkout, canary) == [], "stack files, rendered or written"
    rendered = yaml_of(render(plan_stack_file(local.layout.checkout / "stacks", "local"))).encode()
    assert [form for form in forms(canary) if form in rendered] == []
    for watched in (first_up.sampler, sampler):
        assert watched.seen == set(), "no process shows it in its arguments or environment"
        assert any("pulumi up" in command for command in watched.commands), "the engine was looked at"
        assert any("pulumi.policy" in command for command in watched.commands), "and so was the policy pack"
