"""An agent: a second opencode under another name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.toolchain.recipes.walking import Recipe, Step, edited, generated

_PACKAGE, _VERSION = "sister-ai", "1.18.33"
_IMPORT = "from onprem_agents.agents.opencode import OPENCODE\n"
_MACHINE_FILES = "MACHINE_FILES: dict[str, MachineFile] = {\n"
_MACHINE_FILE = (
    '    "sister": MachineFile(\n'
    '        linux="/etc/sister/sister.json",\n'
    '        macos="/Library/Application Support/sister/sister.json",\n'
    '        windows="%ProgramData%\\\\sister\\\\sister.json",\n'
    '        source="a copy of opencode",\n'
    "    ),\n"
)
_LIST = "AGENTS: tuple[Agent, ...] = (OPENCODE, "


def _sister(path: str) -> Step:
    """Return the making of a file from opencode's, in which the sister has its place."""

    def take(copy: Path) -> None:
        text = (copy / path.replace("NAME", "opencode")).read_text(encoding="utf-8")
        # The modules beside opencode's are shared: `from onprem_agents.agents.opencode_folders import`.
        text = re.sub(r"(?<!agents\.)opencode|opencode(?!_)", "sister", text).replace("OPENCODE", "SISTER")
        (copy / path.replace("NAME", "sister")).write_text(text, encoding="utf-8")

    return Step(path=path, take=take)


def _pin(copy: Path) -> None:
    _change(
        copy / "tests/agents/package.json", lambda pins: pins["dependencies"].update({_PACKAGE: _VERSION})
    )


def _lock(copy: Path) -> None:
    # What npm would write, as far as a test without npm can see.
    entry = {f"node_modules/{_PACKAGE}": {"version": _VERSION}}
    _change(copy / "tests/agents/package-lock.json", lambda lock: lock["packages"].update(entry))


def _change(file: Path, change: Any) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    change(content)
    file.write_text(json.dumps(content), encoding="utf-8")


RECIPE = Recipe(
    heading="An agent",
    steps=(
        _sister("onprem_agents/agents/NAME.py"),
        Step(
            path="onprem_agents/agents/registry.py",
            take=edited(
                "onprem_agents/agents/registry.py",
                (_IMPORT, _IMPORT + "from onprem_agents.agents.sister import SISTER\n"),
                (_LIST, _LIST + "SISTER, "),
            ),
        ),
        Step(
            path="onprem_agents/agents/places.py",
            take=edited("onprem_agents/agents/places.py", (_MACHINE_FILES, _MACHINE_FILES + _MACHINE_FILE)),
        ),
        _sister("tests/expected_agents/NAME.py"),
        _sister("docs/agents/NAME.md"),
        Step(path="tests/agents/package.json", take=_pin),
        Step(path="tests/agents/package-lock.json", take=_lock),
        Step(path="README.md", take=generated("tests/golden/test_pages.py")),
    ),
    checks=(
        "tests/unit/test_agents_registry.py",
        "tests/golden/test_pages.py",
        "tests/unit/test_docs_agents.py",
    ),
)
