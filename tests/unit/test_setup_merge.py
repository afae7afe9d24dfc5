"""Merging into configuration that people have: nothing of theirs is lost, and broken files are refused by line."""

from __future__ import annotations

import functools
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from onprem_agents.agents import AGENTS, agent_named
from onprem_agents.agents.codex import CODEX as CODEX_CLI
from onprem_agents.agents.config import Wanted
from onprem_agents.agents.machine import Form, Machine
from onprem_agents.errors import InvalidInput
from onprem_agents.setup.installed import Installed
from onprem_agents.setup.jsonc import parse_object
from onprem_agents.setup.merge import merged_text
from onprem_agents.setup.wanted import wanted
from tests.unit.config_corpus import BROKEN, CLAUDE, CODEX, OPENCODE, generated_json, generated_toml
from tests.unit.contract_samples import CONTRACT, contract

_MACHINE = Machine(home=Path("/h"), project=Path("/p"), variables={})
# YAML has a test of its own.
FORMS: dict[str, Form] = {
    agent.name: form for agent in AGENTS if (form := agent.place(_MACHINE, "user").form) != "yaml"
}
CORPUS = [
    *(("opencode", name, text) for name, text in OPENCODE.items()),
    *(("claude", name, text) for name, text in CLAUDE.items()),
    *(("codex", name, text) for name, text in CODEX.items()),
]


@functools.cache
def ours(agent: str) -> Wanted:
    named = agent_named(agent)
    return wanted(contract(), Installed(agent=named, path=f"/bin/{agent}", release=(99, 0, 0)))


GROWN = ("permissions.deny", "enabled_providers", "disabled_providers")


def merge(agent: str, text: str) -> str:
    return merged_text(text.removeprefix("\ufeff"), FORMS[agent], ours(agent), source="it")


def values(agent: str, text: str) -> dict[str, Any]:
    text = text.removeprefix("\ufeff")
    if not text.strip():
        return {}
    return (
        tomllib.loads(text) if FORMS[agent] == "toml" else parse_object(text, strict=FORMS[agent] == "json")
    )


def lost(
    before: Any, after: Any, wanted_values: Any, removed: tuple[tuple[str, ...], ...], path: str = ""
) -> list[str]:
    """Return the paths of the user's values that neither stayed nor are ours to set."""
    if isinstance(before, dict) and isinstance(after, dict):
        gone = []
        for key, value in before.items():
            here = f"{path}.{key}" if path else key
            if key not in after:
                gone += [] if tuple(here.split(".")) in removed else [here]
            else:
                inner = wanted_values.get(key) if isinstance(wanted_values, dict) else None
                gone += lost(value, after[key], inner, removed, here)
        return gone
    if path in GROWN and isinstance(before, list) and isinstance(after, list):
        return [] if after[: len(before)] == before else [path]
    if before == after or (
        wanted_values is not None and not isinstance(wanted_values, dict) and before != after
    ):
        return []
    return [] if path == "permission" and after["*"] == before else [path]


def comments(agent: str, text: str) -> list[str]:
    if FORMS[agent] == "toml":
        return re.findall(r"^\s*#[^\n]*$", re.sub(r'"""[\s\S]*?"""', "", text), re.MULTILINE)
    return re.findall(r"//[^\n]*|/\*[\s\S]*?\*/", re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text))


@pytest.mark.parametrize(("agent", "name", "text"), CORPUS, ids=[f"{row[0]}: {row[1]}" for row in CORPUS])
def test_a_file_keeps_all_that_is_not_ours(agent: str, name: str, text: str) -> None:
    after = merge(agent, text)
    assert lost(values(agent, text), values(agent, after), ours(agent).values, ours(agent).removed) == []
    assert comments(agent, after) == comments(agent, text.removeprefix("\ufeff"))
    assert merge(agent, after) == after, "a second run must change nothing"
    assert ("\r\n" in text) == ("\r\n" in after)
    assert "\n" not in after.replace("\r\n", "") or "\r\n" not in text, name


def _tables(agent: str) -> frozenset[str]:
    return frozenset(key for key, value in ours(agent).values.items() if isinstance(value, dict))


@pytest.mark.parametrize("seed", range(50))
@pytest.mark.parametrize("agent", FORMS)
def test_generated_files_keep_all_that_is_not_ours(agent: str, seed: int) -> None:
    text = (
        generated_toml(seed)
        if FORMS[agent] == "toml"
        else generated_json(seed, comments=FORMS[agent] == "jsonc", tables=_tables(agent))
    )
    after = merge(agent, text)
    assert lost(values(agent, text), values(agent, after), ours(agent).values, ours(agent).removed) == []
    assert comments(agent, after) == comments(agent, text)
    assert merge(agent, after) == after


