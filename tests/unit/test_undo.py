"""Undo after a real week, and uninstall: what setup wrote goes, and all that came before or later stays."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from onprem_agents.agents import AGENTS, Agent
from onprem_agents.agents.config import Values
from onprem_agents.agents.machine import Machine
from onprem_agents.cli import main
from onprem_agents.setup.kind import Kind
from onprem_agents.setup.merge import read
from onprem_agents.setup.unmerge import without_ours
from tests.unit.config_corpus import CLAUDE, CODEX, OPENCODE
from tests.unit.setup_machine import KEY, Setup, everything

CLAUDES = ".claude/settings.json"
CODEXS = ".codex/config.toml"
OPENCODES = ".config/opencode/opencode.json"
TRUST = '\n[projects."/home/me/later"]\ntrust_level = "trusted"\n'


def uninstalled(*options: str) -> Result:
    result = CliRunner().invoke(main, ["uninstall", "--yes", *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def values_of(text: str) -> Values:
    return read(text.removeprefix("\ufeff"), "jsonc", "it")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def pick_a_model(path: Path) -> None:
    """Do what Claude Code does when a model is picked: the whole file is written anew, the choice at its end."""
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "model": "opus"}, indent=2) + "\n")


def trust_a_folder(path: Path) -> None:
    """Do what Codex does when a folder is trusted: a table more."""
    path.write_text(path.read_text() + TRUST)


OWN = {
    "json": '{\n    "mine": {"kept": true}\n}',
    "jsonc": '// of mine\n{"mine": [1, 2,], /* kept */}\n',
    "toml": "mine = 1 # kept\n\n[table]\nof = 'mine'\n",
    "yaml": "# of mine\nmine:   {kept: yes}\n",
}


@pytest.mark.parametrize("agent", AGENTS, ids=[agent.name for agent in AGENTS])
def test_every_file_of_an_agent_comes_back_byte_for_byte(agent: Agent, run_setup: Setup, home: Path) -> None:
    machine = Machine(home=home, project=Path.cwd(), variables={})
    for place in agent.places(machine, "user"):
        place.path.parent.mkdir(parents=True, exist_ok=True)
        place.path.write_text(OWN[place.form])
    before = everything(home)

    assert run_setup(agent.name, ONPREM_API_KEY=KEY).exit_code == 0
    assert all("mine" in place.path.read_text() for place in agent.places(machine, "user"))
    assert everything(home) != before
    assert run_setup("--undo").exit_code == 0

    assert everything(home) == before


def test_what_the_agents_wrote_since_stays_alone_in_an_empty_home(run_setup: Setup, home: Path) -> None:
    run_setup(ONPREM_API_KEY=KEY)
    pick_a_model(home / CLAUDES)
    trust_a_folder(home / CODEXS)
    (home / ".bashrc").write_text((home / ".bashrc").read_text() + "alias ll='ls -l'\n")
    (home / ".config/onprem/key").write_text("onprem-another-key-by-now\n")

    result = run_setup("--undo")

    assert result.exit_code == 0, result.stderr
    left = {name: content.decode() for name, (_, content) in everything(home).items() if content}
    assert left == {
        CLAUDES: '{\n  "model": "opus"\n}\n',
        CODEXS: TRUST.lstrip("\n"),
        ".bashrc": "alias ll='ls -l'\n",
    }


@pytest.mark.parametrize("name", CODEX)
def test_a_users_own_codex_file_comes_back_with_the_trust_that_codex_added(
    name: str, run_setup: Setup, home: Path
) -> None:
    write(home / CODEXS, CODEX[name])
    assert run_setup("codex", ONPREM_API_KEY=KEY).exit_code == 0
    trust_a_folder(home / CODEXS)

    assert run_setup("--undo").exit_code == 0

    trust = {"/home/me/later": {"trust_level": "trusted"}}
    before = tomllib.loads(CODEX[name])
    after = tomllib.loads((home / CODEXS).read_text())
    assert after == {**before, "projects": {**before.get("projects", {}), **trust}}
    assert all(line in (home / CODEXS).read_text() for line in CODEX[name].splitlines())


@pytest.mark.parametrize("name", CLAUDE)
def test_a_users_own_claude_file_comes_back_with_the_model_that_was_picked(
    name: str, run_setup: Setup, home: Path
) -> None:
    write(home / CLAUDES, CLAUDE[name])
    assert run_setup("claude", ONPREM_API_KEY=KEY).exit_code == 0
    pick_a_model(home / CLAUDES)

    assert run_setup("--undo").exit_code == 0

    before = json.loads(CLAUDE[name]) if CLAUDE[name].strip() else {}
    assert json.loads((home / CLAUDES).read_text()) == {**before, "model": "opus"}


@pytest.mark.parametrize("name", OPENCODE)
def test_a_users_own_opencode_file_keeps_a_later_server_and_its_comments(
    name: str, run_setup: Setup, home: Path
) -> None:
    path = home / OPENCODES.replace(".json", ".jsonc")
    write(path, OPENCODE[name])
    assert run_setup("opencode", ONPREM_API_KEY=KEY).exit_code == 0
    written = path.read_text()
    path.write_text(written.replace("{", '{\n  "later": true,', 1))

    assert run_setup("--undo").exit_code == 0

    assert '"later": true' in path.read_text()
    assert values_of(path.read_text()) == {"later": True, **values_of(OPENCODE[name])}
    comments = [line.strip() for line in OPENCODE[name].splitlines() if line.strip().startswith("//")]
    assert all(comment in path.read_text() for comment in comments)


def test_a_value_of_ours_that_the_user_changed_is_the_users(run_setup: Setup, home: Path) -> None:
    write(home / CLAUDES, '{"env": {"ANTHROPIC_MODEL": "mine", "MAX_THINKING_TOKENS": "9"}}\n')
    run_setup("claude", ONPREM_API_KEY=KEY)
    values = json.loads((home / CLAUDES).read_text())
    values["env"]["API_TIMEOUT_MS"] = "7"
    values["permissions"]["deny"].append("Read(.env)")
    (home / CLAUDES).write_text(json.dumps(values))

    run_setup("--undo")

    assert json.loads((home / CLAUDES).read_text()) == {
        "env": {"ANTHROPIC_MODEL": "mine", "MAX_THINKING_TOKENS": "9", "API_TIMEOUT_MS": "7"},
        "permissions": {"deny": ["Read(.env)"]},
    }


def test_a_setting_that_setup_took_out_comes_back(run_setup: Setup, home: Path) -> None:
    write(home / CODEXS, 'profile = "work"\nmodel = "mine"\n\n[profiles.work]\nmodel = "x"\n')
    run_setup("codex", ONPREM_API_KEY=KEY)
    assert "profile =" not in (home / CODEXS).read_text()
    trust_a_folder(home / CODEXS)

    run_setup("--undo")

    after = tomllib.loads((home / CODEXS).read_text())
    assert (after["profile"], after["model"]) == ("work", "mine")


def test_two_runs_and_a_week_between_them_are_undone_one_by_one(run_setup: Setup, home: Path) -> None:
    run_setup("codex", ONPREM_API_KEY=KEY)
    trust_a_folder(home / CODEXS)
    run_setup("claude", ONPREM_API_KEY=KEY)
    pick_a_model(home / CLAUDES)

    assert run_setup("--undo").exit_code == 0
    assert json.loads((home / CLAUDES).read_text()) == {"model": "opus"}
    assert run_setup("--undo").exit_code == 0
    assert (home / CODEXS).read_text() == TRUST.lstrip("\n")


def test_a_file_that_is_broken_by_now_keeps_all_as_it_is(run_setup: Setup, home: Path) -> None:
    run_setup(ONPREM_API_KEY=KEY)
    (home / CODEXS).write_text("[broken\n")
    before = everything(home)

    result = run_setup("--undo")

    assert (result.exit_code, everything(home)) == (1, before)
    assert "what setup wrote cannot be told from what came later" in result.stderr
    assert "line 1" in result.stderr
    assert run_setup("--undo", "--force").exit_code == 0
    assert everything(home) == {}


def test_a_record_holds_no_copy_of_the_key(run_setup: Setup, home: Path) -> None:
    run_setup(ONPREM_API_KEY=KEY)
    history = everything(home / ".local/state/onprem")
    assert history
    assert not any(KEY.encode() in content for _, content in history.values())


@pytest.mark.parametrize(
    ("kind", "text"), [("json", '{"a": 1}'), ("jsonc", "// mine\n{}"), ("toml", "# mine\n"), ("lines", "x\n")]
)
def test_what_is_not_ours_is_never_an_empty_file(kind: Kind, text: str) -> None:
    assert without_ours(text, None, "", kind, source="it") == text


def test_uninstall_takes_everything_and_leaves_the_week(run_setup: Setup, home: Path) -> None:
    write(home / ".bashrc", "export MINE=1\n")
    run_setup("codex", ONPREM_API_KEY=KEY)
    run_setup("claude", ONPREM_API_KEY="onprem-another-key-0123456789")
    trust_a_folder(home / CODEXS)

    result = uninstalled()

    assert result.exit_code == 0, result.output
    left = {name: content.decode() for name, (_, content) in everything(home).items() if content}
    assert left == {CODEXS: TRUST.lstrip("\n"), ".bashrc": "export MINE=1\n"}
    assert not (home / ".config").exists()
    assert not (home / ".local").exists()
    assert uninstalled().output == "There is nothing to uninstall.\n"


def test_uninstall_works_where_the_history_is_gone(run_setup: Setup, home: Path) -> None:
    write(home / CLAUDES, '{"mine": true}\n')
    write(home / ".bashrc", "export MINE=1\n")
    run_setup(ONPREM_API_KEY=KEY)
    shutil.rmtree(home / ".local")

    result = uninstalled()

    assert result.exit_code == 0, result.output
    left = {name: content.decode() for name, (_, content) in everything(home).items() if content}
    assert json.loads(left.pop(CLAUDES)) == {"mine": True}
    assert left == {".bashrc": "export MINE=1\n"}


def test_a_dry_run_of_uninstall_only_tells(run_setup: Setup, home: Path) -> None:
    run_setup(ONPREM_API_KEY=KEY)
    before = everything(home)

    told = json.loads(uninstalled("--dry-run", "--json").output)

    assert everything(home) == before
    assert str(home / CLAUDES) in told["paths"]
    assert told["written"] is False


def test_uninstall_leaves_what_setup_did_not_write(run_setup: Setup, home: Path) -> None:
    run_setup(ONPREM_API_KEY=KEY)
    (home / ".config/onprem/notes").write_text("mine")

    result = uninstalled()

    assert f"left {home}/.config/onprem/notes: setup did not write it" in result.output
    assert (home / ".config/onprem/notes").read_text() == "mine"
