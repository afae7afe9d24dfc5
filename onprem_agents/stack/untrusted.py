"""How strings from outside are checked that end up in files, shells and HTTP headers; `domain` names their types.

Every check refuses control characters, shell metacharacters and anything that looks like a credential, so
whoever prints such a string later cannot be made to run or leak something. Refusals carry why and fix.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from onprem_agents.errors import Finding

MAX_TEXT_CHARS = 300
_MAX_HOST_CHARS = 253  # RFC 1035 section 2.3.4
PUNCTUATION = " .,:/@_+=%-"
PROSE_PUNCTUATION = PUNCTUATION + ";()'#"
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
    return has_key_prefix(text) or any(_is_random(run) for run in _LONG_RUN.findall(text))


def has_key_prefix(text: str) -> bool:
    """Tell whether a text holds what issuers put in front of credentials."""
    return _KEY_PREFIX.search(text) is not None


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


def refusal(*refusals: Finding) -> PydanticCustomError:
    """Return the pydantic error that carries one or more refusals, so that all are reported at once."""
    text = "; ".join(f"{item.found or 'the value'}: {item.why}; {item.fix}" for item in refusals)
    return PydanticCustomError("refused", "{text}", {"text": text, "refusals": refusals})


def _is_random(run: str) -> bool:
    letters_and_digits = re.search("[A-Za-z]", run) and re.search("[0-9].*[0-9]", run)
    unbroken = re.search("[A-Za-z0-9]{20}", run)
    mixed = re.search("[a-z]", run) and re.search("[A-Z]", run) and len(run) >= _TOKEN_CHARS
    return bool(letters_and_digits and (unbroken or mixed))


def refuse_key(text: str) -> str:
    """Return a text that may be published, or raise the refusal of one that looks like a key."""
    if looks_like_key(text):
        raise refusal(
            Finding(
                cause="looks-like-key",
                found="",
                why="it looks like a key, and the connection contract is published without any secret in it",
                fix="say where to get the key, never the key itself; give another name otherwise",
            )
        )
    return text


def made_of(punctuation: str) -> AfterValidator:
    """Return a check that a text is made of letters, digits and these, and holds nothing like a key."""

    def check(text: str) -> str:
        bad = sorted({char for char in text if not (char.isalnum() or char in punctuation)})
        if bad:
            raise refusal(
                Finding(
                    cause="bad-value",
                    found="",
                    why=f"{''.join(bad[:8])!a} could act on a shell, a terminal or a config file",
                    fix=f"use letters, digits, blanks and {' '.join(punctuation.strip())} alone",
                )
            )
        return refuse_key(text)

    return AfterValidator(check)


def check_host(host: str) -> str:
    """Return a DNS name or IP address, or raise the refusal."""
    if not (_is_address(host) or is_dns_name(host)):
        raise refusal(
            Finding(
                cause="bad-value",
                found="",
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


def is_dns_name(host: str) -> bool:
    """Tell whether a text is a DNS name in lower case that cannot be taken for an IP address."""
    labels = host.split(".")
    short = len(host) <= _MAX_HOST_CHARS
    return short and not labels[-1].isdigit() and all(_HOST_LABEL.fullmatch(label) for label in labels)


def check_url(url: str) -> str:
    """Return a plain address that a key may be sent to, or raise the refusal."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    plain = f"{parts.scheme}://{parts.netloc}{parts.path}" == url
    if parts.scheme not in ("https", "http") or not plain or "@" in parts.netloc:
        raise refusal(
            Finding(
                cause="bad-value",
                found="",
                why="it is not a plain http(s) address (no user, query, fragment or blank)",
                fix="give an address such as https://agents.example.internal/v1",
            )
        )
    if not _URL_PATH.fullmatch(parts.path) or parts.netloc.endswith(":"):
        raise refusal(
            Finding(
                cause="bad-value",
                found="",
                why="its path or port holds characters or steps that an API address has no use for",
                fix="use a path of plain words, such as /v1",
            )
        )
    check_host(host)
    if parts.scheme == "http" and not is_loopback(host):
        raise refusal(
            Finding(
                cause="bad-value",
                found="",
                why="the developer's key would travel in clear text",
                fix="use https; http is accepted for this machine (127.0.0.1, localhost) alone",
            )
        )
    return url


def check_model_id(model_id: str) -> str:
    """Return a model's public name, or raise the refusal."""
    if not _MODEL_ID.fullmatch(model_id) or ".." in model_id or has_key_prefix(model_id):
        raise refusal(
            Finding(
                cause="bad-value",
                found="",
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


@dataclass(frozen=True)
class Shape:
    """A check that a whole text has one shape: `what` it is, in words, and what is `like` it, for messages."""

    pattern: str
    what: str
    like: str
    published: bool = True
    """Whether the text stands in the connection contract, so that nothing like a key may stand in it."""

    def check(self, text: str) -> str:
        """Return the text, or raise the refusal."""
        if not re.fullmatch(self.pattern, text, re.ASCII):
            fix = f"write it like {self.like}"
            raise refusal(Finding(cause="bad-value", found="", why=f"it must be {self.what}", fix=fix))
        return refuse_key(text) if self.published else text

    def __get_pydantic_core_schema__(self, source: type[str], handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic call the check after its own."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Tell editors the pattern, and in words what it means (a word of the YAML and JSON language servers)."""
        return handler(schema) | {"pattern": f"^({self.pattern})$", "patternErrorMessage": self.what}
