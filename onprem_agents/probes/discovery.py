"""The contract from the gateway itself: a developer needs a host name and nothing else.

What a stranger's server could do is bounded: no redirect is followed, only so many bytes are read, and a
contract that names another machine is refused.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from onprem_agents.contract.connection import WELL_KNOWN_PATH, Connection
from onprem_agents.contract.connection_file import MAX_CONTRACT_BYTES, ReadContract, read
from onprem_agents.errors import EnvironmentProblem, InvalidInput, Problem, cleaned
from onprem_agents.probes.smoke_causes import Asked, of_error
from onprem_agents.stack.untrusted import is_loopback

FETCH_SECONDS = 30.0


def published(
    host: str,
    *,
    ca_file: Path | None = None,
    seconds: float = FETCH_SECONDS,
    proxy: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> ReadContract:
    """Return the contract that `https://HOST[:PORT]` publishes.

    The gateway is asked directly, as agents do once setup has put its host into NO_PROXY, or through the `proxy` that
    is named; a proxy of the shell's `variables` is told of where that fails. `http://` is taken for this machine
    alone. Raises `InvalidInput` for a bad name or contract and `EnvironmentProblem` when nothing answers.
    """
    base = base_address(host)
    url = base + WELL_KNOWN_PATH
    context = trusting(ca_file)
    try:
        with httpx.Client(
            verify=context, timeout=seconds, follow_redirects=False, trust_env=False, proxy=proxy
        ) as http:
            text = _read(http, url, seconds)
    except httpx.HTTPError as error:
        asked = Asked(base_url=base, model="", key_source=None, timeout_seconds=seconds)
        cause = of_error(error, asked)
        evidence, fix = cleaned(cause.evidence, secret=None), cause.fix.replace("--base-url", "--host")
        if isinstance(error, httpx.ProxyError):
            evidence, fix = f"the proxy says: {evidence}", "leave --proxy out where the gateway is inside"
        elif proxy is None and (name := proxy_variable(urlsplit(base).scheme, variables or {})):
            fix += (
                f"; {name} is set and was not used, for a gateway is inside; where only the proxy reaches it:"
                " --proxy http://HOST:PORT"
            )
        raise EnvironmentProblem(f"{url} cannot be read: {evidence}; {fix}") from error
    found = read(text, url)
    of_same_machine(found.connection, base, url)
    return found


def proxy_variable(scheme: str, variables: Mapping[str, str]) -> str | None:
    """Return the variable that names a proxy for that scheme, or None."""
    of_scheme = ("HTTPS_PROXY", "https_proxy") if scheme == "https" else ("HTTP_PROXY", "http_proxy")
    return next((name for name in (*of_scheme, "ALL_PROXY", "all_proxy") if variables.get(name)), None)


def checked_proxy(text: str) -> str:
    """Return the address of a proxy; raises `InvalidInput` for what is none."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.path in ("", "/")
        _ = parts.port
    except ValueError:
        usable = False
    if usable and text.isascii() and text.isprintable():
        return text
    problem = Problem(
        where="--proxy",
        cause="bad-value",
        found="something that is no address of a proxy (not shown)",
        why="the gateway is asked through it",
        fix="give scheme, host and port, such as http://proxy.example.internal:3128",
    )
    raise InvalidInput("setup", [problem])


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Return what connections are checked with; raises `EnvironmentProblem` for an unusable CA file."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        message = f"the CA file {ca_file} cannot be used ({error}); give a readable PEM file with --ca-file"
        raise EnvironmentProblem(message) from error


def base_address(host: str) -> str:
    """Return scheme and authority for what was typed after --host; raises `InvalidInput`."""
    text = host.strip().rstrip("/")
    address = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(address)
        name, _ = parts.hostname or "", parts.port
        plain = f"{parts.scheme}://{parts.netloc}" == address and "@" not in address
        usable = plain and bool(name) and address.isascii() and address.isprintable() and " " not in address
    except ValueError:
        usable, name, parts = False, "", urlsplit("")
    if not usable or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(name))):
        problem = Problem(
            where="--host",
            cause="bad-value",
            found=ascii(host) if "@" not in host else "an address with a user or password (not shown)",
            why="it is not a host name with, perhaps, a port",
            fix="give the bare name, such as agents.example.internal or agents.example.internal:8443",
        )
        raise InvalidInput("setup", [problem])
    return address


def of_same_machine(connection: Connection, base: str, source: str) -> None:
    """Raise `InvalidInput` unless the contract names the machine that it came from."""
    if connection.anthropic_base_url == base or _loose(connection.anthropic_base_url) == _loose(base):
        return
    problem = Problem(
        where="baseUrl",
        cause="contradiction",
        found=connection.base_url,
        why=f"the contract came from {base}, and a key for it would be sent to another address",
        fix="ask the platform team which of the two is right; in their stack it is access.host, with access.port",
    )
    raise InvalidInput(source, [problem])


def _loose(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _read(http: httpx.Client, url: str, seconds: float) -> str:
    deadline = time.monotonic() + seconds
    data = bytearray()
    with http.stream("GET", url, headers={"accept": "application/json"}) as response:
        if response.is_redirect:
            to = cleaned(response.headers.get("location", "nowhere"), secret=None)
            raise EnvironmentProblem(
                f"{url} redirects to {to}, and a contract is taken from the host that was named alone;"
                " use the address that the platform team gave you"
            )
        if not response.is_success:
            raise EnvironmentProblem(
                f"{url} answered HTTP {response.status_code}: this host publishes no contract; check --host,"
                " or give the contract as a file (--connection)"
            )
        for part in response.iter_bytes():
            data += part
            if len(data) > MAX_CONTRACT_BYTES or time.monotonic() > deadline:
                break
    if time.monotonic() > deadline:
        raise httpx.ReadTimeout("the contract was still incomplete")
    return data.decode("utf-8", "replace")
