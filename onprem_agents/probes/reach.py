"""Can the gateway be reached from here: name, proxy, connection, certificate; each found out by itself."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from onprem_agents.agents.diagnosis import Diagnosis, Severity
from onprem_agents.probes.address import Address
from onprem_agents.probes.discovery import proxy_variable
from onprem_agents.probes.patient import verdict
from onprem_agents.probes.smoke_causes import Asked, of_error
from onprem_agents.probes.verdict import Verdict, fine

CONNECT_SECONDS = 15.0


def reach(
    base_url: str,
    ca_file: Path | None,
    variables: Mapping[str, str],
    *,
    ca_hint: str | None = None,
    address: Address | None = None,
) -> Iterator[Verdict]:
    """Yield a verdict each for name, proxy, connection and certificate; stops at the first that fails.

    `ca_hint` is what the platform says about where its CA file is. With an `address` the name is not looked up.
    """
    parts = urlsplit(base_url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if address is not None:
        asked = Asked(base_url=base_url, model="", key_source=None, timeout_seconds=CONNECT_SECONDS)
        yield from _connect((address.host, address.port or port), host, parts.scheme, ca_file, asked, ca_hint)
        return
    asked = Asked(base_url=base_url, model="", key_source=None, timeout_seconds=CONNECT_SECONDS)
    try:
        addresses = sorted(
            {str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        )
    except (OSError, UnicodeError) as error:
        fix = (
            "check your VPN and DNS; if the platform has another name by now: onprem-agents setup --host NAME"
        )
        yield verdict("dns", replace(_cause(error, asked), fix=fix))
        return
    yield verdict("dns", fine(f"{host} is {', '.join(addresses[:4])}"))
    proxy = _proxy(host, parts.scheme, variables)
    if proxy is not None:
        fix = f"add {host} to NO_PROXY (onprem-agents setup does, for new shells)"
        evidence = f"{proxy} sends requests for {host} through a proxy, the agents' requests as well"
        yield verdict("proxy", Diagnosis(cause="proxy", evidence=evidence, fix=fix))
    yield from _connect((host, port), host, parts.scheme, ca_file, asked, ca_hint)


def names_of_reach(base_url: str) -> tuple[str, ...]:
    """Return the names of what `reach` yields of a gateway that is found by its name."""
    return ("dns", "connection", "tls") if base_url.startswith("https:") else ("dns", "connection")


def _connect(
    to: tuple[str, int], host: str, scheme: str, ca_file: Path | None, asked: Asked, ca_hint: str | None
) -> Iterator[Verdict]:
    try:
        with socket.create_connection(to, timeout=CONNECT_SECONDS) as plain:
            where = f"port {to[1]}" if to[0] == host else f"{to[0]} on port {to[1]}"
            yield verdict("connection", fine(f"{where} answers"))
            if scheme == "https":
                yield verdict("tls", _tls(plain, host, ca_file, asked, ca_hint))
    except OSError as error:
        yield verdict("connection", _cause(error, asked))


def _tls(
    plain: socket.socket, host: str, ca_file: Path | None, asked: Asked, ca_hint: str | None
) -> Diagnosis:
    by = f"by {ca_file}" if ca_file else "by this machine's certificates"
    where = f" ({ca_hint})" if ca_hint else ""
    fix = f"run onprem-agents setup --ca-file FILE with your organisation's CA file{where}, then start a new shell"
    if ca_file:
        fix = (
            f"another CA signed it: fetch the present CA file{where}, then onprem-agents setup --ca-file FILE"
        )
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        evidence = f"the CA file {ca_file} cannot be used: {error.strerror or error}"
        fix = f"it is damaged or no CA file: fetch it anew{where}, then onprem-agents setup --ca-file FILE"
        return Diagnosis(cause="tls", severity=Severity.UNREACHABLE, evidence=evidence, fix=fix)
    try:
        with context.wrap_socket(plain, server_hostname=host) as secure:
            end = (secure.getpeercert() or {}).get("notAfter", "")
    except ssl.SSLCertVerificationError as error:
        cause = _cause(error, asked)
        evidence = f"the certificate is not trusted {by}: {cause.evidence}"
        return replace(cause, evidence=evidence, fix=fix if "--ca-file" in cause.fix else cause.fix)
    except OSError as error:
        return _cause(error, asked)
    return fine(f"the certificate is trusted {by}, until {end}")


def _cause(error: Exception, asked: Asked) -> Diagnosis:
    wrapped = httpx.ConnectTimeout("") if isinstance(error, TimeoutError) else httpx.ConnectError(str(error))
    wrapped.__cause__ = error
    cause = of_error(wrapped, asked)
    assert cause.severity is Severity.UNREACHABLE  # noqa: S101 - what cannot be reached cannot be tested
    return cause


def _proxy(host: str, scheme: str, variables: Mapping[str, str]) -> str | None:
    """Return the variable that makes clients use a proxy for this host, or None."""
    name = proxy_variable(scheme, variables)
    for entry in f"{variables.get('NO_PROXY', '')},{variables.get('no_proxy', '')}".lower().split(","):
        bare = entry.strip().lstrip("*.")
        if entry.strip() == "*" or (bare and (host == bare or host.endswith(f".{bare}"))):
            return None
    return None if _is_local(host) else name


def _is_local(host: str) -> bool:
    """Tell whether clients reach this host without a proxy in any case; only a literal loopback is sure."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
