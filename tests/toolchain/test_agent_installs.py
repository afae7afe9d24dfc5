"""How a release of an agent is installed from the machine's own registry, and what is said where it cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from embedded import agent_installs
from onprem_agents.agents import agent_named


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Put a shell script of that name before everything else on PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def write(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return write


NPM_INSTALLS = """
while [ "$1" != --prefix ]; do shift; done
mkdir -p "$2/node_modules/.bin" "$2/node_modules/@openai/codex"
echo '{}' > "$2/node_modules/@openai/codex/package.json"
printf '#!/bin/sh\\necho codex-cli %s\\n' SAYS > "$2/node_modules/.bin/codex"
chmod +x "$2/node_modules/.bin/codex"
"""
CODEX = agent_named("codex")


def test_the_registrys_own_client_says_which_releases_there_are(program: Callable[[str, str], None]) -> None:
    tags = {"dist-tags.latest": "0.171.0", "versions": ["0.168.0", "0.169.0", "0.171.0", "0.172.0-alpha.1"]}
    program("npm", f"echo '{json.dumps(tags)}'")

    assert agent_installs.published(CODEX) == ("0.171.0", "0.169.0")


def test_a_release_is_installed_with_its_program_alone(
    program: Callable[[str, str], None], tmp_path: Path
) -> None:
    program("npm", NPM_INSTALLS.replace("SAYS", "0.171.0"))

    trial = agent_installs.tried(CODEX, "0.171.0", tmp_path / "codex", node=None)

    assert trial.fault is None
    assert [path.name for path in Path(trial.folder).iterdir()] == ["codex"]


def test_a_registry_that_has_it_not_is_named_by_no_address(
    program: Callable[[str, str], None], tmp_path: Path
) -> None:
    said = "npm error code E404\nnpm error 404 Not Found - GET https://mirror.example.internal/codex"
    program("npm", f"echo '{said}' >&2; exit 1")

    trial = agent_installs.tried(CODEX, "0.171.0", tmp_path / "codex", node=None)

    assert trial.fault == (
        "could not be installed: npm install @openai/codex@0.171.0 failed: code E404 404 Not Found - GET (address)"
    )


def test_a_program_that_is_another_release_is_not_taken_for_it(
    program: Callable[[str, str], None], tmp_path: Path
) -> None:
    program("npm", NPM_INSTALLS.replace("SAYS", "0.170.0"))

    trial = agent_installs.tried(CODEX, "0.171.0", tmp_path / "codex", node=None)

    assert trial.fault == "could not be installed: its --version says 'codex-cli 0.170.0', not 0.171.0"


def test_an_agent_that_replaced_itself_while_it_was_tried_is_found_out(
    program: Callable[[str, str], None], tmp_path: Path
) -> None:
    program("npm", NPM_INSTALLS.replace("SAYS", "0.171.0"))
    trial = agent_installs.tried(CODEX, "0.171.0", tmp_path / "codex", node=None)
    assert agent_installs.changed(CODEX, trial) is None

    (Path(trial.folder) / "codex").resolve().write_text("#!/bin/sh\necho codex-cli 0.172.0\n")

    assert "says 'codex-cli 0.172.0', not 0.171.0" in str(agent_installs.changed(CODEX, trial))


@pytest.mark.parametrize("name", ["goose", "goose-binary-linux-x64"])
def test_a_program_is_found_under_its_own_name_and_under_that_of_its_package(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).touch()

    assert agent_installs.linked(agent_named("goose"), tmp_path) == tmp_path / name
