"""keys-are-bare, keys-are-read-from-both-headers, backend-keys-have-their-name: keys that open nothing."""

from __future__ import annotations

from collections.abc import Mapping

from ..attachment import AI_GATEWAY
from ..graph import UNKNOWN, Graph, Resource, Value, Violation, dig, items
from ..openings import openings, policies_before
from ..secret_texts import secrets_named, texts_of

# What Claude Code, Codex, opencode and the SDKs of OpenAI and Anthropic send their key in (run 2026-11).
HEADERS = ("authorization", "x-api-key")
# Envoy AI Gateway v1.1, BackendSecurityPolicy: the name in the Secret for each of its types (read 2026-08).
_BACKEND_KEYS = {"APIKey": "apiKey", "AnthropicAPIKey": "apiKey"}


def keys_are_bare(graph: Graph) -> list[Violation]:
    """A Secret of developers' keys holds the bare key: Envoy takes `Bearer ` off what a client sends, not off a Secret.

    A value that is only known at run time is taken on trust, as keys are. No value is repeated.
    """
    found: dict[str, Violation] = {}
    for policy in _checks(graph):
        for ref in items(dig(policy.props, "spec", "apiKeyAuth", "credentialRefs")):
            space = dig(ref, "namespace") or policy.namespace
            for secret in secrets_named(graph, dig(ref, "name"), space):
                for name, text in texts_of(secret):
                    if text.lower().startswith("bearer "):
                        message = (
                            f"{secret} keeps the key of {name} with the word Bearer before it, which {policy} will"
                            " never find: each request ends in 401."
                        )
                        change = f"Keep the bare key of {name} in it."
                        violation = Violation(resource=secret, message=message, change=change)
                        found.setdefault(violation.told, violation)
    return list(found.values())


def keys_are_read_from_both_headers(graph: Graph) -> list[Violation]:
    """A check of keys reads `authorization` and `x-api-key`: agents send one or the other.

    Advisory: a team may have agents of one kind alone. Headers that are only known at run time count.
    """
    found: dict[str, Violation] = {}
    for policy in _checks(graph):
        sources = dig(policy.props, "spec", "apiKeyAuth", "extractFrom")
        headers = [header for source in items(sources) for header in _known(dig(source, "headers"))]
        if sources is UNKNOWN or UNKNOWN in headers:
            continue
        read = {str(header).lower() for header in headers}
        missing = [header for header in HEADERS if header not in read]
        if missing:
            where = " or ".join(missing)
            message = (
                f"{policy} does not read a key from {where}, where some agents send it: they end in 401."
            )
            change = f"Add {{headers: [{missing[0]}]}} to apiKeyAuth.extractFrom, an entry for each header."
            violation = Violation(resource=policy, message=message, change=change)
            found.setdefault(violation.told, violation)
    return list(found.values())


def backend_keys_have_their_name(graph: Graph) -> list[Violation]:
    """The Secret of a BackendSecurityPolicy has its key under `apiKey`: else the backend is dropped and requests hang.

    Judged where the Secret is in the program and its names are known.
    """
    found = []
    for policy in graph.of_kind(AI_GATEWAY, "BackendSecurityPolicy") if openings(graph) else ():
        wanted = _BACKEND_KEYS.get(str(dig(policy.props, "spec", "type")))
        kind = "anthropicAPIKey" if dig(policy.props, "spec", "anthropicAPIKey") is not None else "apiKey"
        ref = dig(policy.props, "spec", kind, "secretRef")
        space = dig(ref, "namespace") or policy.namespace
        for secret in secrets_named(graph, dig(ref, "name"), space) if wanted is not None else ():
            names = [
                name
                for part in ("data", "stringData")
                if isinstance(dig(secret.props, part), Mapping)
                for name in dig(secret.props, part)
            ]
            if names and wanted not in names:
                message = (
                    f"{secret} keeps the server's key under {', '.join(map(str, names))}, but {policy} reads {wanted}:"
                    " its backends are dropped and requests hang."
                )
                change = f"Name it {wanted}."
                found.append(Violation(resource=secret, message=message, change=change))
    return found


def _checks(graph: Graph) -> list[Resource]:
    """Return the policies that check keys before model servers."""
    found = {
        policy.urn: policy
        for opening in openings(graph)
        for listener in opening.listeners
        for policy in policies_before(graph, opening, listener)
        if isinstance(dig(policy.props, "spec", "apiKeyAuth"), Mapping)
    }
    return list(found.values())


def _known(headers: Value) -> list[Value]:
    return [UNKNOWN] if headers is UNKNOWN else list(items(headers))
