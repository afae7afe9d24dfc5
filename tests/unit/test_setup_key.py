"""The developer's key on its way into its one file: from where it is taken, and that it is shown nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.setup_machine import KEY, OTHER, Setup, everything


def test_the_key_is_in_no_output(run_setup: Setup) -> None:
    for options in (["--dry-run"], [], ["--json"], ["--undo"]):
        assert KEY not in run_setup(*options, ONPREM_API_KEY=KEY).output


def test_keys_that_a_user_has_are_not_shown(run_setup: Setup, home: Path) -> None:
    (home / ".claude").mkdir()
    secret = "sk-" + "ant0123456789abcdef"
    (home / ".claude/settings.json").write_text(
        json.dumps({"env": {"MY_TOKEN": "short but mine", "ANTHROPIC_API_KEY": secret}}, indent=2)
    )
    result = run_setup("claude", "--dry-run")
    assert '-    "ANTHROPIC_API_KEY": "***"' in result.output
    assert secret not in result.output
    assert "short but mine" not in result.output


def test_the_key_comes_from_a_file_a_command_a_variable_or_the_last_time(
    run_setup: Setup, home: Path, tmp_path: Path
) -> None:
    kept = home / ".config/onprem/key"
    (tmp_path / "given").write_text(f"{KEY}\n")
    run_setup("--key-file", str(tmp_path / "given"), ONPREM_API_KEY=OTHER)
    assert kept.read_text() == f"{KEY}\n", "what is named on the command line wins over the variable"
    run_setup("--key-command", f"echo '{OTHER}'")
    assert kept.read_text() == f"{OTHER}\n"
    run_setup(ONPREM_API_KEY=KEY)
    assert kept.read_text() == f"{KEY}\n"
    assert "Everything is set up already" in run_setup().output


def test_without_a_key_everything_else_is_set_up_and_the_way_to_one_is_told(
    run_setup: Setup, home: Path
) -> None:
    result = run_setup()
    assert result.exit_code == 0
    assert (
        "note: There is no key yet (ask platform@example.com). Put it in place with: onprem-agents setup --key-file"
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
    options: list[str], message: str, run_setup: Setup, home: Path
) -> None:
    result = run_setup(*options)
    assert result.exit_code == 1
    assert message in result.stderr
    assert everything(home) == {}


def test_a_key_command_runs_without_a_shell(run_setup: Setup, home: Path) -> None:
    run_setup("--key-command", f"echo {KEY};touch hacked")
    assert not Path("hacked").exists()
    assert everything(home) == {}, "echo printed two words, which is no key"


def test_a_new_key_needs_no_more_than_its_file(run_setup: Setup, home: Path, tmp_path: Path) -> None:
    run_setup(ONPREM_API_KEY=KEY)
    (tmp_path / "new").write_text(OTHER)
    result = run_setup("--key-file", str(tmp_path / "new"), contract=" ")
    assert result.exit_code == 0, result.output
    assert "Going on with the contract of the last setup." in result.stderr, "its gateway is a made-up name"
    assert (home / ".config/onprem/key").read_text() == f"{OTHER}\n"
    assert "1 files written" not in result.output
