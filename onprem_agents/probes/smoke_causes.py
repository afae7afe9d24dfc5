"""Why a request failed: from the transport's error or the answer's status to a cause and its fix."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from onprem_agents.agents.diagnosis import Diagnosis, Severity

PARSER_FIX = (
    "start vLLM with --enable-auto-tool-choice and the --tool-call-parser of this model's family"
    " (and its chat template, where the model card asks for one)"
)

# What chat templates say themselves (Qwen, Mistral, Gemma, Llama; 2026-11) of messages that they cannot place.
_TEMPLATE = re.compile(
    r"(?i)system message must be|roles must alternate|(?:unknown|unexpected|invalid) (?:message )?role"
)
_TEMPLATE_FIX = (
    "the model's chat template does not take the messages of this agent (Codex sends two of the role developer): the"
    " platform team sets chatTemplate of the role to one that does"
)
_OVERLOADED = 529  # Anthropic's own status for a full server; translation proxies pass it on (2026-11)
# Envoy's overload manager and circuit breakers, and model servers with a full queue (2026-11).
_OVERLOAD = re.compile(r"(?i)overload|overflow|too many|at capacity|queue (?:is )?full|try again|\bbusy\b")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was asked for and how, for messages; `key_source` names a variable or file, it is never a key."""

    base_url: str
    model: str
    key_source: str | None
    timeout_seconds: float


def of_error(error: httpx.HTTPError, asked: Asked) -> Diagnosis:
    """Return the cause of a request that got no answer."""
    host = httpx.URL(asked.base_url).host
    found = next(filter(None, (_of_root(root, host) for root in _chain(error))), None)
    name, evidence, fix = found or _of_transport(error, asked, host)
    return Diagnosis(cause=name, severity=Severity.UNREACHABLE, evidence=evidence, fix=fix)


def _of_root(root: BaseException, host: str) -> tuple[str, str, str] | None:
    if isinstance(root, socket.gaierror):
        fix = f"check {host} in --base-url, or your VPN and DNS"
        return "dns", f"the name {host} is not known: {root}", fix
    if isinstance(root, ssl.SSLCertVerificationError):
        return "tls", root.verify_message or str(root), _certificate_fix(root, host)
    if isinstance(root, ssl.SSLError):
        return "tls", str(root), "the port may not speak TLS: check scheme and port of --base-url"
    if isinstance(root, ConnectionRefusedError):
        fix = "check the port of --base-url, and that the gateway runs and no firewall is in between"
        return "refused", f"{host} refused the connection", fix
    return None


def _of_transport(error: httpx.HTTPError, asked: Asked, host: str) -> tuple[str, str, str]:
    if isinstance(error, httpx.ProxyError):
        return "proxy", str(error), f"a proxy from the environment stands in between: add {host} to NO_PROXY"
    if isinstance(error, httpx.ConnectTimeout):
        fix = f"check that {host} can be reached from here (VPN, firewall)"
        return "timeout", f"no connection within {asked.timeout_seconds:g} s", fix
    if isinstance(error, httpx.TimeoutException):
        fix = "the server may be loading the model or be overloaded: look at its pods, or raise --timeout"
        return "timeout", f"no answer within {asked.timeout_seconds:g} s", fix
    fix = "look at the log of the gateway for this moment; an address with http:// on a TLS port looks so too"
    return "cut", f"the connection broke: {error or type(error).__name__}", fix


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _certificate_fix(error: ssl.SSLCertVerificationError, host: str) -> str:
    text = error.verify_message or str(error)
    if "expired" in text or "not yet valid" in text:
        return "have the platform team renew the gateway's certificate, and check this machine's clock"
    if "mismatch" in text or "not valid for" in text:
        return f"use the host name that the certificate was made for, or have it made for {host}"
    return "give the file of your organisation's CA with --ca-file"


