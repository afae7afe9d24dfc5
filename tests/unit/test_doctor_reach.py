"""The doctor on the way to the platform: name, port, certificate, and what stands in between."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from onprem_agents.agents.diagnosis import Severity
from onprem_agents.probes.reach import reach
from tests.unit.platform_server import platform
from tests.unit.test_smoke_wire import self_signed


def test_a_closed_port_is_told_and_nothing_else_is_tried() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    found = list(reach(f"http://127.0.0.1:{port}/v1", None, {}))
    assert [(verdict.probe, verdict.cause) for verdict in found] == [("dns", "ok"), ("connection", "refused")]
    assert found[-1].severity is Severity.UNREACHABLE


def test_an_unknown_name_is_dns() -> None:
    (found,) = reach("https://agents.invalid/v1", None, {})
    assert (found.probe, found.cause) == ("dns", "dns")
    assert "VPN" in found.fix


def test_a_port_without_tls_is_tls() -> None:
    with platform() as server:
        found = list(reach(f"https://{server.authority}/v1", None, {}))
    assert (found[-1].probe, found[-1].cause) == ("tls", "tls")


def test_a_private_ca_is_trusted_by_its_file_and_told_without(tmp_path: Path) -> None:
    ca_file, chain = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with platform(tls=context) as server:
        trusted = list(reach(f"https://{server.authority}/v1", ca_file, {}))
        unknown = list(reach(f"https://{server.authority}/v1", None, {}, ca_hint="in the wiki"))
    assert [(item.probe, item.cause) for item in trusted] == [
        ("dns", "ok"),
        ("connection", "ok"),
        ("tls", "ok"),
    ]
    assert (unknown[-1].probe, unknown[-1].cause, unknown[-1].severity) == (
        "tls",
        "tls",
        Severity.UNREACHABLE,
    )
    assert unknown[-1].evidence.startswith("the certificate is not trusted by this machine's certificates: ")
    (tmp_path / "others").mkdir()
    other, _ = self_signed(tmp_path / "others")
    with platform(tls=context) as server:
        *_, wrong = reach(f"https://{server.authority}/v1", other, {}, ca_hint="in the wiki")
    assert wrong.cause == "tls"
    assert f"not trusted by {other}" in wrong.evidence
    assert wrong.fix.startswith("another CA signed it: fetch the present CA file (in the wiki)")
    other.write_text("not a certificate\n")
    with platform(tls=context) as server:
        *_, damaged = reach(f"https://{server.authority}/v1", other, {}, ca_hint="in the wiki")
    assert damaged.evidence.startswith(f"the CA file {other} cannot be used: ")
    assert damaged.fix.startswith("it is damaged or no CA file: fetch it anew (in the wiki)")
    assert unknown[-1].fix == (
        "run onprem-agents setup --ca-file FILE with your organisation's CA file (in the wiki), then start a new shell"
    )


@pytest.mark.parametrize(
    ("variables", "caught"),
    [
        ({"HTTP_PROXY": "http://proxy:3128"}, True),
        ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "other,localhost"}, False),
        ({"HTTP_PROXY": "http://proxy:3128", "no_proxy": "*"}, False),
        ({"HTTPS_PROXY": "http://proxy:3128"}, False),
    ],
)
def test_a_proxy_in_between_is_told(variables: dict[str, str], caught: bool) -> None:
    with platform() as server:
        found = list(reach(f"http://localhost:{server.server_address[1]}/v1", None, variables))
    assert ("proxy" in [verdict.cause for verdict in found]) is caught
