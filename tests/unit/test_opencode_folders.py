"""opencode's own folders: nothing is installed where the user installs nothing, and nobody's providers are hidden."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from onprem_agents.agents.config import Wanted
from onprem_agents.agents.kilo import KILO
from onprem_agents.agents.machine import Machine, Scope
from onprem_agents.agents.opencode import OPENCODE
from onprem_agents.setup.jsonc import parse_object
from onprem_agents.setup.merge import merged_text
from tests.unit.contract_samples import contract

pytestmark = pytest.mark.unit


def machine(tmp_path: Path, **variables: str) -> Machine:
    (tmp_path / "repository").mkdir(exist_ok=True)
    return Machine(
        home=tmp_path, project=tmp_path / "repository", root=tmp_path / "root", variables=variables
    )


def made(tmp_path: Path, scope: Scope = "user", **variables: str) -> list[str]:
    files = OPENCODE.premade(machine(tmp_path, **variables), scope)
    return sorted(str(file.path.relative_to(tmp_path)) for file in files)


def merged(tmp_path: Path, text: str, scope: Scope = "user", **variables: str) -> dict[str, Any]:
    present = parse_object(text, strict=False)
    wanted: Wanted = OPENCODE.adapted(
        OPENCODE.wanted(contract(), None, None), present, machine(tmp_path, **variables), scope
    )
    return parse_object(merged_text(text, "jsonc", wanted, source="it"), strict=False)


def test_a_new_user_gets_a_lock_that_lists_the_library_and_the_folder_that_opencode_looks_for(
    tmp_path: Path,
) -> None:
    assert made(tmp_path) == [
        ".config/opencode/node_modules/README",
        ".config/opencode/package-lock.json",
    ]
    (lock,) = (file for file in OPENCODE.premade(machine(tmp_path), "user") if file.path.suffix == ".json")
    assert json.loads(lock.content)["packages"][""]["dependencies"] == {"@opencode-ai/plugin": "*"}


def test_each_folder_that_opencode_would_install_into_gets_its_own(tmp_path: Path) -> None:
    (tmp_path / ".opencode/bin").mkdir(parents=True)  # where opencode's own installer puts the program
    (tmp_path / "repository/.opencode").mkdir(parents=True)
    moved = made(tmp_path, XDG_CONFIG_HOME=str(tmp_path / "x"))
    assert moved == [
        ".opencode/node_modules/README",
        ".opencode/package-lock.json",
        "x/opencode/node_modules/README",
        "x/opencode/package-lock.json",
    ]
    assert made(tmp_path, "project") == [
        "repository/.opencode/node_modules/README",
        "repository/.opencode/package-lock.json",
    ]
    assert made(tmp_path, "managed") == [], "root makes nothing in the folders of people"


@pytest.mark.parametrize("own", ["node_modules", "package.json", "bun.lock", "plugins", "tool"])
def test_a_folder_where_the_user_installs_or_writes_plugins_is_left_alone(own: str, tmp_path: Path) -> None:
    (tmp_path / ".config/opencode" / own).mkdir(parents=True)
    assert made(tmp_path) == []


def test_other_providers_stay_visible(tmp_path: Path) -> None:
    values = merged(tmp_path, '{"provider": {"ollama": {}}, "disabled_providers": ["groq"]}')
    assert "enabled_providers" not in values
    assert values["disabled_providers"] == ["groq", "opencode"]
    assert list(values["provider"]) == ["ollama", "onprem"]


def test_a_list_of_the_users_own_is_joined_and_the_one_of_an_earlier_setup_is_taken_out(
    tmp_path: Path,
) -> None:
    assert merged(tmp_path, '{"enabled_providers": ["ollama"]}')["enabled_providers"] == ["ollama", "onprem"]
    assert "enabled_providers" not in merged(tmp_path, '{"enabled_providers": ["onprem"]}')


def test_a_whole_machine_is_held_to_the_platform(tmp_path: Path) -> None:
    values = merged(tmp_path, '{"enabled_providers": ["onprem"]}', "managed")
    assert values["enabled_providers"] == ["onprem"]
    assert "disabled_providers" not in values


@pytest.mark.parametrize("way", ["login", "variable", "setting"])
def test_who_works_with_opencodes_hosted_models_keeps_them(way: str, tmp_path: Path) -> None:
    variables = {"OPENCODE_API_KEY": "k"} if way == "variable" else {}
    settings: dict[str, Any] = {"disabled_providers": ["opencode"]}  # of an earlier setup
    if way == "setting":
        settings["provider"] = {"opencode": {}}
    if way == "login":
        logins = tmp_path / ".local/share/opencode/auth.json"
        logins.parent.mkdir(parents=True)
        logins.write_text('{"opencode": {"type": "api", "key": "k"}}')
    assert "disabled_providers" not in merged(tmp_path, json.dumps(settings), "user", **variables)


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"anthropic": {}}'])
def test_logins_without_the_hosted_models_keep_them_hidden(text: str, tmp_path: Path) -> None:
    logins = tmp_path / "data/opencode/auth.json"
    logins.parent.mkdir(parents=True)
    logins.write_text(text)
    values = merged(tmp_path, "{}", XDG_DATA_HOME=str(tmp_path / "data"))
    assert values["disabled_providers"] == ["opencode"]


@pytest.mark.parametrize(("variables", "hidden"), [({}, ["kilo"]), ({"KILO_API_KEY": "k"}, None)])
def test_kilos_hosted_models_are_hidden_from_who_has_no_key_for_them(
    variables: dict[str, str], hidden: list[str] | None, tmp_path: Path
) -> None:
    here = machine(tmp_path, **variables)
    wanted = KILO.adapted(KILO.wanted(contract(), None, None), {}, here, "user")
    assert wanted.values.get("disabled_providers") == hidden
    assert list(KILO.premade(here, "user")) == [], "it installs nothing where no plugin is"
    managed = KILO.adapted(KILO.wanted(contract(), None, None), {}, here, "managed")
    assert managed.values["enabled_providers"] == ["onprem"]
    assert not any("opencode" in note for note in managed.notes)


def test_a_role_that_is_gone_or_has_another_name_leaves_the_list(tmp_path: Path) -> None:
    before = {
        "provider": {
            "onprem": {"models": {"old-coder": {"name": "old"}, "coder": {"variants": {}}}},
            "ollama": {"models": {"old-coder": {}}},
        }
    }
    values = merged(tmp_path, json.dumps(before))
    assert list(values["provider"]["onprem"]["models"]) == ["coder", "fast"]
    assert values["provider"]["onprem"]["models"]["coder"]["variants"] == {}, "what the user added stays"
    assert values["provider"]["ollama"] == {"models": {"old-coder": {}}}
