"""goose: what changes with the release and with the system, and a key that cannot come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onprem_agents.agents.goose import GOOSE
from onprem_agents.agents.machine import Machine
from onprem_agents.agents.places import System
from tests.unit.contract_samples import contract

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("release", [None, (1, 50, 0), (1, 52, 0)])
def test_a_command_reads_the_key(release: tuple[int, int, int] | None) -> None:
    item = GOOSE.wanted(contract(), release, None)

    assert item.values["auth"] == {"command": "sh", "args": ["-c", "cat ~/.config/onprem/key"]}
    assert ("api_key_env",) in item.removed
    assert "api_key_env" not in item.values
    assert not item.by_variable


def test_a_release_that_knows_no_command_gets_the_key_from_its_variable() -> None:
    item = GOOSE.wanted(contract(), (1, 49, 9), None)

    assert item.values["api_key_env"] == "ONPREM_API_KEY"
    assert ("auth",) in item.removed
    assert "auth" not in item.values
    assert item.by_variable


@pytest.mark.parametrize(
    ("system", "variables", "folder"),
    [
        ("linux", {}, "/h/.config/goose"),
        ("linux", {"XDG_CONFIG_HOME": "/x"}, "/x/goose"),
        ("macos", {}, "/h/.config/goose"),
        ("windows", {}, "/h/AppData/Roaming/Block/goose/config"),
        ("windows", {"APPDATA": "/a"}, "/a/Block/goose/config"),
    ],
)
def test_its_folder_is_where_the_system_has_it(
    system: System, variables: dict[str, str], folder: str
) -> None:
    machine = Machine(home=Path("/h"), project=Path("/w"), variables=variables, system=system)

    places = GOOSE.places(machine, "user")

    assert [str(place.path) for place in places] == [
        f"{folder}/custom_providers/onprem.json",
        f"{folder}/config.yaml",
    ]


@pytest.mark.parametrize(
    ("changes", "evidence"),
    [
        ({"auth": None, "api_key_env": None}, "neither auth nor api_key_env is set"),
        ({"api_key_env": None}, "auth reads /nowhere/key, which is not there"),
        ({"auth": None}, "api_key_env names 'ONPREM_API_KEY', which is not set in this shell"),
    ],
)
def test_a_key_that_cannot_come_is_named_with_its_setting(changes: dict[str, Any], evidence: str) -> None:
    values = GOOSE.wanted(contract(), None, None).values | {"api_key_env": "ONPREM_API_KEY"} | changes

    (found,) = GOOSE.causes(values, contract(), {}, Path("/nowhere/key"))

    assert (found.cause, found.evidence) == ("key-missing", evidence)
