"""Claude Code as setup leaves it, against a scripted model and no gateway: what its own defaults would do, and do not.

Each is run once more without the setting that prevents it, so that the setting is known to be what does.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from embedded.layout import Layout
from onprem_agents.probes.picture import red_png
from tests.agents import clis
from tests.agents.without_gateway import KEY_COMMAND, onprem_agents, scripted_model

_LIMIT_SECONDS = 120
_COMMAND = "run \"python3 -c 'print(1)' > out.txt\""
_GREETING = "reply with the word ready"
_SHOW = 'use the tool Read with file_path "picture.png"'


@dataclass(frozen=True, kw_only=True)
class Claude:
    """Claude Code in a home that was set up, and the record of a model that reads text alone."""

    folder: Path
    variables: dict[str, str]

    @property
    def settings(self) -> Path:
        """Its settings, as setup wrote them."""
        return self.folder / "home/.claude/settings.json"

    def change(self, **values: Any) -> None:
        """Put values into the settings; None takes one out."""
        whole = {**json.loads(self.settings.read_text()), **values}
        self.settings.write_text(
            json.dumps({name: value for name, value in whole.items() if value is not None})
        )

    def asks(self, task: str, mode: str, *words: str) -> list[dict[str, Any]]:
        """Give it a task and return what the model was sent."""
        record = self.folder / "record"
        before = len(record.read_text().splitlines()) if record.exists() else 0
        subprocess.run(
            ["claude", "-p", task, "--output-format", "json", "--permission-mode", mode, *words],
            cwd=self.folder / "repository",
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT_SECONDS,
            check=False,
        )
        lines = map(json.loads, record.read_text().splitlines()[before:])
        return [line for line in lines if line["path"] == "/v1/messages"]


@pytest.fixture
def claude(tmp_path: Path) -> Iterator[Claude]:
    path = os.pathsep.join([str(clis.installed(Layout.default())), os.environ["PATH"]])
    variables = {"HOME": str(tmp_path / "home"), "PATH": path, "LANG": "C.UTF-8", "SHELL": "/bin/bash"}
    repository = tmp_path / "repository"
    repository.mkdir()
    (tmp_path / "home").mkdir()
    (repository / "picture.png").write_bytes(base64.b64decode(red_png()))
    with scripted_model(tmp_path, "--fault", "no-pictures", "--record", str(tmp_path / "record")) as (
        _,
        contract,
    ):
        asked = ["--connection", str(contract), "--yes", "--key-command", KEY_COMMAND]
        onprem_agents("setup", "claude", *asked, variables=variables, folder=repository)
        yield Claude(folder=tmp_path, variables=variables)


def test_no_command_is_laid_before_the_model_to_be_judged_by_it(claude: Claude) -> None:
    came = claude.asks(_COMMAND, "auto")

    assert len(came) == 2, "the task, and what became of the command"
    assert all(line["request"]["tools"] for line in came)

    claude.change(disableAutoMode=None)
    came = claude.asks(_COMMAND, "auto")
    assert [line for line in came if not line["request"]["tools"]], "auto mode asks the model of each command"


def test_a_picture_does_not_get_into_the_conversation_of_a_model_that_reads_text_alone(
    claude: Claude,
) -> None:
    came = claude.asks(_SHOW, "acceptEdits")

    assert [line["status"] for line in came] == [200, 200], "the tool is refused, and the session goes on"

    claude.change(permissions=None)
    came = claude.asks(_SHOW, "acceptEdits")
    assert came[-1]["refusal"].startswith("At most 0 image(s) may be provided in one prompt.")


def test_every_name_that_it_has_for_a_model_is_a_role_of_ours(claude: Claude) -> None:
    names = {"fable": "coder", "opus": "coder", "haiku": "fast"}

    asked = {name: claude.asks(_GREETING, "default", "--model", name) for name in names}

    assert {name: {line["request"]["model"] for line in came} for name, came in asked.items()} == {
        name: {model} for name, model in names.items()
    }
