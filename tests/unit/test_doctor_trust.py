"""The doctor and what each agent has of its own: the CA file it is told of, a key beside setup's; probes left out."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from onprem_agents.agents import AGENTS, Agent
from onprem_agents.agents.claude import CLAUDE
from onprem_agents.agents.cline import CLINE
from onprem_agents.agents.codex import CODEX
from onprem_agents.agents.diagnosis import Severity
from onprem_agents.agents.goose import GOOSE
from onprem_agents.agents.machine import Machine
from onprem_agents.agents.opencode import OPENCODE
from onprem_agents.agents.qwen import QWEN
from onprem_agents.contract.connection import Connection
from onprem_agents.probes.endpoint import key_of_agent
from onprem_agents.probes.examination import left_out, platform_probes
from onprem_agents.probes.local import examine
from onprem_agents.probes.patient import Patient
from onprem_agents.probes.trust import trust
from onprem_agents.probes.verdict import Verdict
from onprem_agents.setup import journal
from onprem_agents.setup.developer_key import DeveloperKey
from onprem_agents.setup.installed import Installed
from onprem_agents.setup.prepare import prepare
from tests.expected_agents import EXPECTED
from tests.unit.contract_samples import CONTRACT, contract, parsed
from tests.unit.platform_server import KEY, Platform, platform
from tests.unit.test_smoke_wire import self_signed

OWN = DeveloperKey(value=KEY, source="the test")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Platform]:
    """A platform with a certificate that only `ca.pem` in the folder vouches for."""
    ca_file, chain = self_signed(tmp_path)
    ca_file.rename(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with platform(tls=context) as running:
        yield running


def at(server: Platform) -> Connection:
    base = f"https://{server.authority}"
    wire = server.contract().to_wire()
    return parsed(wire | {"baseUrl": f"{base}/v1", "anthropicBaseUrl": base})


def there(agent: Agent) -> Installed:
    return Installed(agent=agent, path=f"/bin/{agent.name}", release=(99, 0, 0))


def set_up(
    connection: Connection, tmp_path: Path, *, ca_file: Path | None = None, **variables: str
) -> Machine:
    machine = Machine(
        home=tmp_path / "home", project=tmp_path / "work", root=tmp_path / "root", variables=variables
    )
    agents = [there(agent) for agent in AGENTS]
    done = prepare(connection, agents, machine, "user", key=OWN, ca_file=ca_file, shell="bash")  # noqa: S604 - a kind of start file
    journal.apply(done.changes, machine.history)
    return machine


def causes(found: Iterator[Verdict]) -> dict[str, str]:
    return {verdict.probe: verdict.cause for verdict in found}


def test_each_agent_is_tried_with_the_file_that_it_is_told_of(server: Platform, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    told = {agent.ca_variables[0]: str(ca_file) for agent in AGENTS}
    machine = set_up(at(server), tmp_path, ca_file=ca_file, **told)

    found = causes(trust(at(server), machine, [there(agent) for agent in AGENTS]))

    assert found == {f"{agent.name} certificate": "ok" for agent in AGENTS}


def test_a_shell_from_before_setup_tells_opencode_and_codex_nothing(server: Platform, tmp_path: Path) -> None:
    machine = set_up(at(server), tmp_path, ca_file=tmp_path / "ca.pem")

    found = list(trust(at(server), machine, [there(OPENCODE), there(CODEX), there(CLAUDE)]))

    assert [verdict.cause for verdict in found] == ["old-shell", "old-shell", "ok"]
    assert found[0].fix.startswith("start a new shell")
    assert str(machine.own_folder / "env.sh") in found[0].fix


def test_without_any_ca_file_setup_is_the_way(server: Platform, tmp_path: Path) -> None:
    machine = set_up(at(server), tmp_path)

    found = list(trust(at(server), machine, [there(CODEX)]))

    assert [(verdict.cause, verdict.severity) for verdict in found] == [("ca-not-told", Severity.BROKEN)]
    told = "give your organisation's CA file (https://wiki.example.internal/ca.pem): onprem-agents setup --ca-file"
    assert found[0].fix.startswith(told)


@pytest.mark.parametrize(("name", "cause"), [("gone.pem", "ca-missing"), ("other.pem", "ca-wrong")])
def test_a_file_that_is_gone_or_of_somebody_else_is_named(
    server: Platform, tmp_path: Path, name: str, cause: str
) -> None:
    others_ca(tmp_path)
    machine = set_up(at(server), tmp_path, CODEX_CA_CERTIFICATE=str(tmp_path / name))

    (found,) = trust(at(server), machine, [there(CODEX)])

    assert found.cause == cause
    assert f"CODEX_CA_CERTIFICATE is {tmp_path / name}" in found.evidence


def others_ca(tmp_path: Path) -> Path:
    (tmp_path / "others").mkdir()
    other, _ = self_signed(tmp_path / "others")
    return other.rename(tmp_path / "other.pem")


def test_a_shell_with_the_file_of_another_time_is_no_wrong_ca(server: Platform, tmp_path: Path) -> None:
    old = str(others_ca(tmp_path))
    machine = set_up(at(server), tmp_path, ca_file=tmp_path / "ca.pem", CODEX_CA_CERTIFICATE=old)

    (found,) = trust(at(server), machine, [there(CODEX)])

    assert found.cause == "old-shell"
    assert f"in this shell CODEX_CA_CERTIFICATE is {old}" in found.evidence


def test_a_variable_that_names_another_ca_after_setups_lines_is_no_old_shell(
    server: Platform, tmp_path: Path
) -> None:
    ca_file = tmp_path / "ca.pem"
    machine = set_up(at(server), tmp_path, ca_file=ca_file, CODEX_CA_CERTIFICATE=str(others_ca(tmp_path)))
    told = {**machine.variables, "NODE_EXTRA_CA_CERTS": str(machine.ca_file)}

    codex, opencode = trust(at(server), replace(machine, variables=told), [there(CODEX), there(OPENCODE)])

    assert (codex.cause, opencode.cause) == ("ca-wrong", "ok")
    assert codex.fix.startswith("take out what sets CODEX_CA_CERTIFICATE after setup's line")


def test_the_doctors_own_trust_is_not_that_of_an_agent_that_reads_another_variable(
    server: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, gone = str(tmp_path / "ca.pem"), str(tmp_path / "gone.pem")
    monkeypatch.setenv("SSL_CERT_FILE", right)
    machine = set_up(at(server), tmp_path, SSL_CERT_FILE=right, NODE_EXTRA_CA_CERTS=gone)
    (machine.root / "etc/ssl").mkdir(parents=True)
    shutil.copy(others_ca(tmp_path), machine.root / "etc/ssl/cert.pem")

    found = trust(at(server), machine, [there(agent) for agent in (QWEN, CLINE, CODEX, GOOSE)])

    assert [verdict.cause for verdict in found] == ["ca-missing", "ok", "ok", "ok"]


def test_a_gateway_with_a_certificate_that_everybody_trusts_needs_no_file(
    server: Platform, tmp_path: Path
) -> None:
    machine = set_up(at(server), tmp_path, NODE_EXTRA_CA_CERTS=str(others_ca(tmp_path)))
    (machine.root / "etc/ssl").mkdir(parents=True)
    shutil.copy(tmp_path / "ca.pem", machine.root / "etc/ssl/cert.pem")

    found = list(trust(at(server), machine, [there(QWEN), there(CODEX)]))

    assert {verdict.evidence for verdict in found} == {"trusted by this machine's certificates"}


@pytest.mark.parametrize("agent", [OPENCODE, CLAUDE])
def test_a_new_shell_is_no_advice_where_setup_was_given_the_wrong_file(
    server: Platform, tmp_path: Path, agent: Agent
) -> None:
    machine = set_up(at(server), tmp_path, ca_file=others_ca(tmp_path))

    (found,) = trust(at(server), machine, [there(agent)])

    assert (found.cause, str(machine.ca_file) in found.evidence) == ("ca-wrong", True)
    assert found.fix.startswith("give your organisation's CA file")


def test_neither_a_missing_agent_nor_one_that_was_not_set_up_is_tried(
    server: Platform, tmp_path: Path
) -> None:
    empty = Machine(home=tmp_path / "home", project=tmp_path, variables={})

    assert list(trust(at(server), empty, [there(CODEX)])) == []
    machine = set_up(at(server), tmp_path)
    assert list(trust(at(server), machine, [Installed(agent=CODEX, path=None)])) == []


OWN_KEYS = [(agent, *row) for agent in AGENTS for row in EXPECTED[agent.name].own_keys]


@pytest.mark.parametrize(("agent", "values", "expected"), OWN_KEYS)
def test_a_key_beside_that_of_setup_is_found_where_the_agent_has_it(
    agent: Agent, values: dict[str, Any], expected: tuple[str, str] | None
) -> None:
    variables = {"ANTHROPIC_API_KEY": "from-shell", "MINE": "from-mine"}
    assert agent.own_key(values, variables) == expected


@pytest.mark.parametrize(("key", "cause"), [(KEY, "ok"), ("sk-local", "key-refused")])
def test_an_agents_own_key_is_tried_and_never_shown(key: str, cause: str) -> None:
    with platform() as server, httpx.Client(trust_env=False) as http:
        patient = Patient(connection=server.contract(), key=OWN, http=http, timeout_seconds=10)
        (found,) = key_of_agent(patient, CODEX, key, "the variable MINE")

    assert (found.probe, found.cause) == ("codex key", cause)
    assert "the variable MINE" in found.evidence
    assert key not in repr(found)


def test_what_a_fault_left_out_is_told_in_order(tmp_path: Path) -> None:
    machine = Machine(home=tmp_path, project=tmp_path, variables={})
    with platform() as server, httpx.Client(trust_env=False) as http:
        patient = Patient(connection=server.contract(), key=None, http=http, timeout_seconds=10)
        found = list(platform_probes(patient, machine, None, slow=False))

    missing = left_out(server.contract(), found)
    assert missing[:3] == ("chat", "tool call", "streaming")
    assert (missing[-1], len(missing)) == ("context", 18)
    assert "reasoning" in missing
    assert left_out(contract(), [])[:3] == ("dns", "connection", "tls")


def test_an_agent_that_the_platform_does_not_serve_is_a_fault_only_where_it_was_set_up(
    tmp_path: Path,
) -> None:
    machine = set_up(contract(), tmp_path)
    reason = "its own prompt leaves no room in the window"
    role = CONTRACT["roles"][0] | {
        "supportedAgents": ["opencode", "codex"],
        "unsupportedReasons": {"claude": reason},
    }
    smaller = parsed({**CONTRACT, "roles": [role, *CONTRACT["roles"][1:]]})

    def told(machine: Machine) -> Verdict:
        return list(examine(smaller, there(CLAUDE), machine))[-1]

    assert (told(machine).cause, told(machine).severity) == ("unsupported", Severity.BROKEN)
    assert reason in told(machine).evidence
    elsewhere = Machine(home=tmp_path / "other", project=tmp_path, root=tmp_path / "root", variables={})
    assert (told(elsewhere).cause, told(elsewhere).severity) == ("unsupported", Severity.OK)