@pytest.mark.parametrize("agent", FORMS)
def test_every_line_of_a_file_that_is_not_touched_stays_as_it_is(agent: str) -> None:
    text = {
        "jsonc": '{\n  "theme":   "dark",   // wide\n\n\n  "x": [1,\n2]\n}\n',
        "json": '{\n  "theme":   "dark",\n\n\n  "x": [1,\n2]\n}\n',
        "toml": "top   =   1  # wide\n\n\n[ tui ]\n  a=  1\n",
    }[FORMS[agent]]
    kept = merge(agent, text).splitlines()
    assert [line for line in text.splitlines() if line not in kept and f"{line}," not in kept] == []


BROKEN_ROWS = [(form, text, line) for form, rows in BROKEN.items() for text, line in rows]


@pytest.mark.parametrize(
    ("form", "text", "line"), BROKEN_ROWS, ids=[f"{r[0]} {r[1][:20]!a}" for r in BROKEN_ROWS]
)
def test_a_broken_file_is_refused_with_its_line(form: Form, text: str, line: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        merged_text(text, form, Wanted(values={"a": {"b": 1}}), source="settings")
    (problem,) = caught.value.problems
    assert problem.where == f"line {line}"
    assert "nothing was changed" in problem.why


@pytest.mark.parametrize(
    ("form", "text", "where"),
    [
        ("json", '{"env": "x"}', "env"),
        ("json", '{"permissions": {"deny": "all"}}', "permissions.deny"),
        ("jsonc", '{"provider": {"onprem": ["x"]}}', "provider.onprem"),
        ("toml", 'model_providers = "x"\n', "model_providers"),
        ("toml", "[[features]]\na = 1\n", "features"),
    ],
)
def test_another_kind_of_value_in_our_place_is_refused_and_not_replaced(
    form: Form, text: str, where: str
) -> None:
    agents: dict[Form, str] = {"json": "claude", "jsonc": "opencode", "toml": "codex"}
    with pytest.raises(InvalidInput) as caught:
        merge(agents[form], text)
    assert [problem.where for problem in caught.value.problems] == [where]


def test_a_chat_setup_of_codex_becomes_responses_and_loses_its_other_way_to_the_key() -> None:
    after = merge("codex", CODEX["an earlier setup with chat"])
    provider = tomllib.loads(after)["model_providers"]["onprem"]
    assert provider["wire_api"] == "responses"
    assert provider["auth"] == {"command": "sh", "args": ["-c", "cat ~/.config/onprem/key"]}
    assert "env_key" not in provider, "Codex refuses two ways to a key"
    assert 'name = "On-Prem" # ours' in after


def test_a_codex_that_knows_no_key_command_gets_the_variable() -> None:
    old = wanted(contract(), Installed(agent=CODEX_CLI, path="/bin/codex", release=(0, 98, 0)))
    provider = old.values["model_providers"]["onprem"]
    assert (provider["env_key"], "auth" in provider) == ("ONPREM_API_KEY", False)
    assert provider["wire_api"] == "responses", "every release knows it, and only old ones know chat"


def test_a_codex_that_knows_no_list_of_models_gets_the_main_roles_limits() -> None:
    low = {"default": "on", "effort": "low", "efforts": ["low", "high"]}
    told = contract("roles", 0, value=CONTRACT["roles"][0] | {"thinking": low, "namespaceTools": False})
    old = wanted(told, Installed(agent=CODEX_CLI, path="/bin/codex", release=(0, 118, 0)))
    assert "models" not in old.values
    assert "model_catalog_json" not in old.values
    assert old.values["model_context_window"] == 131072
    assert old.values["model_auto_compact_token_limit"] == 104857
    assert old.values["model_reasoning_effort"] == "low"
    assert "agents" not in old.values, (
        "a table of that name holds roles there, and Codex ends at a truth value"
    )
    assert old.values["features"]["multi_agent"] is False
    assert ("profile",) not in old.removed, "it still works there"


def test_what_codex_would_take_for_every_model_gives_way_to_the_list() -> None:
    before = 'profile = "work"\nmodel_context_window = 272000 # mine\n[profiles.work]\nmodel = "gpt-5.6"\n'
    after = tomllib.loads(merge("codex", before))
    assert after["model_catalog_json"] == "onprem-models.json"
    assert after["profiles"] == {"work": {"model": "gpt-5.6"}}, "Codex does not mind it, and it is the user's"
    assert not {"profile", "model_context_window", "model_reasoning_effort"} & set(after)


def test_a_comment_stays_on_the_line_of_the_value_that_it_is_about() -> None:
    before = '{\n  "theme": "dark" // the look\n}\n'
    assert '  "theme": "dark", // the look\n' in merge("opencode", before)


def test_true_is_not_one() -> None:
    assert merged_text('{"a": 1}', "json", Wanted(values={"a": True}), source="it") == '{"a": true}'
