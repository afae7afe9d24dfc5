"""`onprem-agents setup` on a machine: what it writes where, keeps, shows, undoes, and no key about."""

from __future__ import annotations

import json
import os
import stat
import tomllib
from pathlib import Path

import pytest

from onprem_agents import files
from onprem_agents.agents import AGENTS
from onprem_agents.setup import journal
from tests.expected_agents import EXPECTED
from tests.unit.config_corpus import CLAUDE, CODEX, OPENCODE
from tests.unit.contract_samples import CONTRACT
from tests.unit.setup_machine import KEY, OTHER, Setup, everything
from tests.unit.test_smoke_wire import self_signed

PREMADE = ("package-lock.json", "node_modules/README")


def written(scope: str) -> set[str]:
    """Return the files that setup writes for all agents in a scope."""
    return {name for expected in EXPECTED.values() for name in expected.written(scope)}


def test_an_empty_home_gets_all_agents_and_one_key_file(run_setup: Setup, home: Path) -> None:
    result = run_setup(ONPREM_API_KEY=KEY)
    assert result.exit_code == 0, result.output
    files = {name: content for name, (_, content) in everything(home).items() if content}
    assert {name for name in files if not name.startswith(".local")} == {
        ".bashrc",
        ".config/onprem/connection.json",
        ".config/onprem/env.sh",
        ".config/onprem/key",
        *(name.removeprefix("home/") for name in written("user")),
        *(f".config/opencode/{name}" for name in PREMADE),
    }
    assert [name for name, content in files.items() if KEY.encode() in content] == [".config/onprem/key"]
    assert stat.S_IMODE((home / ".config/onprem/key").stat().st_mode) == 0o600
    claude = json.loads(files[".claude/settings.json"])
    assert claude["apiKeyHelper"] == "cat ~/.config/onprem/key"
    assert claude["env"]["ANTHROPIC_BASE_URL"] == "https://agents.example.internal"
    assert claude["env"]["ANTHROPIC_AUTH_TOKEN"] == "", "an empty entry beats a stale token of the shell"
    opencode = json.loads(files[".config/opencode/opencode.json"])
    assert opencode["provider"]["onprem"]["options"]["apiKey"] == "{file:~/.config/onprem/key}"
    codex = tomllib.loads(files[".codex/config.toml"].decode())
    assert codex["model_providers"]["onprem"]["auth"]["args"] == ["-c", "cat ~/.config/onprem/key"]


def test_the_files_of_users_come_back_byte_for_byte(run_setup: Setup, home: Path) -> None:
    for path, text, mode in (
        (".claude/settings.json", CLAUDE["hooks and permissions"], 0o640),
        (".codex/config.toml", CODEX["comments and an array of tables"], 0o600),
        (".config/opencode/opencode.jsonc", OPENCODE["comments"], 0o644),
        (".bashrc", "alias ll='ls -l'", 0o644),
    ):
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text)
        (home / path).chmod(mode)
    before = everything(home)
    assert run_setup(ONPREM_API_KEY=KEY).exit_code == 0
    assert (home / ".config/opencode/opencode.jsonc").read_text() != OPENCODE["comments"]
    assert not (home / ".config/opencode/opencode.json").exists(), "the .jsonc wins, so it is the one to edit"
    assert stat.S_IMODE((home / ".claude/settings.json").stat().st_mode) == 0o640
    result = run_setup("--undo")
    assert (result.exit_code, everything(home)) == (0, before)


def test_undo_leaves_an_empty_home_empty(run_setup: Setup, home: Path) -> None:
    run_setup(ONPREM_API_KEY=KEY)
    assert run_setup("--undo").exit_code == 0
    assert everything(home) == {}
    assert run_setup("--undo").output == "There is nothing to undo.\n"


def test_two_runs_are_undone_one_by_one(run_setup: Setup, home: Path) -> None:
    run_setup(ONPREM_API_KEY=KEY)
    first = {name: row for name, row in everything(home).items() if ".local" not in name}
    moved = json.dumps({**CONTRACT, "timeouts": {**CONTRACT["timeouts"], "streamIdleSeconds": 1200}})
    run_setup(contract=moved, ONPREM_API_KEY=OTHER)
    assert (home / ".config/onprem/key").read_text() == f"{OTHER}\n"
    run_setup("--undo")
    assert {name: row for name, row in everything(home).items() if ".local" not in name} == first
    run_setup("--undo")
    assert everything(home) == {}


def test_a_second_run_changes_nothing(run_setup: Setup, home: Path) -> None:
    run_setup(ONPREM_API_KEY=KEY)
    before = everything(home)
    result = run_setup()
    assert "Everything is set up already" in result.output
    assert everything(home) == before


def test_a_dry_run_shows_the_difference_and_writes_nothing(run_setup: Setup, home: Path) -> None:
    result = run_setup("--dry-run", ONPREM_API_KEY=KEY)
    assert everything(home) == {}
    assert '+    "ANTHROPIC_MODEL": "coder",' in result.output
    assert f"{len(written('user')) + len(PREMADE) + 4} files would be written; nothing was." in result.output


