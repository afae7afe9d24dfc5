"""Each dated or wrong set-up, made on purpose of what `onprem-agents setup` wrote: the doctor names cause and fix.

The machine is set up against the real gateway, one thing is broken, and `onprem-agents doctor --json` is asked in a new
shell. What the how-tos of 2025 and 2026 say is among it.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.agents.machine import UNATTENDED, Machine
from tests.expected_agents import EXPECTED
from tests.gateway.examined import change, examined, faults, place
from tests.gateway.gateway import Gateway
from tests.gateway.keys import onprem_keys
from tests.gateway.wrong_setups import (
    ADDRESSES,
    ANSWERS,
    BY_VARIABLE,
    DATED_CLAUDE,
    DATED_CODEX,
    DATED_OPENCODE,
    FAULTS,
    FILES,
    NEW_KEY,
    OF_MACHINE,
    REACH,
    STRANGERS,
    TRUST,
    WITHOUT_CAP,
    of,
)


@pytest.fixture
def machine(set_up_machine: Machine) -> Machine:
    return set_up_machine


def test_a_sound_machine_passes_every_probe_and_none_is_left_out(machine: Machine, gateway: Gateway) -> None:
    told = examined(machine, gateway)

    assert [row["probe"] for row in told["verdicts"]] == [
        *OF_MACHINE,
        *REACH,
        *TRUST,
        *STRANGERS,
        *ANSWERS,
    ]
    assert {row["severity"] for row in told["verdicts"]} == {"ok"}
    assert (told["notRun"], told["exitCode"]) == ([], 0)
    assert f"{len(told['verdicts'])} probes, all well." in machine.onprem(gateway, "doctor").output


@pytest.mark.parametrize("name", FAULTS)
def test_each_wrong_setting_is_named_with_what_to_write_instead(
    machine: Machine, gateway: Gateway, name: str
) -> None:
    fault, here = FAULTS[name], place(gateway)
    for where, old, new in fault.breaks:
        change(machine, where, old.replace("{place}", here), new.replace("{place}", here))

    told = examined(machine, gateway, variables=fault.variables)

    found = faults(told)
    assert set(found) == set(fault.said)
    for row, fix in fault.said.items():
        assert found[row].startswith(fix.replace("{place}", here)), row
    assert (told["notRun"], told["exitCode"]) == ([], 1)


def test_the_dated_how_to_is_named_point_by_point(machine: Machine, gateway: Gateway) -> None:
    here = place(gateway)
    (machine.home / FILES["codex"]).write_text(DATED_CODEX.replace("{place}", here))
    (machine.home / FILES["opencode"]).write_text(json.dumps(DATED_OPENCODE).replace("{place}", here))
    (machine.home / FILES["claude"]).unlink()

    told = examined(machine, gateway, variables=DATED_CLAUDE | {"ONPREM_API_KEY": "sk-local"})

    assert set(faults(told)) == {
        (of("codex"), "wire-api-chat"),
        (of("codex"), "model"),
        (of("codex"), "window"),
        ("codex key", "key-refused"),
        (of("opencode"), "model"),
        ("opencode key", "key-refused"),
        (of("claude"), "url-other"),
        (of("claude"), "model"),
        (of("claude"), "window"),
        (of("claude"), "output-cap"),
        (of("claude"), "two-keys"),
        ("claude key", "key-refused"),
        *((f"{agent} key", "key-refused") for agent in BY_VARIABLE),
    }
    assert told["exitCode"] == 1


def test_without_its_key_file_every_agent_and_the_platform_say_so(machine: Machine, gateway: Gateway) -> None:
    (machine.home / ".config/onprem/key").unlink()

    told = examined(machine, gateway)

    found = faults(told)
    assert set(found) == {(probe, "key-missing") for probe in (*(of(agent) for agent in FILES), "key")}
    assert all(fix.startswith(NEW_KEY) for fix in found.values())
    assert (tuple(told["notRun"]), told["exitCode"]) == (ANSWERS, 1)


def test_a_wrong_key_is_named_with_its_file(machine: Machine, gateway: Gateway) -> None:
    file = machine.home / ".config/onprem/key"
    file.write_text("nobodys-key-0123456789abcdef0123456789\n")

    told = examined(machine, gateway)

    assert faults(told) == {
        ("chat", "key-refused"): (
            f"the key from the file {file} is wrong, expired or revoked: get a new one from the platform team"
        )
    }
    assert (tuple(told["notRun"]), told["exitCode"]) == (ANSWERS[1:], 1)


def test_a_revoked_key_is_named_like_a_wrong_one(tmp_path: Path, clis: Path, gateway: Gateway) -> None:
    machine = Machine(home=tmp_path / "home", agent="all", clis=clis)
    machine.set_up(gateway, "erin")
    assert (found := faults(examined(machine, gateway))) == {}, found

    onprem_keys(gateway, "revoke", "erin")
    deadline = time.monotonic() + 30
    told = examined(machine, gateway)
    while not faults(told):
        assert time.monotonic() < deadline, "the key still opens"
        told = examined(machine, gateway)

    ((probe, fix),) = faults(told).items()
    assert probe == ("chat", "key-refused")
    assert "is wrong, expired or revoked: get a new one from the platform team" in fix
    assert (tuple(told["notRun"]), told["exitCode"]) == (ANSWERS[1:], 1)


def test_an_old_host_is_named_and_the_new_one_tells_what_to_change(
    machine: Machine, gateway: Gateway
) -> None:
    here, old = place(gateway), f"agents.moved.invalid:{gateway.port}"
    for where in ADDRESSES.values():
        change(machine, where, here, old)
    change(machine, "cn", f"    headers:\n      Host: {old}\n", "")  # which it gets for localhost alone
    kept = machine.home / ".config/onprem/connection.json"
    text = (
        kept.read_text().replace(here, old).replace('"host": "localhost"', '"host": "agents.moved.invalid"')
    )
    kept.write_text(text)

    told = examined(machine, gateway)
    assert faults(told) == {
        ("dns", "dns"): (
            "check your VPN and DNS; if the platform has another name by now: onprem-agents setup --host NAME"
        )
    }
    assert (tuple(told["notRun"]), told["exitCode"]) == (
        ("connection", "tls", *STRANGERS, *ANSWERS),
        3,
    )

    told = examined(machine, gateway, "--host", here)
    found = faults(told)
    assert set(found) == {("drift", "drift"), *((of(agent), "url-other") for agent in FILES)}
    assert all(f"onprem-agents setup --host {here}" in fix for fix in found.values())
    assert (told["notRun"], told["exitCode"]) == ([], 1)


@pytest.mark.parametrize(
    ("host", "cause"), [("agents.moved.invalid", "dns"), ("127.0.0.1:1", "refused"), ("{place}", "tls")]
)
def test_a_gateway_that_gives_no_contract_is_a_verdict_as_well(
    tmp_path: Path, clis: Path, gateway: Gateway, host: str, cause: str
) -> None:
    stranger = Machine(home=tmp_path / "home", agent="all", clis=clis)

    told = examined(stranger, gateway, "--host", host.replace("{place}", place(gateway)))

    assert [row["cause"] for row in told["verdicts"] if row["severity"] != "ok"] == [cause]
    assert told["exitCode"] == 3


@pytest.mark.parametrize("agent", UNATTENDED)
def test_the_doctor_lets_a_real_agent_write_a_file_and_looks_at_it(
    machine: Machine, gateway: Gateway, agent: str
) -> None:
    told = examined(machine, gateway, "--agent", agent)

    assert told["verdicts"][-1]["probe"] == f"{agent} at work"
    assert "hello.txt was written" in told["verdicts"][-1]["evidence"]
    assert (told["notRun"], told["exitCode"]) == ([], 0)


def test_the_real_codex_refuses_the_dated_setting_and_the_doctor_tells_why(
    machine: Machine, gateway: Gateway
) -> None:
    change(machine, "codex", 'wire_api = "responses"', 'wire_api = "chat"')

    told = examined(machine, gateway, "--agent", "codex")

    assert {("codex at work", "wire-api-chat"), (of("codex"), "wire-api-chat")} == set(faults(told))
    assert told["exitCode"] == 1


def test_what_the_stack_changed_since_setup_is_named_and_setup_mends_it(
    machine: Machine, gateway: Gateway
) -> None:
    checkout = gateway.checkout
    before = checkout.platform()
    smaller = checkout.platform()
    smaller["models"][0]["context"] = context = 32768
    checkout.write_stack("local", smaller)
    try:
        done = checkout.dev("gateway", "--detach")
        assert done.code == 0, done.text
        told = examined(machine, gateway)
        again = machine.onprem(gateway, "setup", "all", "--yes")
        mended = examined(machine, gateway)
    finally:
        checkout.write_stack("local", before)
        done = checkout.dev("gateway", "--detach")

    assert done.code == 0, done.text
    found = faults(told)
    assert found["drift", "drift"] == f"run: onprem-agents setup --host {place(gateway)}"
    large = [name for name, expected in EXPECTED.items() if expected.least_context_tokens > context]
    small = [name for name in EXPECTED if name not in large]
    unsupported = {(of(agent), "unsupported") for agent in large}
    assert "claude" in large, "Claude Code's own prompt leaves no room in 32,768 tokens"
    assert set(found) == {
        ("drift", "drift"),
        *unsupported,
        *((of(agent), "window") for agent in small),
        *((of(agent), "output-cap") for agent in small if agent not in WITHOUT_CAP),
    }
    assert again.code == 0, again.text
    assert all(f"left out {agent}" in again.text for agent in large)
    assert set(faults(mended)) == unsupported
