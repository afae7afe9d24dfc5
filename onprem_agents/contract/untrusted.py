"""Strings from outside that end up in files, shells and HTTP headers: one narrow type for each kind.

Every type refuses control characters, shell metacharacters and anything that looks like a credential, so
whoever prints such a string later cannot be made to run or leak something. Refusals carry why and fix.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

MAX_TEXT_CHARS = 300
_MAX_HOST_CHARS = 253  # RFC 1035 section 2.3.4
_PUNCTUATION = " .,:/@_+=%-"
_PROSE_PUNCTUATION = _PUNCTUATION + ";()'#"
_HOST_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.ASCII)
_URL_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*", re.ASCII)
_MODEL_ID = re.compile(r"[A-Za-z0-9/][A-Za-z0-9._:/@+-]*", re.ASCII)
# Prefixes that issuers of credentials publish, so that scanners can find them (OpenAI, Anthropic, GitHub,
# GitLab, Hugging Face, Slack, AWS, Google, Pulumi), JSON web tokens, PEM blocks, bearer headers; 2026-11.
_KEY_PREFIX = re.compile(
    r"\bsk-[A-Za-z0-9_-]{4,}|\b(?:ghp|gho|ghs|github_pat|hf)_[A-Za-z0-9]{8,}|\bglpat-[A-Za-z0-9_-]{8,}"
    r"|\bxox[abprs]-|\bAKIA[0-9A-Z]{12,}|\bAIza[A-Za-z0-9_-]{20,}|\bpul-[0-9a-f]{20,}"
    r"|\beyJ[A-Za-z0-9_-]{10,}|-----BEGIN|\bBearer\s+\S{6,}"
)
_TOKEN_CHARS = 32  # 192 bits in base64url, the least that common generators of API keys give
_LONG_RUN = re.compile(r"[A-Za-z0-9_-]{20,}", re.ASCII)


def looks_like_key(text: str) -> bool:
    """Tell whether a free text holds something that looks like a credential."""
    return bool(_KEY_PREFIX.search(text)) or any(_is_random(run) for run in _LONG_RUN.findall(text))


def shown(value: object, *, limit: int = 60) -> str:
    """Return a value from outside as one printable line, without ever showing a credential."""
    if isinstance(value, str) and looks_like_key(value):
        return f"a text of {len(value)} characters that looks like a key (not shown)"
    if isinstance(value, str) and re.search("//[^/]*@", value):
        return f"an address of {len(value)} characters with a user or password (not shown)"
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    text = ascii(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a value is refused: what was found (empty: the value itself), the reason, and what to change."""

    found: str = ""
    why: str
    fix: str


def refusal(*refusals: Refusal) -> PydanticCustomError:
    """Return the pydantic error that carries one or more refusals, so that all are reported at once."""
    text = "; ".join(f"{item.found or 'the value'}: {item.why}; {item.fix}" for item in refusals)
    return PydanticCustomError("refused", "{text}", {"text": text, "refusals": refusals})


def _is_random(run: str) -> bool:
    letters_and_digits = re.search("[A-Za-z]", run) and re.search("[0-9].*[0-9]", run)
    unbroken = re.search("[A-Za-z0-9]{20}", run)
    mixed = re.search("[a-z]", run) and re.search("[A-Z]", run) and len(run) >= _TOKEN_CHARS
    return bool(letters_and_digits and (unbroken or mixed))


def _refuse_key(text: str) -> str:
    if looks_like_key(text):
        raise refusal(
            Refusal(
                why="it looks like a key, and this contract is published without any secret in it",
                fix="say where to get the key (auth.keyHint), never the key itself",
            )
        )
    return text


def _of(punctuation: str) -> AfterValidator:
    def check(text: str) -> str:
        bad = sorted({char for char in text if not (char.isalnum() or char in punctuation)})
        if bad:
            raise refusal(
                Refusal(
                    why=f"{''.join(bad[:8])!a} could act on a shell, a terminal or a config file",
                    fix=f"use letters, digits, blanks and {' '.join(punctuation.strip())} alone",
                )
            )
        return _refuse_key(text)

    return AfterValidator(check)


def _check_host(host: str) -> str:
    if not (_is_address(host) or _is_dns_name(host)):
        raise refusal(
            Refusal(
                why="it is neither a DNS name in lower case nor an IP address",
                fix="give the bare host name, such as agents.example.internal",
            )
        )
    return host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host  # a zone may hold any character


def _is_dns_name(host: str) -> bool:
    labels = host.split(".")
    short = len(host) <= _MAX_HOST_CHARS
    return short and not labels[-1].isdigit() and all(_HOST_LABEL.fullmatch(label) for label in labels)


def _check_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    plain = f"{parts.scheme}://{parts.netloc}{parts.path}" == url
    if parts.scheme not in ("https", "http") or not plain or "@" in parts.netloc:
        raise refusal(
            Refusal(
                why="it is not a plain http(s) address (no user, query, fragment or blank)",
                fix="give an address such as https://agents.example.internal/v1",
            )
        )
    if not _URL_PATH.fullmatch(parts.path) or parts.netloc.endswith(":"):
        raise refusal(
            Refusal(
                why="its path or port holds characters or steps that an API address has no use for",
                fix="use a path of plain words, such as /v1",
            )
        )
    _check_host(host)
    if parts.scheme == "http" and not is_loopback(host):
        raise refusal(
            Refusal(
                why="the developer's key would travel in clear text",
                fix="use https; http is accepted for this machine (127.0.0.1, localhost) alone",
            )
        )
    return url


def _check_model_id(model_id: str) -> str:
    if not _MODEL_ID.fullmatch(model_id) or ".." in model_id or _KEY_PREFIX.search(model_id):
        raise refusal(
            Refusal(
                why="it is not a model name of letters, digits and . _ : / @ + -",
                fix="name the model as its publisher does, such as Qwen/Qwen3.6-27B-FP8",
            )
        )
    return model_id


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _shaped(pattern: str, *, like: str) -> AfterValidator:
    """Return a check that the whole text has that shape; `like` is an example for the message."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise refusal(Refusal(why="it has another shape than such a name must have", fix=f"like {like}"))
        return _refuse_key(text)

    return AfterValidator(check)


PlainText = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS), _of(_PUNCTUATION)]
# For explanations that are shown on a terminal and never become part of a file.
Prose = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS), _of(_PROSE_PUNCTUATION)]
HostName = Annotated[str, AfterValidator(_check_host)]
ApiUrl = Annotated[str, Field(max_length=MAX_TEXT_CHARS), AfterValidator(_check_url)]
RoleName = Annotated[str, _shaped(r"[a-z][a-z0-9-]{0,30}", like="coder or fast-2")]
# Any agent's: a platform may be newer than the developer's release, and know more of them.
AgentName = Annotated[str, _shaped(r"[a-z][a-z0-9-]{0,30}", like="codex")]
# No slash: gateways and routers match served names in paths; no comma: claude-code-router splits at it.
ServedName = Annotated[str, _shaped(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", like="coder (no slash, no blank)")]
# Only our own prefix: any other name would let a contract make an agent send, say, GITHUB_TOKEN to its host.
KeyEnvName = Annotated[str, _shaped(r"ONPREM_[A-Z][A-Z0-9_]{0,40}", like="ONPREM_API_KEY (always ONPREM_…)")]
ModelId = Annotated[str, Field(max_length=200), AfterValidator(_check_model_id)]
VersionText = Annotated[str, _shaped(r"[0-9][0-9A-Za-z.+-]{0,31}", like="2.1.330")]
