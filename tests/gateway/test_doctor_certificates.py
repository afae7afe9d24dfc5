"""The doctor and what a machine trusts: CA files that are wrong, damaged or gone, and shells older than them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from embedded.cluster.certificates import Pki
from tests.agents.machine import Machine
from tests.gateway.examined import change, examined, faults
from tests.gateway.gateway import Gateway
from tests.gateway.wrong_setups import (
    ANSWERS,
    BY_VARIABLE,
    FILES,
    NO_NODE,
    NODE_ALONE,
    SHELL_LINES,
    STRANGERS,
    of,
)


@pytest.fixture
def machine(set_up_machine: Machine) -> Machine:
    return set_up_machine


def other_ca(machine: Machine) -> Path:
    pki = Pki(machine.home / "other")
    pki.client("nobody")
    return pki.ca


def take_other_ca(machine: Machine) -> None:
    (machine.home / ".config/onprem/ca.pem").write_bytes(other_ca(machine).read_bytes())


def break_ca(machine: Machine) -> None:
    (machine.home / ".config/onprem/ca.pem").write_text("not a certificate\n")


@pytest.mark.parametrize(
    ("harm", "evidence", "fix"),
    [
        (
            take_other_ca,
            "the certificate is not trusted by",
            "another CA signed it: fetch the present CA file (",
        ),
        (break_ca, "ca.pem cannot be used: ", "it is damaged or no CA file: fetch it anew ("),
    ],
)
def test_a_ca_file_that_does_not_fit_stops_everything_and_is_named(
    machine: Machine, gateway: Gateway, harm: Callable[[Machine], None], evidence: str, fix: str
) -> None:
    harm(machine)

    told = examined(machine, gateway)

    (row,) = (row for row in told["verdicts"] if row["severity"] != "ok")
    assert (row["probe"], row["cause"], row["severity"]) == ("tls", "tls", "unreachable")
    assert evidence in row["evidence"]
    assert row["fix"].startswith(fix)
    assert row["fix"].endswith("onprem-agents setup --ca-file FILE")
    assert (tuple(told["notRun"]), told["exitCode"]) == ((*STRANGERS, *ANSWERS), 3)


def test_a_ca_file_that_is_gone_is_missed_by_those_that_know_no_other(
    machine: Machine, gateway: Gateway
) -> None:
    (machine.home / ".config/onprem/ca.pem").unlink()

    told = examined(machine, gateway)

    found = faults(told)
    assert set(found) == {(f"{agent} certificate", "ca-missing") for agent in NODE_ALONE}
    assert all(fix.startswith("give your organisation's CA file (") for fix in found.values())
    assert (told["notRun"], told["exitCode"]) == ([], 1)


def test_a_shell_older_than_setup_knows_neither_the_ca_nor_the_variables_and_is_told(
    machine: Machine, gateway: Gateway
) -> None:
    (machine.home / ".bashrc").unlink()

    told = examined(machine, gateway)

    found = faults(told)
    assert set(found) == {
        *((f"{agent} certificate", "old-shell") for agent in FILES if agent != "claude"),
        *((of(agent), "old-shell") for agent in (*BY_VARIABLE, "copilot")),
    }
    assert all(fix.startswith("start a new shell") for fix in found.values())
    assert (told["notRun"], told["exitCode"]) == ([], 1)


def test_an_agent_that_is_told_of_another_ca_is_named(machine: Machine, gateway: Gateway) -> None:
    other = other_ca(machine)
    lines = machine.home / SHELL_LINES
    lines.write_text(lines.read_text() + f"export CODEX_CA_CERTIFICATE={other} SSL_CERT_FILE={other}\n")
    change(machine, "claude", str(machine.home / ".config/onprem/ca.pem"), str(machine.home / "gone.pem"))
    told = examined(machine, gateway)

    assert set(faults(told)) == {
        *((f"{agent} certificate", "ca-wrong") for agent in NO_NODE),
        ("claude certificate", "ca-missing"),
    }
