"""Where the agents read a machine's settings, in the words of each system."""

from __future__ import annotations

from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest

from onprem_agents.agents import AGENTS
from onprem_agents.agents.goose import GOOSE
from onprem_agents.agents.machine import Machine
from onprem_agents.agents.places import MACHINE_FILES, System, machine_file
from onprem_agents.setup.shell import Shell
from onprem_agents.setup.start_files import by_hand, of_machine, start_file

pytestmark = pytest.mark.unit

LIBRARY = PurePosixPath("/Library/Application Support")
DATA = PureWindowsPath("C:\\ProgramData")


@pytest.mark.parametrize(
    ("agent", "system", "path"),
    [
        ("claude", "linux", PurePosixPath("/etc/claude-code/managed-settings.json")),
        ("claude", "macos", LIBRARY / "ClaudeCode" / "managed-settings.json"),
        ("claude", "windows", PureWindowsPath("C:\\Program Files\\ClaudeCode\\managed-settings.json")),
        ("codex", "linux", PurePosixPath("/etc/codex/managed_config.toml")),
        ("codex", "macos", PurePosixPath("/etc/codex/managed_config.toml")),
        ("codex", "windows", DATA / "OpenAI" / "Codex" / "config.toml"),
        ("opencode", "linux", PurePosixPath("/etc/opencode/opencode.json")),
        ("opencode", "macos", LIBRARY / "opencode" / "opencode.json"),
        ("opencode", "windows", DATA / "opencode" / "opencode.json"),
        ("qwen", "linux", PurePosixPath("/etc/qwen-code/settings.json")),
        ("qwen", "macos", LIBRARY / "QwenCode" / "settings.json"),
        ("qwen", "windows", DATA / "qwen-code" / "settings.json"),
        ("kilo", "linux", PurePosixPath("/etc/kilo/kilo.json")),
        ("kilo", "macos", LIBRARY / "kilo" / "kilo.json"),
        ("kilo", "windows", DATA / "kilo" / "kilo.json"),
    ],
)
def test_a_machines_file_lies_where_the_agent_reads_it(agent: str, system: System, path: PurePath) -> None:
    assert machine_file(agent, system, {}) == path


def test_a_folder_of_windows_that_was_moved_is_followed() -> None:
    moved = machine_file("opencode", "windows", {"ProgramData": "D:\\Data"})
    assert moved == PureWindowsPath("D:\\Data\\opencode\\opencode.json")


def test_every_agent_with_a_file_for_the_machine_has_its_row_with_a_source() -> None:
    assert set(MACHINE_FILES) == {agent.name for agent in AGENTS if "managed" in agent.scopes}
    assert all("2026" in row.source for row in MACHINE_FILES.values())


@pytest.mark.parametrize("agent", AGENTS, ids=[agent.name for agent in AGENTS])
def test_the_users_and_the_repositorys_files_lie_alike_on_all_systems_but_for_goose_on_windows(
    agent: object, tmp_path: Path
) -> None:
    (named,) = (each for each in AGENTS if each is agent)

    def of(system: System) -> list[Path]:
        machine = Machine(home=tmp_path, project=tmp_path / "work", variables={}, system=system)
        return [named.place(machine, scope).path for scope in named.scopes if scope != "managed"]

    assert of("linux") == of("macos")
    assert (of("linux") == of("windows")) == (named is not GOOSE)


def test_below_another_root_a_mac_keeps_its_folders(tmp_path: Path) -> None:
    machine = Machine(home=tmp_path, project=tmp_path, root=tmp_path / "r", variables={}, system="macos")
    assert machine.machine_file("claude") == (
        tmp_path / "r/Library/Application Support/ClaudeCode/managed-settings.json"
    )


@pytest.mark.parametrize(
    ("shell", "system", "variables", "path"),
    [
        ("bash", "linux", {}, ".bashrc"),
        ("bash", "macos", {}, ".bash_profile"),
        ("zsh", "macos", {}, ".zshrc"),
        ("zsh", "linux", {"ZDOTDIR": "/z"}, "/z/.zshrc"),
        ("fish", "linux", {}, ".config/fish/config.fish"),
        ("fish", "macos", {"XDG_CONFIG_HOME": "/x"}, "/x/fish/config.fish"),
        ("powershell", "linux", {}, ".config/powershell/Microsoft.PowerShell_profile.ps1"),
        ("powershell", "windows", {}, None),
    ],
)
def test_a_shells_start_file_is_the_one_that_it_reads(
    shell: Shell, system: System, variables: dict[str, str], path: str | None, tmp_path: Path
) -> None:
    machine = Machine(home=tmp_path, project=tmp_path, variables=variables, system=system)
    assert start_file(shell, machine) == (tmp_path / path if path is not None else None)


@pytest.mark.parametrize("system", ["macos", "windows"])
def test_a_machine_without_such_folders_gets_no_start_files(system: System, tmp_path: Path) -> None:
    machine = Machine(home=tmp_path, project=tmp_path, root=tmp_path, variables={}, system=system)
    assert list(of_machine(machine, lambda shell: shell)) == []
    assert "by your own management" in by_hand(machine)[0]
