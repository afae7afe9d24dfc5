"""`onprem-agents use ROLE`: another role with its own limits, kept by every later setup, and taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from onprem_agents.agents import AGENTS
from onprem_agents.agents.chosen import NONE_CHOSEN, ChosenRoles, model_in_use, with_main
from onprem_agents.cli import main
from onprem_agents.setup.merge import read
from tests.unit.contract_samples import CONTRACT, contract, parsed
from tests.unit.platform_server import KEY, Platform
from tests.unit.setup_machine import Onprem, address, everything

pytestmark = pytest.mark.unit

NAMES = [agent.name for agent in AGENTS]
OF_FILES = [f"{name} configuration" for name in ("claude", "codex", "opencode")]


def claude(home: Path) -> Any:
    return json.loads((home / ".claude" / "settings.json").read_text())


def codex(home: Path) -> Any:
    return read((home / ".codex" / "config.toml").read_text(), "toml", "config.toml")


def roles(home: Path) -> Any:
    return json.loads((home / ".config" / "onprem" / "roles.json").read_text())


@pytest.fixture
def set_up(onprem: Onprem, server: Platform) -> Onprem:
    done = onprem("setup", "--host", address(server), ONPREM_API_KEY=KEY)
    assert done.exit_code == 0, done.output
    return onprem


def test_a_role_comes_with_its_own_window_output_cap_and_thinking(set_up: Onprem, home: Path) -> None:
    before = claude(home)["env"]
    assert (before["ANTHROPIC_MODEL"], before["CLAUDE_CODE_MAX_CONTEXT_TOKENS"]) == ("coder", "131072")
    assert before["MAX_THINKING_TOKENS"] == "2048"

    done = set_up("use", "fast")

    assert done.exit_code == 0, done.output
    env = claude(home)["env"]
    assert (env["ANTHROPIC_MODEL"], env["CLAUDE_CODE_MAX_CONTEXT_TOKENS"]) == ("fast", "65536")
    assert env["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == "8192"
    assert "Read(**/*.png)" not in claude(home)["permissions"]["deny"], "fast sees pictures"
    assert codex(home)["model"] == "fast"
    assert json.loads((home / ".config/opencode/opencode.json").read_text())["model"] == "onprem/fast"
    assert roles(home) == dict.fromkeys(NAMES, "fast")


def test_one_agent_is_switched_and_the_others_stay(set_up: Onprem, home: Path) -> None:
    claude_before = claude(home)

    assert set_up("use", "fast", "--agent", "codex").exit_code == 0

    assert codex(home)["model"] == "fast"
    assert claude(home) == claude_before
    assert roles(home) == {"codex": "fast"}


def test_a_later_setup_keeps_the_choice_and_the_main_role_takes_it_back(
    set_up: Onprem, home: Path, server: Platform
) -> None:
    set_up("use", "fast", "--agent", "codex")

    again = set_up("setup", "--host", address(server), ONPREM_API_KEY=KEY)
    assert again.exit_code == 0
    assert "Everything is set up already" in again.stdout
    assert codex(home)["model"] == "fast"

    assert set_up("use", "coder").exit_code == 0
    assert codex(home)["model"] == "coder"
    assert roles(home) == {}


def test_undo_takes_the_choice_back_byte_for_byte(set_up: Onprem, home: Path) -> None:
    before = everything(home)
    set_up("use", "fast")
    assert everything(home) != before

    assert set_up("setup", "--undo").exit_code == 0

    assert everything(home) == before


def test_a_dry_run_writes_nothing(set_up: Onprem, home: Path) -> None:
    before = everything(home)

    done = set_up("use", "fast", "--dry-run")

    assert "would be written; nothing was." in done.stdout
    assert '+    "ANTHROPIC_MODEL": "fast",' in done.stdout
    assert everything(home) == before


def test_a_role_that_an_agent_cannot_work_with_is_refused_with_the_reason(
    set_up: Onprem, home: Path, server: Platform
) -> None:
    small = {
        **CONTRACT["roles"][1],
        "contextTokens": 16384,
        "maxOutputTokens": 2048,
        "compactAtTokens": 13107,
    }
    server.contract_text = server.contract(roles=[CONTRACT["roles"][0], small]).to_json()
    before = everything(home)

    alone = set_up("use", "fast", "--agent", "claude")

    assert alone.exit_code == 1
    assert "claude\n  found: role fast" in alone.stderr
    assert "a context of 16384 makes claude compact at" in alone.stderr
    assert everything(home) == before


def test_of_all_agents_those_that_cannot_work_with_it_keep_theirs(
    set_up: Onprem, home: Path, server: Platform
) -> None:
    fast = {**CONTRACT["roles"][1], "supportedAgents": ["codex"]}
    server.contract_text = server.contract(roles=[CONTRACT["roles"][0], fast]).to_json()
    shell = (home / ".config" / "onprem" / "env.sh").read_bytes()

    done = set_up("use", "fast")

    assert done.exit_code == 0, done.output
    assert "left out claude: the contract does not list claude for this role" in done.stderr
    assert (codex(home)["model"], claude(home)["env"]["ANTHROPIC_MODEL"]) == ("fast", "coder")
    assert roles(home) == {"codex": "fast"}
    assert (home / ".config" / "onprem" / "env.sh").read_bytes() == shell, (
        "the shell keeps what all of them need"
    )


def test_a_role_that_nobody_serves_is_named_with_the_nearest(set_up: Onprem) -> None:
    done = set_up("use", "fasst")

    assert done.exit_code == 1
    assert "the platform serves no role of that name" in done.stderr
    assert "fast" in done.stderr


def test_what_was_never_set_up_is_not_switched(onprem: Onprem, server: Platform, home: Path) -> None:
    nowhere = onprem("use", "fast")
    assert nowhere.exit_code == 1
    assert "run: onprem-agents setup --host NAME" in nowhere.stderr

    onprem("setup", "codex", "--host", address(server), ONPREM_API_KEY=KEY)
    other = onprem("use", "fast", "--agent", "claude")
    assert other.exit_code == 1
    assert "run: onprem-agents setup claude" in other.stderr
    assert onprem("use", "fast").exit_code == 0
    assert roles(home) == {"codex": "fast"}


def test_a_choice_that_the_platform_serves_no_more_gives_way_with_a_note(
    set_up: Onprem, home: Path, server: Platform
) -> None:
    set_up("use", "fast", "--agent", "codex")
    server.contract_text = server.contract(roles=[CONTRACT["roles"][0]], smallRole="coder").to_json()

    done = set_up("setup", "--host", address(server), ONPREM_API_KEY=KEY)

    assert done.exit_code == 0, done.output
    assert (
        "Codex CLI has the main role, coder, and not fast, which you chose: the platform serves no such role"
        in (done.stderr)
    )
    assert codex(home)["model"] == "coder"
    assert roles(home) == {"codex": "fast"}, "it may come back"


def test_a_broken_memory_is_named_and_nothing_is_guessed(
    set_up: Onprem, home: Path, server: Platform
) -> None:
    (home / ".config" / "onprem" / "roles.json").write_text('["fast"]')

    for words in (("use", "fast"), ("setup", "--host", address(server)), ("status",)):
        done = set_up(*words)
        assert done.exit_code == 1
        assert "choose again with onprem-agents use ROLE" in done.stderr


def test_the_doctor_takes_the_chosen_role_for_right(set_up: Onprem) -> None:
    set_up("use", "fast")

    rows = json.loads(set_up("doctor", "--json").stdout)["verdicts"]

    of_configuration = {row["cause"] for row in rows if row["probe"] in OF_FILES}
    assert of_configuration == {"ok"}, rows


def test_uninstall_knows_the_settings_of_a_chosen_role_without_any_record(set_up: Onprem, home: Path) -> None:
    set_up("use", "fast")
    for record in (home / ".local/state/onprem").iterdir():
        for file in record.iterdir():
            file.unlink()
        record.rmdir()

    assert set_up("uninstall").exit_code == 0

    assert not (home / ".config" / "onprem").exists()
    assert not (home / ".codex" / "onprem-models.json").exists()
    assert not any(path.is_file() and b"127.0.0.1" in path.read_bytes() for path in home.rglob("*"))


@pytest.mark.parametrize("agent", AGENTS, ids=NAMES)
@pytest.mark.parametrize("role", ["coder", "fast"])
def test_the_model_in_use_is_found_in_what_setup_would_write(agent: Any, role: str) -> None:
    seen = with_main(contract(), role)
    values, variables = agent.wanted(seen, None, None).values, agent.environment(seen).values

    assert model_in_use(agent, contract(), values, variables) == role


def test_a_model_of_another_provider_is_told_as_it_stands() -> None:
    (opencode,) = (agent for agent in AGENTS if agent.name == "opencode")

    assert model_in_use(opencode, contract(), {"model": "anthropic/claude-fable-5"}, {}) == (
        "anthropic/claude-fable-5"
    )
    assert model_in_use(opencode, contract(), {}, {}) is None


def test_choices_for_agents_that_this_release_does_not_know_count_for_nobody() -> None:
    usable, notes = ChosenRoles(by_agent={"later-agent": "fast"}).usable(parsed(CONTRACT))

    assert (usable, notes) == (NONE_CHOSEN, ())


def test_only_what_the_switch_changes_is_said_again(set_up: Onprem) -> None:
    first = set_up("use", "fast", "--agent", "codex", "--json")
    second = set_up("use", "fast", "--json")

    assert json.loads(first.stdout)["notes"] == [], "setup said its notes when it wrote the files"
    assert json.loads(second.stdout)["notes"] == []
    assert json.loads(second.stdout)["written"] is True
    again = json.loads(set_up("use", "fast", "--json").stdout)
    assert (again["changes"], again["written"]) == ([], False)


@pytest.mark.usefixtures("set_up")
def test_a_shell_completes_the_roles_of_the_last_setup_and_asks_nobody(server: Platform, home: Path) -> None:
    asked = {
        "_ONPREM_AGENTS_COMPLETE": "bash_complete",
        "COMP_WORDS": "onprem-agents use ",
        "COMP_CWORD": "2",
    }
    server.contract_text = None

    def completed() -> list[str]:
        told = CliRunner().invoke(main, prog_name="onprem-agents", env=asked)
        return [line.removeprefix("plain,") for line in told.output.split()]

    assert completed() == ["coder", "fast"]
    (home / ".config/onprem/connection.json").write_text("{")
    assert completed() == []
