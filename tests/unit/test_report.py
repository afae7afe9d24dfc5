"""`onprem-agents report`: one set of values, told as text and as JSON, and what a platform cannot do."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from onprem_agents.cli import main, report_checks
from onprem_agents.cli.report_limits import limits
from onprem_agents.cli.report_text import lines
from onprem_agents.cli.report_values import StackValues, values_of
from onprem_agents.manifests import render
from onprem_agents.plan import plan_stack_file
from policy.table import POLICIES

STACKS = Path(__file__).parents[2] / "stacks"
TEAM = plan_stack_file(STACKS, "team")
VALUES = values_of(TEAM)
OBJECTS = len(render(TEAM))


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["report", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_the_text_says_who_works_on_what_and_what_the_platform_cannot_do() -> None:
    code, out, err = run("team", "--stacks", str(STACKS))

    assert (code, err) == (0, "")
    # 2 GPUs for coder and 1 for fast, of 2 nodes with 4 each.
    assert out.startswith("Stack team: 20 developers on 2 nodes with 4 × H100, 3 of 8 GPUs used\n")
    assert f"{TEAM.main.sessions} sessions of 131,072 tokens at once; about " in out
    assert f"{len(POLICIES)} of {len(POLICIES)} passed on {OBJECTS} objects" in out
    assert "What it cannot do:\n  - " in out


def test_json_holds_the_same_values() -> None:
    code, out, _ = run("team", "--stacks", str(STACKS), "--json")
    told = json.loads(out)

    assert code == 0
    assert told["hardware"][0]["gpus"] == 8
    assert told["teams"] == [{"name": "platform", "developers": 5}, {"name": "product", "developers": 15}]
    assert [server["role"] for server in told["servers"]] == ["coder", "fast"]
    assert told["limits"] == list(limits(VALUES))
    assert sum(len(each["names"]) for each in told["objects"]) == OBJECTS
    assert {verdict["findings"] == [] for verdict in told["verdicts"]} == {True}
    assert [hop["seconds"] for hop in told["hops"]] == sorted(hop["seconds"] for hop in told["hops"])


def test_what_a_public_benchmark_says_of_a_model_stands_beside_it_with_who_measured() -> None:
    figure = TEAM.main.model.quality[0]
    text = "\n".join(lines(VALUES, report_checks.checks_of(TEAM)))

    assert f"{figure.benchmark} {figure.score:g} %, measured by " in text
    assert text.splitlines()[3] == f"    {VALUES.main.quality}"


def test_the_terms_of_a_server_s_memory_add_up_to_its_gpu() -> None:
    for server in VALUES.servers:
        assert sum(term.gib for term in server.memory.terms) == pytest.approx(server.memory.total_gib)


def test_sessions_are_fewer_the_longer_they_are_and_as_planned_at_the_planned_length() -> None:
    for server in VALUES.servers:
        held = {point.context_tokens: point.sessions for point in server.by_context}
        assert held[server.context_tokens] == server.sessions
        assert list(held.values()) == sorted(held.values(), reverse=True)
        assert min(held) == 8192
    # The model's own limit, max_position_embeddings of Qwen3.6-27B.
    assert VALUES.main.by_context[-1].context_tokens == 262_144


def test_a_context_that_does_not_fit_is_no_point() -> None:
    main_server = values_of(plan_stack_file(STACKS, "local")).main

    # An L40S has 44.3 GiB, the weights take 29.6 of them, and a session of 262,144 tokens 16 more in BF16.
    assert [point.context_tokens for point in main_server.by_context][-1] < 262_144


def test_each_developer_gets_less_and_waits_longer_the_more_are_at_work() -> None:
    for server in VALUES.servers:
        speeds = [each.tokens_per_second_per_developer for each in server.by_developers]
        waits = [each.first_token_seconds_cold_30k for each in server.by_developers]
        assert [each.developers for each in server.by_developers] == list(range(1, 41)), "a team may double"
        assert speeds == sorted(speeds, reverse=True)
        assert waits == sorted(waits)
        assert (server.by_developers[0], server.by_developers[19]) == (server.alone, server.together)


def test_more_developers_than_sessions_is_a_limit_that_is_told_first() -> None:
    held = VALUES.main.sessions
    crowded = replace(VALUES, developers=held + 1)

    assert limits(crowded)[0].startswith(f"coder holds {held} sessions of 131,072 tokens at once")
    assert not any("developers wait" in limit for limit in limits(VALUES))


def _with_agent(values: StackValues, obstacles: tuple[str | None, ...]) -> StackValues:
    servers = tuple(
        replace(server, agents=(replace(server.agents[0], obstacle=obstacle), *server.agents[1:]))
        for server, obstacle in zip(values.servers, obstacles, strict=True)
    )
    return replace(values, servers=servers)


def test_an_agent_that_no_role_serves_is_a_limit_and_one_that_a_role_serves_is_none() -> None:
    told = "opencode works with none of the roles: too small."

    assert told in limits(_with_agent(VALUES, ("too small", "too small")))
    assert told not in limits(_with_agent(VALUES, ("too small", None)))


def test_only_the_agents_that_developers_use_are_told() -> None:
    access = TEAM.settings.access.model_copy(update={"agents": ("claude", "opencode")})
    fewer = replace(TEAM, settings=TEAM.settings.model_copy(update={"access": access}))
    nobody = replace(
        TEAM,
        settings=TEAM.settings.model_copy(update={"access": access.model_copy(update={"agents": ()})}),
    )

    assert [agent.name for agent in values_of(fewer).main.agents] == ["opencode", "claude"]
    text = "\n".join(lines(values_of(nobody), report_checks.checks_of(TEAM)))
    assert "Agents:" not in text


@pytest.mark.parametrize(
    ("images", "told"),
    [
        ((False, False), "No model takes images"),
        ((True, False), "Images can be shown to coder alone"),
        ((True, True), None),
    ],
)
def test_images_that_no_model_or_only_some_take_are_a_limit(
    images: tuple[bool, bool], told: str | None
) -> None:
    servers = tuple(replace(each, images=seen) for each, seen in zip(VALUES.servers, images, strict=True))
    found = [limit for limit in limits(replace(VALUES, servers=servers)) if "mages" in limit]

    assert [limit.startswith(told or "") for limit in found] == ([] if told is None else [True])


def test_a_model_that_goes_away_for_an_update_says_so_with_a_time() -> None:
    # One L4 is all there is, so the old server must go before the new one starts.
    told = limits(values_of(plan_stack_file(STACKS, "24gb")))

    assert any(
        re.match(
            r"coder is away while a new version of it loads, about \d+ (min|s) \(cold, with its download\)\.",
            one,
        )
        for one in told
    )


def test_without_the_policy_pack_the_verdicts_are_missing_and_the_text_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report_checks, "installed_rules", lambda: None)
    checks = report_checks.checks_of(TEAM)

    assert checks.verdicts is None
    assert "Policies: not asked: the policy pack is not installed" in "\n".join(lines(VALUES, checks))


def test_what_a_policy_finds_is_told() -> None:
    shortened = replace(TEAM, timeouts=replace(TEAM.timeouts, gateway_seconds=30))
    checks = report_checks.checks_of(shortened)

    assert checks.verdicts is not None
    assert [verdict.policy for verdict in checks.verdicts if verdict.findings] == ["timeouts-are-monotonic"]
    passed = f"{len(POLICIES) - 1} of {len(POLICIES)} passed on {OBJECTS} objects"
    assert f"{passed}; not timeouts-are-monotonic" in "\n".join(lines(VALUES, checks))


def test_an_unknown_stack_ends_in_a_sentence_with_the_nearest_name() -> None:
    code, out, err = run("taem", "--stacks", str(STACKS))

    assert (code, out) == (1, "")
    assert "did you mean team?" in err


TOO_LARGE = """
config:
  onprem-coding-agents:platform:
    hardware: {accelerator: L4}
    models: [{role: coder, model: Qwen/Qwen3.6-27B-FP8}]
    access: {host: agents.example, tls: {issuer: ca}, developers: {alice: {}}}
"""


def test_a_stack_that_does_not_fit_is_refused_as_plan_refuses_it(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.large.yaml").write_text(TOO_LARGE)
    planned = CliRunner().invoke(main, ["plan", "large", "--stacks", str(tmp_path)])

    code, out, err = run("large", "--stacks", str(tmp_path))

    assert (code, out, err) == (1, "", planned.stderr)
    assert "platform.models[0]" in err
