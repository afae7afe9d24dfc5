"""Where the key lies: setup's file, the system's keyring, a command; and that agents and doctor read it there."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import pytest
from keyring.backends.fail import Keyring as NoKeyring

from onprem_agents.agents.config import KEY_PATH, Wanted
from onprem_agents.errors import EnvironmentProblem, InvalidInput
from onprem_agents.setup.key_store import KeyStore, by_store, chosen
from tests.unit.platform_server import KEY, Platform
from tests.unit.setup_machine import Onprem, address, new_shell

pytestmark = pytest.mark.unit

FOLDER = ".config/onprem"


class Memory(keyring.backend.KeyringBackend):
    """A keyring for the length of a test."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # of the library
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


@pytest.fixture
def memory() -> Iterator[Memory]:
    former, own = keyring.get_keyring(), Memory()
    keyring.set_keyring(own)
    yield own
    keyring.set_keyring(former)


def read_by(home: Path) -> dict[str, str]:
    """Return by what each agent reads its key."""
    codex = tomllib.loads((home / ".codex/config.toml").read_text())
    opencode = json.loads((home / ".config/opencode/opencode.json").read_text())
    pi = json.loads((home / ".pi/agent/models.json").read_text())
    return {
        "pi": pi["providers"]["onprem"]["apiKey"],
        "claude": json.loads((home / ".claude/settings.json").read_text())["apiKeyHelper"],
        "codex": codex["model_providers"]["onprem"]["auth"]["args"][-1],
        "opencode": opencode["provider"]["onprem"]["options"]["apiKey"],
    }


def test_the_keyring_holds_the_key_and_no_file_does(
    onprem: Onprem, server: Platform, home: Path, memory: Memory
) -> None:
    done = onprem("setup", "--host", address(server), "--key-store", "keyring", ONPREM_API_KEY=KEY)

    assert done.exit_code == 0, done.output
    assert memory.held == {("onprem-coding-agents", "127.0.0.1"): KEY}
    assert not any(KEY in path.read_text() for path in home.rglob("*") if path.is_file())
    ways = read_by(home)
    assert ways["claude"] == ways["codex"] == chosen("keyring", "127.0.0.1", None).command
    assert ways["claude"].endswith(" key")
    assert ways["pi"] == f"!{ways['claude']}"
    assert ways["opencode"] == "{env:ONPREM_API_KEY}"
    assert f'export ONPREM_API_KEY="${{ONPREM_API_KEY:-$({ways["claude"]})}}"' in (
        (home / FOLDER / "env.sh").read_text()
    )


def test_the_command_prints_the_key_from_wherever_it_lies(
    onprem: Onprem, server: Platform, memory: Memory
) -> None:
    onprem("setup", "--host", address(server), ONPREM_API_KEY=KEY)
    assert onprem("key").stdout == f"{KEY}\n"
    onprem("setup", "--host", address(server), "--key-store", "keyring")
    assert onprem("key").stdout == f"{KEY}\n"
    assert onprem("key", "--forget").exit_code == 0
    assert memory.held == {}
    gone = onprem("key")
    assert (gone.exit_code, gone.stdout) == (1, "")
    assert "there is no key in the system's keyring; run onprem-agents setup --key-file FILE" in gone.stderr


def test_a_key_that_moves_into_the_keyring_leaves_its_file_empty(
    onprem: Onprem, server: Platform, home: Path, memory: Memory
) -> None:
    onprem("setup", "--host", address(server), ONPREM_API_KEY=KEY)
    onprem("setup", "--host", address(server), "--key-store", "keyring")
    assert (home / FOLDER / "key").read_text() == ""
    assert list(memory.held.values()) == [KEY]

    onprem("setup", "--host", address(server), "--key-store", "file")
    assert (home / FOLDER / "key").read_text() == f"{KEY}\n"
    assert "cat" in read_by(home)["claude"]


