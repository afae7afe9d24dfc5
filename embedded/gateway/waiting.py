"""Whether the gateway does what was declared: told from outside, by requests such as an agent sends."""

from __future__ import annotations

import base64
import ssl
import time
from pathlib import Path

import httpx

from embedded.gateway.refusals import refused_by_envoy, refused_objects
from embedded.ports import LOOPBACK
from onprem_agents.cluster import KubeClient
from onprem_agents.contract.connection import WELL_KNOWN_PATH
from onprem_agents.errors import EnvironmentProblem
from onprem_agents.manifests.endpoints import COUNT_TOKENS
from onprem_agents.manifests.gateway_auth import key_secret_name
from onprem_agents.plan import PlatformPlan

_LIMIT_SECONDS = 60.0
_REFUSED_SECONDS = 12.0
_POLL_SECONDS = 0.1
# Envoy's own answers while it has no working route or server; a server's 404 or 400 is an answer.
_NOT_YET = frozenset({401, 403, 502, 503, 504})


def wait_for_gateway(
    plan: PlatformPlan, client: KubeClient, ca_file: Path, log: Path, *, since_bytes: int = 0
) -> None:
    """Wait until everything declared is accepted, the contract is served, and a key decides who gets through.

    Raises `EnvironmentProblem` with the last answer and the log: what is refused is given some seconds to be
    looked at again, everything else a minute. `since_bytes` is where this run began in the log.
    """
    began = time.monotonic()
    developer = plan.developers[0]
    secret = client.get("v1", "Secret", key_secret_name(developer), plan.namespace)
    key = base64.b64decode(secret["data"][developer]).decode()
    with _http(plan, ca_file) as http:
        while True:
            refused = refused_objects(client, plan.namespace)
            trouble = refused[0] if refused else _trouble(plan, http, key)
            if trouble is None:
                return
            if by_envoy := refused_by_envoy(log, since_bytes):
                trouble = by_envoy
            seconds = _REFUSED_SECONDS if refused or by_envoy else _LIMIT_SECONDS
            if time.monotonic() >= began + seconds:
                raise EnvironmentProblem(
                    f"the gateway does not do what the stack declares: {trouble}. Log: {log}"
                )
            time.sleep(_POLL_SECONDS)


def _http(plan: PlatformPlan, ca_file: Path) -> httpx.Client:
    port = plan.access.port
    return httpx.Client(
        base_url=f"https://{LOOPBACK}:{port}",
        headers={"Host": f"{plan.access.host}:{port}", "User-Agent": "onprem-gateway-check"},
        verify=ssl.create_default_context(cafile=ca_file),
        timeout=10,
        trust_env=False,
    )


def _trouble(plan: PlatformPlan, http: httpx.Client, key: str) -> str | None:
    name = {"sni_hostname": plan.access.host}
    body = {"model": plan.main.name, "messages": [{"role": "user", "content": "hi"}]}
    try:
        contract = http.get(WELL_KNOWN_PATH, extensions=name)
        if contract.status_code != httpx.codes.OK:
            return f"GET {WELL_KNOWN_PATH} answered {contract.status_code}"
        without = http.post(COUNT_TOKENS, json=body, extensions=name)
        if without.status_code != httpx.codes.UNAUTHORIZED:
            return f"POST {COUNT_TOKENS} without a key answered {without.status_code} instead of 401"
        headers = {"Authorization": f"Bearer {key}"}
        with_key = http.post(COUNT_TOKENS, json=body, headers=headers, extensions=name)
        if with_key.status_code in _NOT_YET:
            return f"POST {COUNT_TOKENS} with a key answered {with_key.status_code}: {with_key.text[:200]}"
    except httpx.HTTPError as error:
        return f"{plan.access.host}:{plan.access.port} gives no answer ({error})"
    return None
