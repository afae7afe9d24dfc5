"""The registry: every field of every agent's object is exercised, and every other list of agents agrees with it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from embedded.gateway.litellm import package as litellm_package
from onprem_agents.agents import (
    AGENTS,
    CLIENTS,
    PROXIES,
    SOFTWARE,
    TARGETS,
    Agent,
    Proxy,
    agent_named,
    target_named,
)
from onprem_agents.agents.claude import CLAUDE, compacts_at_tokens
from onprem_agents.agents.codex import CODEX
from onprem_agents.agents.litellm import LITELLM
from onprem_agents.agents.machine import Machine
from onprem_agents.agents.opencode import OPENCODE
from onprem_agents.catalog import load_catalog
from onprem_agents.contract.limits import output_cap_tokens
from onprem_agents.errors import UnknownFact
from onprem_agents.manifests.endpoints import AGENT_PATHS
from onprem_agents.setup.printed import printed
from tests.agents.machine import UNATTENDED
from tests.agents.scenarios import OWNERS
from tests.expected_agents import EXPECTED
from tests.unit.contract_samples import contract

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
each_agent = pytest.mark.parametrize("agent", AGENTS, ids=[agent.name for agent in AGENTS])


def test_every_name_is_there_once_and_found() -> None:
    names = [target.name for target in TARGETS]
    assert len(set(names)) == len(names) == len(AGENTS) + len(PROXIES) + len(CLIENTS)
    assert all(target_named(target.name) is target for target in TARGETS)
    assert all(agent_named(agent.name) is agent for agent in AGENTS)


def test_a_name_that_is_not_there_offers_the_nearest_one() -> None:
    with pytest.raises(UnknownFact, match="did you mean opencode"):
        agent_named("opencoder")
    with pytest.raises(UnknownFact, match="did you mean litellm"):
        target_named("litelm")
    with pytest.raises(UnknownFact):
        agent_named("ccr")


@each_agent
def test_an_agents_file_says_what_is_expected_of_it(agent: Agent) -> None:
    files = agent.files(contract())
    read: dict[str, Callable[[str], Any]] = {
        "toml": tomllib.loads,
        "yaml": yaml.safe_load,
        "json": json.loads,
    }
    said: dict[str, Any] = {}
    for file, shown in zip(files, printed(contract(), agent), strict=False):
        assert read[file.format](shown.content) == file.values
        assert not said.keys() & file.values.keys(), "a key has one home"
        said |= file.values
    assert said == EXPECTED[agent.name].values


@each_agent
def test_an_agent_starts_in_the_environment_that_is_expected(agent: Agent) -> None:
    assert agent.environment(contract()) == EXPECTED[agent.name].environment


@each_agent
def test_an_agents_files_lie_where_it_reads_them(agent: Agent, tmp_path: Path) -> None:
    machine = Machine(home=tmp_path / "home", project=tmp_path / "work", root=tmp_path / "root", variables={})
    assert set(agent.scopes) == EXPECTED[agent.name].places.keys()
    for scope in agent.scopes:
        places = agent.places(machine, scope)
        found = tuple(str(place.path.relative_to(tmp_path)) for place in places)
        assert found == EXPECTED[agent.name].places[scope]
        assert agent.place(machine, scope) == places[0]
        assert places[0].within == (machine.project if scope == "project" else None)


@each_agent
def test_an_agents_file_of_state_is_told_that_its_first_pages_were_seen(agent: Agent, tmp_path: Path) -> None:
    machine = Machine(home=tmp_path / "home", project=tmp_path / "work", variables={})
    told = agent.introduction(machine) if agent.introduction is not None else None
    found = {} if told is None else {str(told[0].path.relative_to(tmp_path)): told[1]}
    assert found == EXPECTED[agent.name].introduction


@each_agent
def test_a_variable_of_the_agents_own_moves_its_files(agent: Agent) -> None:
    assert (agent.home_variable is None) == (EXPECTED[agent.name].moved is None)
    if agent.home_variable is None:
        return
    machine = Machine(home=Path("/h"), project=Path("/w"), variables={agent.home_variable: "/moved"})
    assert str(agent.place(machine, "user").path) == EXPECTED[agent.name].moved
    relative = Machine(home=Path("/h"), project=Path("/w"), variables={agent.home_variable: "moved"})
    assert agent.place(relative, "user").path.is_relative_to("/h")


@each_agent
def test_an_agent_on_a_machine_names_the_platform_and_where_its_key_lies(agent: Agent) -> None:
    wanted = agent.wanted(contract(), None, None)
    own = EXPECTED[agent.name].environment
    said = own.values | wanted.values
    address: Any = said
    for key in agent.address_at:
        address = address[int(key)] if isinstance(address, list) else address[key]
    assert address in ("https://agents.example.internal", "https://agents.example.internal/v1")
    by_variable = EXPECTED[agent.name].by_variable
    named = [name for name in own.keys if name in json.dumps(said)]
    assert (".config/onprem/key" in json.dumps(said)) != by_variable
    assert by_variable or named == []
    assert wanted.by_variable == by_variable


@each_agent
def test_making_the_wanted_values_leaves_the_printed_ones_alone(agent: Agent) -> None:
    before = agent.files(contract())
    agent.wanted(contract(), None, "/ca.pem")
    assert agent.files(contract()) == before


@each_agent
def test_an_agent_is_asked_for_one_task_without_a_person(agent: Agent) -> None:
    assert agent.headless("p", contract(), Path("/f"), "do it") == EXPECTED[agent.name].headless


@each_agent
def test_half_of_the_least_window_is_too_small(agent: Agent) -> None:
    least = EXPECTED[agent.name].least_context_tokens
    assert agent.limits.least_context_tokens == least

    def obstacle(context_tokens: int) -> str | None:
        cap = output_cap_tokens(context_tokens)
        return agent.obstacle(context_tokens=context_tokens, max_output_tokens=cap, tool_calling=True)

    assert obstacle(least) is None
    assert f"serve at least {least}" in (obstacle(least // 2) or "")


@pytest.mark.parametrize(
    ("context_tokens", "max_output_tokens", "compacts_at"),
    # Seen by running Claude Code 2.1.330 against a scripted server, November 2026.
    [(65536, 32000, 32536), (65536, 8192, 44344), (131072, 8192, 109880), (32768, 4096, 15672)],
)
def test_claude_code_compacts_where_it_was_seen_to(
    context_tokens: int, max_output_tokens: int, compacts_at: int
) -> None:
    assert compacts_at_tokens(context_tokens, max_output_tokens) == compacts_at


def test_opencode_and_codex_compact_where_they_are_told_to() -> None:
    # Seen by running opencode 1.18.33 (60000 of 65536 compacted, 40000 did not) and Codex CLI 0.169.0, November 2026.
    assert OPENCODE.limits.compacts_at(65536, 8192) == 57344
    assert CODEX.limits.compacts_at(65536, 8192) == 52428


def test_the_reason_why_an_agent_does_not_fit_may_stand_in_a_contract() -> None:
    reason = CLAUDE.obstacle(context_tokens=32768, max_output_tokens=4096, tool_calling=True)
    assert reason == (
        "a context of 32768 makes claude compact at 15672 tokens, which leaves no room beside its own first"
        " request of about 22000, serve at least 65536"
    )
    kept = contract("roles", 1, "unsupportedReasons", value={"claude": reason})
    assert kept.small.unsupported_reasons == {"claude": reason}


@each_agent
def test_no_agent_works_without_tool_calling(agent: Agent) -> None:
    reason = agent.obstacle(context_tokens=131072, max_output_tokens=16384, tool_calling=False)
    assert reason == "the model is served without tool calling, so the agent could talk but not edit files"


@each_agent
def test_the_gateway_lets_through_where_an_agent_asks(agent: Agent) -> None:
    assert agent.path in AGENT_PATHS


@each_agent
def test_an_agents_own_words_lead_to_a_cause(agent: Agent) -> None:
    for pattern, cause, _ in agent.says:
        re.compile(pattern)
        assert re.fullmatch("[a-z-]+", cause)


@pytest.mark.parametrize("target", SOFTWARE, ids=[target.name for target in SOFTWARE])
def test_the_release_that_was_tried_is_named_in_full(target: Agent | Proxy) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", target.version)
    assert re.fullmatch(r"2\d{3}-\d{2}-\d{2}", target.tried)
    assert target.package in target.install_command(None)
    assert re.search(rf"[=@]{re.escape(target.version)}( &&|$)", target.install_command(target.version))


@each_agent
def test_the_tests_run_the_release_that_setup_installs(agent: Agent) -> None:
    folder = ROOT / "tests" / "agents"
    if agent.registry == "PyPI":
        pin = f"{agent.package}=={agent.version}"
        assert pin in (folder / "requirements.in").read_text().splitlines()
        assert f"{pin} \\" in (folder / "requirements.txt").read_text().splitlines()
        return
    pins = json.loads((folder / "package.json").read_text())["dependencies"]
    locked = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert pins[agent.package] == agent.version
    assert locked[f"node_modules/{agent.package}"]["version"] == agent.version


def test_the_tests_install_no_agent_that_is_not_known() -> None:
    pins = json.loads((ROOT / "tests" / "agents" / "package.json").read_text())["dependencies"]
    assert set(pins) == {agent.package for agent in AGENTS if agent.registry == "npm"}
    assert set(UNATTENDED) == set(OWNERS) == {agent.name for agent in AGENTS}


def test_the_local_litellm_is_the_release_that_setup_names() -> None:
    assert LITELLM.version == litellm_package.VERSION


def test_the_catalogue_speaks_of_known_agents_alone() -> None:
    named = {name for model in load_catalog().models for name in model.agents}
    assert named <= {agent.name for agent in AGENTS}


def test_every_page_is_about_a_known_agent() -> None:
    heads = {path.read_text().splitlines()[0] for path in (ROOT / "docs" / "agents").glob("*.md")}
    assert heads == {f"# {agent.title} on your own platform" for agent in AGENTS}


def test_a_users_jsonc_wins_over_the_json_that_opencode_reads_before_it(tmp_path: Path) -> None:
    machine = Machine(home=tmp_path, project=tmp_path, variables={})
    (tmp_path / "opencode.jsonc").write_text("{}")
    assert OPENCODE.place(machine, "project").path.name == "opencode.jsonc"
