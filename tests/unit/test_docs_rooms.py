"""The page on data flow: its table of rooms is the package, in the order of the layers."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "onprem_agents"


def rooms() -> list[list[str]]:
    """Return the rooms of each line of the table."""
    page = (ROOT / "docs" / "data-flow.md").read_text(encoding="utf-8")
    table = page.partition("| room | holds |")[2].partition("\n\n")[0]
    return [re.findall(r"`([a-z]+)`", line.split("|")[1]) for line in table.splitlines()[2:]]


def test_the_table_names_each_room_of_the_package_once() -> None:
    named = [room for line in rooms() for room in line]
    there = {
        path.stem
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or any(path.glob("*.py"))
        if path.name not in ("__init__.py", "__pycache__")
    }

    assert sorted(named) == sorted(there)
    assert len(there) <= 16, "a newcomer sees at most sixteen rooms and guesses each one right"


def test_the_table_is_in_the_order_of_the_layers() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (layers,) = (
        one["layers"] for one in contracts["contracts"] if "onprem_agents.cli" in one.get("layers", ())
    )
    level = {
        room.strip().removeprefix("onprem_agents."): number
        for number, line in enumerate(layers)
        for room in line.split(":")
    }
    order = [level[room] for line in rooms() for room in line]

    assert order == sorted(order)
    assert set(level) == {room for line in rooms() for room in line}


def test_every_room_that_the_picture_names_is_there() -> None:
    picture = (ROOT / "docs" / "pictures" / "data-flow.svg").read_text(encoding="utf-8")
    named = re.findall(r'class="room"[^>]*>([a-z_]+)/<', picture)

    assert len(named) >= 10
    assert [room for room in named if not (PACKAGE / room).is_dir() and not (ROOT / room).is_dir()] == []


def test_the_picture_shows_every_room_but_helpers_and_the_adviser() -> None:
    picture = (ROOT / "docs" / "pictures" / "data-flow.svg").read_text(encoding="utf-8")
    named = set(re.findall(r'class="room"[^>]*>([a-z_]+)/<', picture))
    folders = {path.name for path in PACKAGE.iterdir() if any(path.glob("*.py"))}

    assert folders - named == {"advice"}, "advice asks the same sizing without a stack"
