"""`onprem-agents keys`: the stack file changes in its entries alone, and a key is seen by its new owner alone."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from onprem_agents.cli import main
from onprem_agents.errors import InvalidInput
from onprem_agents.stack.settings import PROJECT
from onprem_agents.stack.stack_edit import put, remove

STACK = f"""# the team's stack
config:
  {PROJECT}:platform:
    hardware: {{tier: 48gb}}  # one card
    models:
      - role: coder
        model: Qwen/Qwen3.6-27B-FP8
        context: 65536
    access:
      host: agents.example.internal
      tls: {{secretName: agents-tls}}
      developers:
        alice: {{}}  # since spring
        bob: {{team: web}}
        # more to come
"""
# Does with --config-file what the real one does, with base64 for encryption; the real one is run by hand.
PULUMI = """#!/usr/bin/env python3
import base64, pathlib, sys, yaml
argv = sys.argv[1:]
pathlib.Path(__file__).with_name("argv").open("a").write(repr(argv) + "\\n")
key = sys.stdin.read()
if key.startswith("fail") or pathlib.Path(__file__).with_name("fail").exists():
    sys.exit("error: incorrect passphrase for " + key)
file = pathlib.Path(argv[argv.index("--config-file") + 1])
name = argv[argv.index("--path") + 1].split('"')[1]
data = yaml.safe_load(file.read_text())
keys = data["config"].setdefault("onprem-coding-agents:developerKeys", {})
assert not isinstance(keys.get(name), list)
keys[name] = {"secure": "v1:" + base64.b64encode(key.encode()).decode()}
data.setdefault("encryptionsalt", "v1:salt")
file.write_text(yaml.safe_dump(data))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import sys

    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "pulumi").write_text(PULUMI.replace("/usr/bin/env python3", sys.executable, 1))
    (folder / "pulumi").chmod(0o755)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.team.yaml").write_text(STACK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{folder}:{os.defpath}")
    return tmp_path


def keys(*args: str) -> Result:
    result = CliRunner().invoke(main, ["keys", *args, "--stack", "team"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def text(project: Path) -> str:
    return (project / "stacks" / "Pulumi.team.yaml").read_text()


def stored(project: Path, name: str) -> list[str]:
    """Return the keys of a developer as the stack file holds them, decrypted."""
    value = yaml.safe_load(text(project))["config"][f"{PROJECT}:developerKeys"][name]
    parts = value if isinstance(value, list) else [value]
    return [base64.b64decode(part["secure"].removeprefix("v1:")).decode() for part in parts]


def lines_gone(project: Path) -> list[str]:
    kept = text(project).splitlines()
    return [line for line in STACK.splitlines() if line not in kept]


def test_a_new_developer_gets_a_key_into_a_file_of_mode_600(project: Path) -> None:
    result = keys("add", "zoe", "--team", "web", "--key-file", "zoe.key")
    assert result.exit_code == 0, result.output
    key = Path("zoe.key").read_text().strip()
    assert stat.S_IMODE(Path("zoe.key").stat().st_mode) == 0o600
    assert key.startswith("onprem-")
    assert len(key) == len("onprem-") + 43, "256 bits in base64url"
    assert stored(project, "zoe") == [key]
    assert yaml.safe_load(text(project))["config"][f"{PROJECT}:platform"]["access"]["developers"] == {
        "alice": {},
        "bob": {"team": "web"},
        "zoe": {"team": "web"},
    }
    assert lines_gone(project) == []
    assert text(project).endswith("encryptionsalt: v1:salt\n")


def test_the_key_is_in_no_argument_no_output_and_no_plain_text(project: Path) -> None:
    results = [keys("add", "zoe", "--key-file", "a"), keys("rotate", "zoe", "--key-file", "b"), keys("list")]
    for name in ("a", "b"):
        key = Path(name).read_text().strip()
        assert key not in (project / "bin" / "argv").read_text()
        assert key not in text(project)
        assert all(key not in result.output for result in results)


def test_during_an_exchange_both_keys_are_valid_and_then_the_new_one(project: Path) -> None:
    keys("add", "alice", "--key-file", "old")
    keys("rotate", "alice", "--key-file", "new")
    old, new = Path("old").read_text().strip(), Path("new").read_text().strip()
    assert stored(project, "alice") == [old, new]
    third = keys("rotate", "alice", "--key-file", "third")
    assert (third.exit_code, Path("third").exists()) == (1, False)
    assert "end that exchange first: onprem-agents keys rotate alice --finish --stack team" in third.stderr
    assert keys("rotate", "alice", "--finish").exit_code == 0
    assert stored(project, "alice") == [new]
    assert keys("rotate", "alice", "--finish").exit_code == 1
    assert lines_gone(project) == []


def test_a_revoked_developer_is_gone_and_the_rest_is_as_it_was(project: Path) -> None:
    keys("add", "zoe", "--key-file", "a")
    assert keys("revoke", "zoe").exit_code == 0
    assert text(project) == STACK + "encryptionsalt: v1:salt\n"


def test_a_developer_without_a_key_can_be_revoked(project: Path) -> None:
    assert keys("revoke", "bob").exit_code == 0
    assert lines_gone(project) == ["        bob: {team: web}"]


def test_the_last_developer_stays(project: Path) -> None:
    keys("revoke", "bob")
    before = text(project)
    result = keys("revoke", "alice")
    assert result.exit_code == 1
    assert "add another developer first: onprem-agents keys add NAME" in result.stderr
    assert text(project) == before


@pytest.mark.usefixtures("project")
def test_the_list_tells_how_many_keys_and_no_key() -> None:
    keys("add", "alice", "--key-file", "a")
    keys("rotate", "alice", "--key-file", "b")
    assert keys("list").output == (
        "alice: 2 keys\nbob: 0 keys, team web, needs one: onprem-agents keys add bob --stack team\n"
    )
    assert json.loads(keys("list", "--json").output)[0] == {
        "name": "alice",
        "team": None,
        "keys": 2,
        "listed": True,
    }


def test_without_a_terminal_a_file_must_be_named(project: Path) -> None:
    result = keys("add", "alice")
    assert (result.exit_code, text(project)) == (2, STACK)
    assert "run this on a terminal or add --key-file FILE" in result.stderr


def test_on_a_terminal_the_key_is_shown_once(project: Path) -> None:
    import pty
    import subprocess
    import sys

    leader, follower = pty.openpty()
    argv = [
        sys.executable,
        "-c",
        "from onprem_agents.cli import main; main()",
        "keys",
        "add",
        "alice",
        "--stack",
        "team",
    ]
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        argv, stdout=follower, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}, check=False
    )
    os.close(follower)
    shown = os.read(leader, 65536).decode()
    os.close(leader)
    assert done.returncode == 0, done.stderr
    (key,) = stored(project, "alice")
    assert shown.count(key) == 1


