"""`onprem-agents status`: what is known of platform, roles, agents and key, and nothing that no gateway told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from onprem_agents.agents import AGENTS
from tests.unit.contract_samples import CONTRACT
from tests.unit.platform_server import KEY, Platform
from tests.unit.setup_machine import OTHER, Onprem, address

pytestmark = pytest.mark.unit

NAMES = [agent.name for agent in AGENTS]


@pytest.fixture
def set_up(onprem: Onprem, server: Platform) -> Onprem:
    done = onprem("setup", "--host", address(server), ONPREM_API_KEY=KEY)
    assert done.exit_code == 0, done.output
    return onprem


def told(onprem: Onprem, *, code: int = 0) -> Any:
    done = onprem("status", "--json")
    assert done.exit_code == code, done.output
    data = json.loads(done.stdout)
    assert data["exitCode"] == code
    assert KEY not in done.output
    return data


def agent(data: Any, name: str) -> Any:
    (found,) = (row for row in data["agents"] if row["agent"] == name)
    return found


def test_platform_roles_agents_and_key_are_told(set_up: Onprem, server: Platform, home: Path) -> None:
    set_up("use", "fast", "--agent", "codex")

    data = told(set_up)

    assert data["platform"]["url"] == f"{address(server)}/v1"
    assert data["platform"]["reachable"] is True
    assert any("#coding-agents" in line for line in data["platform"]["support"])
    windows = {role["role"]: (role["contextTokens"], role["maxOutputTokens"]) for role in data["roles"]}
    assert windows == {"coder": (131072, 16384), "fast": (65536, 8192)}
    assert data["roles"][0]["agents"] == NAMES
    assert {name: agent(data, name)["role"] for name in ("claude", "codex")} == {
        "claude": "coder",
        "codex": "fast",
    }
    assert {name: agent(data, name)["chosen"] for name in ("claude", "codex")} == {
        "claude": None,
        "codex": "fast",
    }
    assert data["key"] == {
        "source": f"the file {home / '.config/onprem/key'}",
        "state": "ok",
        "evidence": "the gateway takes the key",
        "owner": None,
        "expires": None,
    }
    assert data["quota"] == {}
    assert {path for path, _, _ in server.seen} == set(), "nothing is asked of a model, so no token is spent"


def test_what_the_gateway_does_not_tell_is_said_and_not_made_up(set_up: Onprem) -> None:
    text = set_up("status").stdout

    assert "whose: the gateway does not tell; until when: the gateway does not tell" in text
    assert text.splitlines()[-1] == "quota     the gateway does not tell"
    assert (
        "coder (main): Qwen/Qwen3.6-27B-FP8, window 131,072 tokens, answers up to 16,384, thinking on; for "
        in text
    )


def test_what_the_gateway_tells_in_headers_is_passed_on_by_its_own_names(
    set_up: Onprem, server: Platform
) -> None:
    server.headers = {
        "x-client-id": "alice",
        "x-api-key-expires": "2027-01-31T00:00:00Z",
        "x-ratelimit-limit-requests": "100",
        "x-ratelimit-remaining-requests": "42",
        "RateLimit": '"hour";r=50;t=30',
        "anthropic-ratelimit-tokens-remaining": "9000",
        "x-litellm-key-spend": "1.25",
        "expires": "0",
        "x-envoy-upstream-service-time": "3",
    }

    data = told(set_up)

    assert (data["key"]["owner"], data["key"]["expires"]) == ("alice", "2027-01-31T00:00:00Z")
    assert data["quota"] == {
        "x-ratelimit-limit-requests": "100",
        "x-ratelimit-remaining-requests": "42",
        "ratelimit": '"hour";r=50;t=30',
        "anthropic-ratelimit-tokens-remaining": "9000",
        "x-litellm-key-spend": "1.25",
    }


def test_a_gateway_that_repeats_the_key_does_not_make_it_seen(set_up: Onprem, server: Platform) -> None:
    server.headers = {"x-client-id": f"alice {KEY}", "x-quota-of": KEY}

    told(set_up)


def test_a_refused_key_is_told_with_the_fix(set_up: Onprem, home: Path) -> None:
    (home / ".config/onprem/key").write_text(f"{OTHER}\n")

    assert told(set_up, code=1)["key"]["state"] == "key-refused"
    assert "get a key from the platform team: ask platform@example.com" in set_up("status").stdout


def test_without_a_key_the_rest_is_told_all_the_same(set_up: Onprem, home: Path) -> None:
    (home / ".config/onprem/key").unlink()

    data = told(set_up, code=1)

    assert (data["key"]["state"], data["key"]["source"]) == ("missing", None)
    assert data["platform"]["reachable"] is True
    assert (
        "key       there is none; ask platform@example.com, then: onprem-agents setup --key-file FILE"
        in set_up("status").stdout
    )


def test_out_of_reach_the_last_setup_is_told_and_the_exit_code_is_3(set_up: Onprem, server: Platform) -> None:
    server.contract_text = None
    server.shutdown()
    server.server_close()

    data = told(set_up, code=3)

    assert (data["platform"]["reachable"], data["key"]["state"]) == (False, "untried")
    assert [role["role"] for role in data["roles"]] == ["coder", "fast"]
    assert "NOT in reach; the rest is as of the last setup" in set_up("status").stdout


def test_a_machine_that_was_never_set_up_is_told_how(onprem: Onprem) -> None:
    done = onprem("status", "--json")

    assert done.exit_code == 1
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["fix"] == "run: onprem-agents setup --host NAME"


def test_an_agent_with_a_model_that_nobody_serves_is_named(set_up: Onprem, home: Path) -> None:
    file = home / ".claude" / "settings.json"
    settings = json.loads(file.read_text())
    settings["env"]["ANTHROPIC_MODEL"] = "claude-opus-9"
    file.write_text(json.dumps(settings))

    found = agent(told(set_up, code=1), "claude")

    assert (found["model"], found["role"], found["setUp"]) == ("claude-opus-9", None, True)
    assert (
        "claude: the model claude-opus-9, which is no role; onprem-agents setup --host"
        in set_up("status").stdout
    )


def test_a_role_that_the_developer_wrote_by_hand_is_told_beside_that_of_setup(
    set_up: Onprem, home: Path
) -> None:
    file = home / ".claude" / "settings.json"
    file.write_text(file.read_text().replace('"ANTHROPIC_MODEL": "coder"', '"ANTHROPIC_MODEL": "fast"'))

    assert agent(told(set_up), "claude")["role"] == "fast"
    assert "claude: fast, setup would write coder" in set_up("status").stdout


def test_agents_that_are_not_set_up_are_told_where_they_are_installed(
    onprem: Onprem, server: Platform, bin_folder: Path
) -> None:
    (bin_folder / "claude").unlink()
    onprem("setup", "codex", "--host", address(server), ONPREM_API_KEY=KEY)

    text = onprem("status").stdout

    assert "codex: coder\n" in text
    assert "opencode: not set up; onprem-agents setup opencode" in text
    assert "claude:" not in text.partition("agents    ")[2]
    assert onprem("status").exit_code == 0


def test_a_platform_where_a_role_serves_nobody_says_so(set_up: Onprem, server: Platform) -> None:
    fast = {**CONTRACT["roles"][1], "supportedAgents": [], "unsupportedReasons": {}}
    server.contract_text = server.contract(roles=[CONTRACT["roles"][0], fast]).to_json()

    assert told(set_up)["roles"][1]["agents"] == []
    assert (
        "fast (small calls): google/gemma-4-E4B-it, window 65,536 tokens, answers up to 8,192; for no agent"
        in (set_up("status").stdout)
    )
