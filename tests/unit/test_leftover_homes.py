"""Homes full of leftovers: the doctor names each before setup, and after setup only what setup cannot reach.

That the verdicts are true is shown by the agents themselves (tests/agents/test_leftover_homes.py).
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from onprem_agents.agents import AGENTS
from onprem_agents.agents.diagnosis import Severity
from onprem_agents.probes.local import examine
from onprem_agents.probes.verdict import Verdict
from onprem_agents.setup.installed import Installed
from tests.agents.leftovers import HOMES, KEY, Laid, LeftoverHome
from tests.unit.contract_samples import contract
from tests.unit.setup_machine import shell_of

each_home = pytest.mark.parametrize("home", HOMES, ids=[home.name for home in HOMES])


def examined(laid: Laid, *, mended: bool = False) -> list[Verdict]:
    installed = Installed(agent=laid.agent, path=f"/bin/{laid.home.agent}", release=(99, 0, 0))
    machine = laid.machine(mended=mended)
    if machine.contract_file.exists():  # then the shell is a new one, in which setup's variables come last
        new = shell_of(laid.agent, contract(), key=KEY.value)
        machine = replace(machine, variables={**machine.variables, **new})
    found = examine(contract(), installed, machine)
    return [verdict for verdict in found if verdict.severity is not Severity.OK]


def causes(laid: Laid, *, mended: bool = False) -> list[str]:
    return [verdict.cause for verdict in examined(laid, mended=mended)]


@each_home
def test_the_doctor_tells_what_beats_the_platforms_address_before_and_after_setup(
    home: LeftoverHome, tmp_path: Path
) -> None:
    laid = Laid(home=home, folder=tmp_path)
    laid.lay_out()

    assert set(home.found) <= set(causes(laid)), "before setup"
    laid.set_up()
    assert tuple(causes(laid)) == home.left, "after setup"
    laid.mend()
    assert causes(laid, mended=True) == [], "mended as the doctor says"


@pytest.mark.parametrize("home", [home for home in HOMES if home.mend], ids=lambda home: home.name)
def test_each_verdict_names_the_file_or_the_variable_to_change(home: LeftoverHome, tmp_path: Path) -> None:
    laid = Laid(home=home, folder=tmp_path)
    laid.lay_out()
    laid.set_up()

    (verdict,) = examined(laid)

    for name in home.mend.get("unset", []):
        assert name in verdict.evidence
        assert f"unset {name}" in verdict.fix
    for name in home.mend.get("remove", []):
        assert name.removeprefix("~/") in verdict.evidence


SWITCHES = [
    f"CLAUDE_CODE_USE_{name}"
    for name in (
        *("BEDROCK", "VERTEX", "FOUNDRY", "MANTLE", "GATEWAY"),
        *("ANTHROPIC_AWS", "ANTHROPIC_GOOGLE_CLOUD"),
    )
]


@pytest.mark.parametrize("where", ["settings", "shell"])
@pytest.mark.parametrize("switch", SWITCHES)
def test_each_switch_to_another_cloud_is_named_and_then_emptied_wherever_it_stands(
    switch: str, where: str, tmp_path: Path
) -> None:
    settings = json.dumps({"env": {switch: "1"}})
    home = LeftoverHome(
        name=switch,
        about="",
        agent="claude",
        files={"~/.claude/settings.json": settings} if where == "settings" else {},
        variables={switch: "1"} if where == "shell" else {},
        asked="ours",
    )
    laid = Laid(home=home, folder=tmp_path)
    laid.lay_out()

    (named,) = (verdict for verdict in examined(laid) if verdict.cause == "leftover")
    assert switch in named.evidence
    laid.set_up()
    assert examined(laid) == []
    assert json.loads((tmp_path / "home/.claude/settings.json").read_text())["env"][switch] == ""


def test_there_is_a_home_for_each_way_that_was_found() -> None:
    assert len(HOMES) >= 25
    assert {home.agent for home in HOMES} <= {agent.name for agent in AGENTS}
    assert all((home.asked == "ours" and not home.left) or home.mend for home in HOMES)