def test_a_key_file_that_is_there_is_not_overwritten(project: Path) -> None:
    Path("mine").write_text("precious")
    result = keys("add", "alice", "--key-file", "mine")
    assert (result.exit_code, Path("mine").read_text(), text(project)) == (1, "precious", STACK)


def test_when_pulumi_fails_nothing_is_left_behind_and_the_key_is_not_told(project: Path) -> None:
    (project / "bin" / "fail").touch()
    result = keys("add", "alice", "--key-file", "a")
    assert (result.exit_code, text(project), Path("a").exists()) == (1, STACK, False)
    assert "incorrect passphrase for ***" in result.stderr


def test_without_pulumi_one_sentence(project: Path) -> None:
    (project / "bin" / "pulumi").unlink()
    result = keys("add", "alice", "--key-file", "a")
    assert result.exit_code == 1
    assert "the pulumi command is not on PATH" in result.stderr


@pytest.mark.parametrize("name", ["Alice", 'x"]', "../x", "a b", "-a", ""])
def test_a_name_that_cannot_be_one_is_refused_before_anything_runs(name: str, project: Path) -> None:
    result = keys("add", "--key-file", "a", "--", name)
    assert result.exit_code in (1, 2)
    assert (text(project), (project / "bin" / "argv").exists()) == (STACK, False)


def test_one_secret_for_all_is_refused_with_the_way_out(project: Path) -> None:
    path = project / "stacks" / "Pulumi.team.yaml"
    path.write_text(STACK + f"  {PROJECT}:developerKeys:\n    secure: v1:x\n")
    result = keys("rotate", "alice", "--key-file", "a")
    assert result.exit_code == 1
    assert "one secret for all developers" in result.stderr


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        ("a: 1\n", ("b",), 2, "a: 1\nb: 2\n"),
        ("a: 1", ("b",), 2, "a: 1\nb: 2\n"),
        ("a: {x: 1} # c\n", ("a", "y"), {}, 'a: {x: 1, "y": {}} # c\n'),
        ("a: {}\n", ("a", "y"), 1, 'a: {"y": 1}\n'),
        (
            "a:\n  x: 1 # one\n\n# end\n",
            ("a", "y"),
            [1, 2],
            "a:\n  x: 1 # one\n  y:\n  - 1\n  - 2\n\n# end\n",
        ),
        ("a:\n  x: |\n    t\nb: 1\n", ("a", "y"), 1, "a:\n  x: |\n    t\n  y: 1\nb: 1\n"),
        ("a:\n  x: [1,\n    2]\n", ("a", "x"), 3, "a:\n  x: 3\n"),
        ("a: 1\n", ("b", "c", "d"), 2, "a: 1\nb:\n  c:\n    d: 2\n"),
        ("'a': 1 # c\nb: 2\n", ("a",), 3, "a: 3 # c\nb: 2\n"),
    ],
)
def test_an_entry_is_set_and_all_else_stays(
    before: str, path: tuple[str, ...], value: object, after: str
) -> None:
    result = put(before, path, value, "it")
    assert yaml.safe_load(result) == yaml.safe_load(after)
    assert result.replace('"', "") == after.replace('"', "")


@pytest.mark.parametrize(
    ("before", "path", "after"),
    [
        ("a: 1 # c\nb: 2\n", ("a",), "b: 2\n"),
        ("a: {x: 1, y: 2}\n", ("a", "x"), "a: {y: 2}\n"),
        ("a: {x: 1, y: 2}\n", ("a", "y"), "a: {x: 1}\n"),
        ("a: {x: 1}\n", ("a", "x"), "a: {}\n"),
        ("a:\n  x:\n    - 1\n    - 2\n  # keep\n  y: 2\n", ("a", "x"), "a:\n  # keep\n  y: 2\n"),
    ],
)
def test_an_entry_is_removed_and_all_else_stays(before: str, path: tuple[str, ...], after: str) -> None:
    assert remove(before, path, "it") == after


def test_something_else_than_a_map_on_the_way_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nothing was changed"):
        put("a: [1]\n", ("a", "b"), 1, "it")