def test_setup_again_keeps_to_the_store(onprem: Onprem, server: Platform, home: Path, memory: Memory) -> None:
    onprem("setup", "--host", address(server), "--key-store", "keyring", ONPREM_API_KEY=KEY)
    again = onprem("setup", "--host", address(server))
    assert "Everything is set up already" in again.stdout
    new = KEY[::-1]
    onprem("setup", "--host", address(server), "--no-check", ONPREM_API_KEY=new)
    assert list(memory.held.values()) == [new]
    assert not (home / FOLDER / "key").exists()


def test_a_command_of_ones_own_is_what_the_agents_run(
    onprem: Onprem, server: Platform, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "vault").write_text(KEY)
    command = f"cat '{tmp_path / 'vault'}'"
    words = ("--key-store", "command", "--key-command", command)
    assert onprem("setup", "--host", address(server), *words).exit_code == 0

    assert read_by(home) == {
        "pi": f"!{command}",
        "claude": command,
        "codex": command,
        "opencode": "{env:ONPREM_API_KEY}",
    }
    assert not (home / FOLDER / "key").exists()
    assert onprem("key").stdout == f"{KEY}\n"
    words_of_it = '"$ONPREM_API_KEY" "$COPILOT_PROVIDER_API_KEY_COMMAND"'
    shell = f'. {home / FOLDER / "env.sh"} && printf "%s %s" {words_of_it}'
    variables = {"HOME": str(home), "PATH": "/bin:/usr/bin"}
    said = subprocess.run(["bash", "-c", shell], env=variables, capture_output=True, check=True)
    assert said.stdout.decode() == f"{KEY} {command}"


def test_the_doctor_reads_the_key_there_and_sees_no_drift(
    onprem: Onprem, server: Platform, tmp_path: Path, memory: Memory
) -> None:
    onprem("setup", "--host", address(server), "--key-store", "keyring", ONPREM_API_KEY=KEY)
    shell = new_shell(server.contract(), key=KEY, command=chosen("keyring", "127.0.0.1", None).command)
    found = onprem("doctor", "--json", "--root", str(tmp_path), **shell | {"NO_PROXY": "*"})
    bad = {
        (row["probe"], row["cause"])
        for row in json.loads(found.stdout)["verdicts"]
        if row["severity"] != "ok"
    }
    assert bad == set()
    assert list(memory.held.values()) == [KEY]


def test_a_command_store_without_a_command_is_a_usage_error(onprem: Onprem) -> None:
    assert onprem("setup", "--host", "a.example", "--key-store", "command").exit_code == 2


def test_without_a_keyring_on_the_machine_nothing_is_written(
    onprem: Onprem, server: Platform, home: Path
) -> None:
    former = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call] # of the library
    try:
        done = onprem("setup", "--host", address(server), "--key-store", "keyring", ONPREM_API_KEY=KEY)
    finally:
        keyring.set_keyring(former)
    assert done.exit_code == 1
    assert "the system's keyring does not answer" in done.stderr
    assert "use --key-store file" in done.stderr
    assert list(home.iterdir()) == []


def test_a_store_that_nobody_wrote_is_a_problem_and_no_traceback(onprem: Onprem, home: Path) -> None:
    (home / FOLDER).mkdir(parents=True)
    (home / FOLDER / "key-store.json").write_text('{"kind": "cloud"}')
    done = onprem("key")
    assert done.exit_code == 1
    assert "run onprem-agents setup --key-store file --key-file FILE" in done.stderr


def test_an_agent_that_reads_a_file_alone_is_refused_by_name() -> None:
    item = Wanted(values={"key_file": KEY_PATH})
    store = KeyStore(kind="command", name="a.example", command="pass onprem")
    assert by_store(item, KeyStore(), key_env="X", agent="Reader") is item
    with pytest.raises(InvalidInput, match="Reader, which reads its key from"):
        by_store(item, store, key_env="X", agent="Reader")


def test_without_the_library_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "keyring", None)
    with pytest.raises(EnvironmentProblem, match=r"pip install 'onprem-coding-agents\[keyring\]'"):
        chosen("keyring", "a.example", None).forget()
