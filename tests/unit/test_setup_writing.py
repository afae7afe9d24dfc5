"""`onprem setup` on a machine: what it writes and where, that it keeps, shows, undoes, and never leaves a key about."""

from __future__ import annotations

import json
import os
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from onprem.cli import main
from onprem.setup import journal
from tests.unit.config_corpus import CLAUDE, CODEX, OPENCODE
from tests.unit.contract_samples import CONTRACT, changed

KEY = "onprem-0123456789-the-key-of-alice"
OTHER = "onprem-9876543210-another-key"
VERSIONS = {"claude": "2.1.330 (Claude Code)", "codex": "codex-cli 0.169.0", "opencode": "1.18.33"}
Setup = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    for agent, version in VERSIONS.items():
        program = folder / agent
        program.write_text(f"#!/bin/sh\necho '{version}'\n")
        program.chmod(0o755)
    return folder


@pytest.fixture
def setup(tmp_path: Path, home: Path, bin_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", "ONPREM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SHELL", "/bin/bash")
    monkeypatch.setenv("PATH", f"{bin_folder}:/bin:/usr/bin")

    def run(*args: str, contract: str | None = None, **variables: str) -> Result:
        result = CliRunner().invoke(
            main, ["setup", *args], input=contract or json.dumps(CONTRACT), env=dict(variables)
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return mode and content of all below a folder; folders have no content."""
    return {
        str(path.relative_to(folder)): (
            stat.S_IMODE(path.lstat().st_mode),
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }


def test_an_empty_home_gets_all_three_agents_and_one_key_file(setup: Setup, home: Path) -> None:
    result = setup(ONPREM_API_KEY=KEY)
    assert result.exit_code == 0, result.output
    files = {name: content for name, (_, content) in everything(home).items() if content}
    assert sorted(name for name in files if not name.startswith(".local")) == [
        ".bashrc",
        ".claude/settings.json",
        ".codex/config.toml",
        ".config/onprem/connection.json",
        ".config/onprem/env.sh",
        ".config/onprem/key",
        ".config/opencode/opencode.json",
    ]
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


def test_the_key_is_in_no_output(setup: Setup) -> None:
    for options in (["--dry-run"], [], ["--json"], ["--undo"]):
        assert KEY not in setup(*options, ONPREM_API_KEY=KEY).output


def test_the_files_of_users_come_back_byte_for_byte(setup: Setup, home: Path) -> None:
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
    assert setup(ONPREM_API_KEY=KEY).exit_code == 0
    assert (home / ".config/opencode/opencode.jsonc").read_text() != OPENCODE["comments"]
    assert not (home / ".config/opencode/opencode.json").exists(), "the .jsonc wins, so it is the one to edit"
    assert stat.S_IMODE((home / ".claude/settings.json").stat().st_mode) == 0o640
    result = setup("--undo")
    assert (result.exit_code, everything(home)) == (0, before)


def test_undo_leaves_an_empty_home_empty(setup: Setup, home: Path) -> None:
    setup(ONPREM_API_KEY=KEY)
    assert setup("--undo").exit_code == 0
    assert everything(home) == {}
    assert setup("--undo").output == "There is nothing to undo.\n"


def test_two_runs_are_undone_one_by_one(setup: Setup, home: Path) -> None:
    setup(ONPREM_API_KEY=KEY)
    first = {name: row for name, row in everything(home).items() if ".local" not in name}
    moved = json.dumps({**CONTRACT, "timeouts": {**CONTRACT["timeouts"], "streamIdleSeconds": 1200}})
    setup(contract=moved, ONPREM_API_KEY=OTHER)
    assert (home / ".config/onprem/key").read_text() == f"{OTHER}\n"
    setup("--undo")
    assert {name: row for name, row in everything(home).items() if ".local" not in name} == first
    setup("--undo")
    assert everything(home) == {}


def test_a_second_run_changes_nothing(setup: Setup, home: Path) -> None:
    setup(ONPREM_API_KEY=KEY)
    before = everything(home)
    result = setup()
    assert "Everything is set up already" in result.output
    assert everything(home) == before


def test_a_dry_run_shows_the_difference_and_writes_nothing(setup: Setup, home: Path) -> None:
    result = setup("--dry-run", ONPREM_API_KEY=KEY)
    assert everything(home) == {}
    assert '+    "ANTHROPIC_MODEL": "coder",' in result.output
    assert "7 files would be written; nothing was." in result.output


def test_keys_that_a_user_has_are_not_shown(setup: Setup, home: Path) -> None:
    (home / ".claude").mkdir()
    secret = "sk-" + "ant0123456789abcdef"
    (home / ".claude/settings.json").write_text(
        json.dumps({"env": {"MY_TOKEN": "short but mine", "ANTHROPIC_API_KEY": secret}}, indent=2)
    )
    result = setup("claude", "--dry-run")
    assert '-    "ANTHROPIC_API_KEY": "***"' in result.output
    assert secret not in result.output
    assert "short but mine" not in result.output


def test_undo_refuses_to_lose_what_came_later_unless_told_to(setup: Setup, home: Path) -> None:
    setup(ONPREM_API_KEY=KEY)
    (home / ".claude/settings.json").write_text('{"mine": 1}')
    result = setup("--undo")
    assert result.exit_code == 1
    assert "another content than setup left" in result.stderr
    assert (home / ".codex/config.toml").exists(), "all or nothing"
    assert setup("--undo", "--force").exit_code == 0
    assert everything(home) == {}


def test_one_broken_file_keeps_all_from_being_written(setup: Setup, home: Path) -> None:
    (home / ".codex").mkdir()
    (home / ".codex/config.toml").write_text('model = "x"\n[tui\n')
    before = everything(home)
    result = setup(ONPREM_API_KEY=KEY)
    assert (result.exit_code, everything(home)) == (1, before)
    assert "config.toml: 1 problem\nline 2\n" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads and writes everything")
def test_an_unreadable_file_is_refused(setup: Setup, home: Path) -> None:
    (home / ".claude").mkdir()
    (home / ".claude/settings.json").write_text("{}")
    (home / ".claude/settings.json").chmod(0)
    result = setup("claude")
    assert result.exit_code == 1
    assert "cannot be read: Permission denied; nothing was changed" in result.stderr


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop", "not text", "huge"])
def test_what_is_no_configuration_is_refused_untouched(kind: str, setup: Setup, home: Path) -> None:
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
    result = setup("claude", ONPREM_API_KEY=KEY)
    assert result.exit_code == 1
    assert [name for name in everything(home) if not name.startswith(".claude")] == []


def test_a_link_of_a_user_is_followed_and_stays_a_link(setup: Setup, home: Path) -> None:
    (home / "dotfiles").mkdir()
    (home / "dotfiles/claude.json").write_text('{"mine": true}')
    (home / ".claude").mkdir()
    (home / ".claude/settings.json").symlink_to(home / "dotfiles/claude.json")
    assert setup("claude", ONPREM_API_KEY=KEY).exit_code == 0
    assert (home / ".claude/settings.json").is_symlink()
    assert json.loads((home / "dotfiles/claude.json").read_text())["mine"] is True


def test_a_link_out_of_a_project_is_refused(setup: Setup, home: Path) -> None:
    (home / ".profile").write_text("{}")
    Path(".claude").mkdir()
    Path(".claude/settings.json").symlink_to(home / ".profile")
    result = setup("claude", "--scope", "project")
    assert result.exit_code == 1
    assert "a link out of it could make setup write anywhere" in result.stderr
    assert (home / ".profile").read_text() == "{}"


def test_project_files_hold_no_key_and_codex_is_left_out(setup: Setup, home: Path) -> None:
    result = setup("--scope", "project", ONPREM_API_KEY=KEY)
    assert result.exit_code == 0
    assert "left out codex: Codex ignores model providers in a repository's own file" in result.stderr
    assert sorted(everything(Path.cwd())) == [".claude", ".claude/settings.json", "opencode.json"]
    assert [name for name in everything(home) if ".local" not in name] == []
    assert setup("codex", "--scope", "project").exit_code == 2


def test_managed_files_lie_below_the_root_that_is_given(setup: Setup, home: Path, tmp_path: Path) -> None:
    root = tmp_path / "image"
    result = setup("--scope", "managed", "--root", str(root), ONPREM_API_KEY=KEY)
    assert result.exit_code == 0, result.output
    assert sorted(name for name, (_, content) in everything(root).items() if content) == [
        "etc/claude-code/managed-settings.json",
        "etc/codex/managed_config.toml",
        "etc/opencode/opencode.json",
    ]
    assert all(KEY.encode() not in content for _, content in everything(root).values())
    assert "no repository can override" not in result.stderr, "that is said where the file is weaker"
    assert [name for name in everything(home) if ".local" not in name] == []


def test_the_weaker_scopes_say_what_they_do_not_protect_from(setup: Setup) -> None:
    assert "--scope managed writes the files that no repository can override" in setup().stderr


def test_a_missing_agent_is_named_with_how_to_install_it(setup: Setup, home: Path, bin_folder: Path) -> None:
    (bin_folder / "codex").unlink()
    result = setup(ONPREM_API_KEY=KEY, PATH=str(bin_folder) + ":/bin:/usr/bin")
    assert (
        "left out codex: Codex CLI is not on PATH; install it with: npm install -g @openai/codex@0.169.0"
        in (result.stderr)
    )
    assert not (home / ".codex").exists()
    alone = setup("codex", ONPREM_API_KEY=KEY, PATH=str(bin_folder) + ":/bin:/usr/bin")
    assert "note: Codex CLI is not on PATH" in alone.stderr
    assert (home / ".codex/config.toml").exists()


def test_the_key_comes_from_a_file_a_command_a_variable_or_the_last_time(
    setup: Setup, home: Path, tmp_path: Path
) -> None:
    kept = home / ".config/onprem/key"
    (tmp_path / "given").write_text(f"{KEY}\n")
    setup("--key-file", str(tmp_path / "given"), ONPREM_API_KEY=OTHER)
    assert kept.read_text() == f"{KEY}\n", "what is named on the command line wins over the variable"
    setup("--key-command", f"echo '{OTHER}'")
    assert kept.read_text() == f"{OTHER}\n"
    setup(ONPREM_API_KEY=KEY)
    assert kept.read_text() == f"{KEY}\n"
    assert "Everything is set up already" in setup().output


def test_without_a_key_everything_else_is_set_up_and_the_way_to_one_is_told(setup: Setup, home: Path) -> None:
    result = setup()
    assert result.exit_code == 0
    assert (
        "note: There is no key yet (ask platform@example.com). Put it in place with: onprem setup --key-file"
        in (result.stderr)
    )
    assert not (home / ".config/onprem/key").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--key-file", "/no/such"], "the key file '/no/such' cannot be read: No such file or directory"),
        (["--key-command", "false"], "the key command ended with exit code 1"),
        (["--key-command", "no-such-program"], "the key command did not run"),
        (["--key-command", "echo two words"], "a key with blanks"),
        (["--key-command", "'"], "the key command did not run"),
        (["--key-command", ""], "the key command did not run"),
    ],
)
def test_a_key_that_cannot_be_had_is_one_sentence(
    options: list[str], message: str, setup: Setup, home: Path
) -> None:
    result = setup(*options)
    assert result.exit_code == 1
    assert message in result.stderr
    assert everything(home) == {}


def test_a_key_command_runs_without_a_shell(setup: Setup, home: Path) -> None:
    setup("--key-command", f"echo {KEY};touch hacked")
    assert not Path("hacked").exists()
    assert everything(home) == {}, "echo printed two words, which is no key"


def test_no_shell_leaves_the_start_file_alone(setup: Setup, home: Path) -> None:
    setup("--no-shell", ONPREM_API_KEY=KEY)
    assert not (home / ".bashrc").exists()
    assert not (home / ".config/onprem/env.sh").exists()


def test_the_variables_reach_a_new_shell(setup: Setup, home: Path) -> None:
    import subprocess

    (home / ".bashrc").write_text("export MINE=1")
    setup("--ca-file", "/etc/our ca.pem", ONPREM_API_KEY=KEY)
    asked = "echo $MINE $OPENCODE_DISABLE_MODELS_FETCH $NODE_EXTRA_CA_CERTS $NO_PROXY"
    done = subprocess.run(
        ["bash", "-c", f'. "$HOME/.bashrc"; {asked}'],
        env={"HOME": str(home), "PATH": "/bin:/usr/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1 1 /etc/our ca.pem agents.example.internal\n"


def test_an_interrupted_run_leaves_all_as_it_was(
    setup: Setup, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".codex").mkdir()
    (home / ".codex/config.toml").write_text('model = "mine"\n')
    before = everything(home)
    real, written = journal.write_file, []

    def full(path: Path, content: bytes, mode: int) -> None:
        if path.name == "key":
            raise OSError(28, "No space left on device")
        written.append(path.name)
        real(path, content, mode)

    monkeypatch.setattr(journal, "write_file", full)
    result = setup(ONPREM_API_KEY=KEY)
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert "config.toml" in written
    assert everything(home) == before


HOSTILE = [
    "../../../../tmp/x",
    "/etc/passwd",
    "$(touch hacked)",
    "`id`",
    "a;rm -rf ~",
    "a\nb",
    "a\x00b",
    "\x1b[31m",
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "path",
    [
        ("stack",),
        ("host",),
        ("baseUrl",),
        ("anthropicBaseUrl",),
        ("auth", "keyEnv"),
        ("auth", "keyHint"),
        ("tls", "caHint"),
        ("mainRole",),
        ("roles", 0, "role"),
        ("roles", 0, "model"),
        ("roles", 0, "modelId"),
        ("roles", 0, "claudeCapabilities"),
        ("testedAgents", "codex"),
    ],
)
def test_a_hostile_contract_writes_nothing_but_the_agents_files_and_runs_nothing(
    value: str, path: tuple[str | int, ...], setup: Setup, home: Path, tmp_path: Path
) -> None:
    wrapped = [value] if path[-1] == "claudeCapabilities" else value
    outside = {name: row for name, row in everything(tmp_path).items() if not name.startswith("home")}
    result = setup(contract=changed(*path, value=wrapped), ONPREM_API_KEY=KEY)
    assert {name: row for name, row in everything(tmp_path).items() if not name.startswith("home")} == outside
    if result.exit_code == 0:  # a path or a $ is plain text where only people read it
        assert {name.split("/")[0] for name in everything(home)} <= {
            ".bashrc",
            ".claude",
            ".codex",
            ".config",
            ".local",
        }
        assert "\x1b" not in result.output
    else:
        assert everything(home) == {}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(CONTRACT)[:-20],
        changed("version", value=2),
        "[" * 100_000,
        json.dumps({**CONTRACT, "stack": "x" * 2_000_000}),
        json.dumps({**CONTRACT, "apiKey": "x"}),
    ],
    ids=["cut", "too new", "deep", "huge", "with a key"],
)
def test_a_bad_contract_writes_nothing(text: str, setup: Setup, home: Path) -> None:
    assert setup(contract=text, ONPREM_API_KEY=KEY).exit_code == 1
    assert everything(home) == {}