def test_one_broken_file_keeps_all_from_being_written(run_setup: Setup, home: Path) -> None:
    (home / ".codex").mkdir()
    (home / ".codex/config.toml").write_text('model = "x"\n[tui\n')
    before = everything(home)
    result = run_setup(ONPREM_API_KEY=KEY)
    assert (result.exit_code, everything(home)) == (1, before)
    assert "config.toml: 1 problem\nline 2\n" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads and writes everything")
def test_an_unreadable_file_is_refused(run_setup: Setup, home: Path) -> None:
    (home / ".claude").mkdir()
    (home / ".claude/settings.json").write_text("{}")
    (home / ".claude/settings.json").chmod(0)
    result = run_setup("claude")
    assert result.exit_code == 1
    assert "cannot be read: Permission denied; nothing was changed" in result.stderr


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop", "not text", "huge"])
def test_what_is_no_configuration_is_refused_untouched(kind: str, run_setup: Setup, home: Path) -> None:
    path = home / ".claude" / "settings.json"
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path)
    else:
        path.write_bytes(b'{"a": "\xff"}' if kind == "not text" else b" " * (4 * 1024 * 1024 + 1))
    result = run_setup("claude", ONPREM_API_KEY=KEY)
    assert result.exit_code == 1
    assert [name for name in everything(home) if not name.startswith(".claude")] == []


def test_a_link_of_a_user_is_followed_and_stays_a_link(run_setup: Setup, home: Path) -> None:
    (home / "dotfiles").mkdir()
    (home / "dotfiles/claude.json").write_text('{"mine": true}')
    (home / ".claude").mkdir()
    (home / ".claude/settings.json").symlink_to(home / "dotfiles/claude.json")
    assert run_setup("claude", ONPREM_API_KEY=KEY).exit_code == 0
    assert (home / ".claude/settings.json").is_symlink()
    assert json.loads((home / "dotfiles/claude.json").read_text())["mine"] is True


def test_a_link_out_of_a_project_is_refused(run_setup: Setup, home: Path) -> None:
    (home / ".profile").write_text("{}")
    Path(".claude").mkdir()
    Path(".claude/settings.json").symlink_to(home / ".profile")
    result = run_setup("claude", "--scope", "project")
    assert result.exit_code == 1
    assert "a link out of it could make setup write anywhere" in result.stderr
    assert (home / ".profile").read_text() == "{}"


def test_project_files_hold_no_key_and_codex_is_left_out(run_setup: Setup, home: Path) -> None:
    result = run_setup("--scope", "project", ONPREM_API_KEY=KEY)
    assert result.exit_code == 0
    assert (
        "left out codex: Codex CLI ignores model_provider and model_providers in a repository's own file"
        in result.stderr
    )
    here = {f"work/{name}" for name, (_, content) in everything(Path.cwd()).items() if content}
    ignored = {EXPECTED[agent.name].places["project"][0] for agent in AGENTS if agent.ignored_in_project}
    assert here == written("project") - ignored
    assert [name for name in everything(home) if ".local" not in name] == []
    assert run_setup("codex", "--scope", "project").exit_code == 2


def test_managed_files_lie_below_the_root_that_is_given(run_setup: Setup, home: Path, tmp_path: Path) -> None:
    root = tmp_path / "image"
    result = run_setup("--scope", "managed", "--root", str(root), ONPREM_API_KEY=KEY)
    assert result.exit_code == 0, result.output
    there = {f"root/{name}" for name, (_, content) in everything(root).items() if content}
    assert there == written("managed") | {"root/etc/profile.d/onprem-agents.sh"}
    assert all(KEY.encode() not in content for _, content in everything(root).values())
    assert "no repository can override" not in result.stderr, "that is said where the file is weaker"
    assert [name for name in everything(home) if ".local" not in name] == []


def test_the_weaker_scopes_say_what_they_do_not_protect_from(run_setup: Setup) -> None:
    assert "--scope managed writes the files that no repository can override" in run_setup().stderr


def test_a_missing_agent_is_named_with_how_to_install_it(
    run_setup: Setup, home: Path, bin_folder: Path
) -> None:
    (bin_folder / "codex").unlink()
    result = run_setup(ONPREM_API_KEY=KEY, PATH=str(bin_folder) + ":/bin:/usr/bin")
    assert "left out codex: not on PATH; onprem-agents setup NAME prepares one of them" in result.stderr
    assert not (home / ".codex").exists()
    alone = run_setup("codex", ONPREM_API_KEY=KEY, PATH=str(bin_folder) + ":/bin:/usr/bin")
    assert (
        "note: Codex CLI is not on PATH; install it with: npm install -g @openai/codex@0.169.0"
        in alone.stderr
    )
    assert (home / ".codex/config.toml").exists()


