"""A vLLM release: one that is newer than all, with the options of the newest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.toolchain.recipes.walking import Recipe, Step, generated

_RELEASES = "onprem_agents/vllm/releases"
_NEW = "0.99.0"


def _file(name: str, change: dict[str, Any]) -> Step:
    """Return the making of one file of the folder, as `tools.read_release` would from a wheel."""

    def take(copy: Path) -> None:
        releases = copy / _RELEASES
        newest = max((path for path in releases.iterdir() if path.name != _NEW), key=_number)
        content = json.loads((newest / name).read_text(encoding="utf-8"))
        (releases / _NEW).mkdir(exist_ok=True)
        (releases / _NEW / name).write_text(json.dumps(content | change), encoding="utf-8")

    return Step(path=f"{_RELEASES}/VERSION/{name}", take=take)


def _number(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.name.split("."))


RECIPE = Recipe(
    heading="A vLLM release",
    steps=(
        _file("options.json", {"release": _NEW}),
        _file("image.json", {"tag": f"v{_NEW}"}),
        _file("memory.json", {}),
        Step(path="tests/golden/manifests", take=generated("tests/golden/test_generated.py")),
    ),
    checks=("tests/unit/test_vllm_release_folders.py", "tests/golden/test_generated.py"),
)