def of_status(
    status: int, body: str, asked: Asked, *, location: str = "", served: Sequence[str] = ()
) -> Diagnosis:
    """Return the cause of an answer with another status than success.

    `served` are the models that the endpoint lists, if known.
    """
    message = error_text(body)
    evidence = f"HTTP {status}: {message or 'no text'}"
    if location:
        fix = "use the address that it points to; agents do not follow redirects with their key"
        return Diagnosis(cause="redirect", evidence=f"HTTP {status} points to {location}", fix=fix)
    # LiteLLM 1.109.1 without a database answers a wrong key with 400 "No connected db."; 2026-11.
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) or "No connected db" in message:
        return _key_cause(status, evidence, asked)
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND) and _names_the_model(message, asked.model):
        known = f" (served: {', '.join(served)})" if served else ""
        fix = f"use a served model name{known}: vLLM's --served-model-name, not the name of a repository"
        return Diagnosis(cause="model", evidence=evidence, fix=fix)
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        return Diagnosis(cause="path", evidence=evidence, fix=_path_fix(asked.base_url))
    return _limit_cause(status, evidence, message)


def _key_cause(status: int, evidence: str, asked: Asked) -> Diagnosis:
    if asked.key_source is None:
        fix = "no key was sent: name its variable with --key-env or its file with --key-file"
        return Diagnosis(cause="key-missing", evidence=evidence, fix=fix)
    if status == HTTPStatus.FORBIDDEN:
        fix = f"the key from {asked.key_source} may not use this model or path: ask the platform team"
        return Diagnosis(cause="key-forbidden", evidence=evidence, fix=fix)
    fix = (
        f"the key from {asked.key_source} is wrong, expired or revoked: get a new one from the platform team"
    )
    return Diagnosis(cause="key-refused", evidence=evidence, fix=fix)


def _names_the_model(message: str, model: str) -> bool:
    return bool(re.search(r"(?i)\bmodel\b", message)) and (
        model in message or bool(re.search(r"(?i)does not exist|not found|invalid model name", message))
    )


def _path_fix(base_url: str) -> str:
    path = httpx.URL(base_url).path.rstrip("/")
    if path.endswith(("/chat/completions", "/messages", "/responses")):
        return "give the base address alone: it ends at /v1, the probes add the rest"
    if path.count("/v1") > 1:
        return "the address has /v1 twice: remove one"
    if not path.endswith("/v1"):
        return f"the base URL must end at /v1: try {base_url.rstrip('/')}/v1"
    return "nothing serves chat/completions at this address: check that it is vLLM or the gateway before it"


def _limit_cause(status: int, evidence: str, message: str) -> Diagnosis:
    name, fix = "request", "the server refuses a plain request: read its answer above"
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        name, fix = (
            "body-limit",
            "raise the gateway's body limit: agents send hundreds of KiB, then several MiB",
        )
    elif is_busy(status, message):
        name, fix = "busy", "a quota is used up or the server is full: wait, or ask for a larger quota"
    elif status in (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT):
        name, fix = "upstream", "the gateway runs but no model server answers behind it: is its pod ready?"
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        name, fix = "server", "look at the log of the model server for this moment"
    elif re.search("enable-auto-tool-choice|tool-call-parser", message):
        name, fix = "tool-parser", PARSER_FIX
    elif _TEMPLATE.search(message):
        name, fix = "chat-template", _TEMPLATE_FIX
    elif re.search("(?i)context length|max_tokens|max_completion_tokens", message):
        name, fix = "context", "the served window is too small for an agent: raise the model's context"
    return Diagnosis(cause=name, evidence=evidence, fix=fix)


def is_busy(status: int, text: str) -> bool:
    """Return whether an answer says that there is too much to do at the moment, as a gateway or server says it."""
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return bool(_OVERLOAD.search(text))
    return status in (HTTPStatus.TOO_MANY_REQUESTS, _OVERLOADED)


def error_text(body: str) -> str:
    """Return the message inside an error body of OpenAI, Anthropic or FastAPI shape, or the body itself."""
    try:
        data = json.loads(body)
    except ValueError:
        return re.sub(r"<[^>]*>", " ", body) if "<html" in body.lower() else body
    for key in ("error", "detail", "message"):
        if isinstance(data, dict) and key in data:
            value = data[key]
            data = value.get("message", value) if isinstance(value, dict) else value
            break
    return data if isinstance(data, str) else json.dumps(data)