def test_of_a_named_agent_alone_the_release_is_asked(
    run_setup: Setup, bin_folder: Path, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    for program in bin_folder.iterdir():
        program.unlink()
        program.write_text(f"#!/bin/sh\necho {program.name} >> {asked}\necho 99.0.0\n")
        program.chmod(0o755)

    assert run_setup("codex", ONPREM_API_KEY=KEY).exit_code == 0

    assert asked.read_text().split() == ["codex"], "some need seconds to tell it"


def test_the_start_file_serves_every_agent_that_was_set_up_one_by_one(run_setup: Setup, home: Path) -> None:
    for name in ("copilot", "cline", "aider"):
        assert run_setup(name, ONPREM_API_KEY=KEY).exit_code == 0
    lines = (home / ".config/onprem/env.sh").read_text()
    run_setup("copilot", ONPREM_API_KEY=KEY)
    assert (home / ".config/onprem/env.sh").read_text() == lines, "their order does not matter"
    for variable in ("COPILOT_PROVIDER_BASE_URL", "LITELLM_API_KEY", "AIDER_OPENAI_API_KEY"):
        assert f"export {variable}=" in lines
    assert "OPENCODE" not in lines, "it was not set up"
    run_setup("cline", "--shell", "fish", ONPREM_API_KEY=KEY)
    fish = (home / ".config/onprem/env.fish").read_text()
    assert "COPILOT_PROVIDER_BASE_URL" in fish, "another shell serves the same agents"


def test_no_shell_leaves_the_start_file_alone(run_setup: Setup, home: Path) -> None:
    run_setup("--no-shell", ONPREM_API_KEY=KEY)
    assert not (home / ".bashrc").exists()
    assert not (home / ".config/onprem/env.sh").exists()


def test_the_variables_reach_a_new_shell(run_setup: Setup, home: Path, tmp_path: Path) -> None:
    import subprocess

    (home / ".bashrc").write_text("export MINE=1")
    run_setup("--ca-file", str(self_signed(tmp_path)[0]), ONPREM_API_KEY=KEY)
    asked = "echo $MINE $OPENCODE_DISABLE_MODELS_FETCH $NODE_EXTRA_CA_CERTS $NO_PROXY"
    done = subprocess.run(
        ["bash", "-c", f'. "$HOME/.bashrc"; {asked}'],
        env={"HOME": str(home), "PATH": "/bin:/usr/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"1 1 {home}/.config/onprem/ca.pem agents.example.internal\n"


def test_the_ca_file_is_copied_and_stays_when_setup_runs_again(
    run_setup: Setup, home: Path, tmp_path: Path
) -> None:
    ca_file, _ = self_signed(tmp_path)
    content = ca_file.read_bytes()
    run_setup("--ca-file", str(ca_file), ONPREM_API_KEY=KEY)
    ca_file.unlink()
    assert "Everything is set up already" in run_setup().output
    copied = home / ".config/onprem/ca.pem"
    assert copied.read_bytes() == content
    settings = json.loads((home / ".claude/settings.json").read_text())
    assert settings["env"]["NODE_EXTRA_CA_CERTS"] == str(copied)


def test_a_ca_file_that_is_none_is_refused(run_setup: Setup, home: Path, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("hello")
    result = run_setup("--ca-file", str(tmp_path / "ca.pem"), ONPREM_API_KEY=KEY)
    assert result.exit_code == 1
    assert "give a readable PEM file with --ca-file" in result.stderr
    assert everything(home) == {}


def test_without_a_source_and_without_an_earlier_setup_one_is_asked_for(run_setup: Setup) -> None:
    result = run_setup(contract=" ")
    assert result.exit_code == 2
    assert "use --host NAME with the name that your platform team told you" in result.stderr


def test_an_interrupted_run_leaves_all_as_it_was(
    run_setup: Setup, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".codex").mkdir()
    (home / ".codex/config.toml").write_text('model = "mine"\n')
    before = everything(home)
    real, written = files.write_file, []

    def full(path: Path, content: bytes, mode: int) -> None:
        if path.name == "key":
            raise OSError(28, "No space left on device")
        written.append(path.name)
        real(path, content, mode)

    monkeypatch.setattr(journal, "write_file", full)
    result = run_setup(ONPREM_API_KEY=KEY)
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert "config.toml" in written
    assert everything(home) == before


@pytest.mark.parametrize("state", ['{"hasCompletedOnboarding": false, "theme": "dark"}', "{broken"])
def test_a_file_of_state_that_says_so_already_or_is_broken_stays_as_it_is(
    run_setup: Setup, home: Path, state: str
) -> None:
    (home / ".claude.json").write_text(state)
    assert run_setup(ONPREM_API_KEY=KEY).exit_code == 0
    assert (home / ".claude.json").read_text() == state


def test_claude_codes_first_pages_are_marked_as_seen_beside_its_own_state(
    run_setup: Setup, home: Path
) -> None:
    before = '{\n  "theme": "dark"\n}\n'
    (home / ".claude.json").write_text(before)
    assert run_setup(ONPREM_API_KEY=KEY).exit_code == 0
    assert json.loads((home / ".claude.json").read_text()) == {
        "theme": "dark",
        "hasCompletedOnboarding": True,
    }
    assert run_setup("--undo").exit_code == 0
    assert (home / ".claude.json").read_text() == before
