"""keys-are-ones-own: a key that stands in everybody's documentation opens the door to everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..graph import Graph, Resource, Value, Violation, dig, items
from ..openings import openings, policies_before
from ..pods import Container, Pod, pods
from ..secret_texts import secrets_named, texts_of
from .plain_secrets import URL_PASSWORD, keys_in, stands_for_a_key

# Keys that documentation gives as its example (LiteLLM 1.109, vLLM 0.33; read 2026-11), and what everybody tries first.
_KNOWN = frozenset(
    (
        *("sk-1234", "sk-12345", "sk-123456", "sk-1234567890", "dbpassword9090", "token-abc123"),
        *("sk-admin", "sk-changeme", "sk-change-me", "sk-litellm", "sk-master", "sk-master-key"),
        *("admin", "administrator", "changeit", "changeme", "change-me", "change_me", "empty", "letmein"),
        *("passw0rd", "password", "sk-no-key-required", "12345678", "123456789"),
    )
)
# Variables by which vLLM and LiteLLM are told which key to accept (read 2026-11).
_ACCEPTED = ("VLLM_API_KEY", "LITELLM_MASTER_KEY", "LITELLM_SALT_KEY", "UI_PASSWORD")
_OPTION = "--api-key"


def keys_are_ones_own(graph: Graph) -> list[Violation]:
    """No key that a gateway, a proxy or a server accepts is one that everybody knows.

    Read are Secrets of the program where a check of keys, vLLM or LiteLLM takes them from, and what stands in the
    pods and in LiteLLM's configuration; another key in plain text is left to secrets-are-not-plain. A value that is
    only known at run time is taken on trust, as keys are. No value is repeated.
    """
    found: dict[str, Violation] = {}
    for resource, where in (*_in_secrets(graph), *_in_pods(graph), *_in_config_maps(graph)):
        message = (
            f"{resource} accepts a key that everybody knows ({where}): whoever tries what stands in documentation is"
            " let in."
        )
        change = f"Put one of your own there, made by: openssl rand -hex 32 ({where})."
        found.setdefault(message, Violation(resource=resource, message=message, change=change))
    return list(found.values())


def _in_secrets(graph: Graph) -> Iterator[tuple[Resource, str]]:
    for secret, wanted in _accepted(graph):
        for name, text in texts_of(secret):
            if wanted in (None, name) and _is_known(text):
                yield secret, name


def _accepted(graph: Graph) -> Iterator[tuple[Resource, str | None]]:
    """Yield the Secrets whose values are accepted as keys, each with the name of the one that is, None for all."""
    for opening in openings(graph):
        for listener in opening.listeners:
            for policy in policies_before(graph, opening, listener):
                for ref in items(dig(policy.props, "spec", "apiKeyAuth", "credentialRefs")):
                    space = dig(ref, "namespace") or policy.namespace
                    yield from ((secret, None) for secret in secrets_named(graph, dig(ref, "name"), space))
    for pod in pods(graph):
        for container in pod.containers:
            for name, key in _references(container):
                for secret in secrets_named(graph, name, pod.resource.namespace):
                    yield secret, key


def _references(container: Container) -> Iterator[tuple[Value, str]]:
    for entry in items(container.props.get("env")):
        ref = dig(entry, "valueFrom", "secretKeyRef")
        if dig(entry, "name") in _ACCEPTED and isinstance(dig(ref, "key"), str):
            yield dig(ref, "name"), dig(ref, "key")
    for source in items(container.props.get("envFrom")):
        prefix = dig(source, "prefix") or ""
        for name in _ACCEPTED:
            if isinstance(prefix, str) and name.startswith(prefix):
                yield dig(source, "secretRef", "name"), name.removeprefix(prefix)


def _in_pods(graph: Graph) -> Iterator[tuple[Resource, str]]:
    for pod in pods(graph):
        for container in pod.containers:
            for entry in items(container.props.get("env")):
                name, value = dig(entry, "name"), dig(entry, "value")
                if (name in _ACCEPTED and _is_ours(value)) or any(map(_is_ours, _passwords(value))):
                    yield pod.resource, f"{container.field}.env[{name}]"
            if _gives_a_known_key(pod, container):
                yield pod.resource, f"{container.field}.args"


def _gives_a_known_key(pod: Pod, container: Container) -> bool:
    words = [*items(container.props.get("command")), *items(container.props.get("args"))]
    return pod.serves and any(
        (word == _OPTION and _is_ours(after))
        or (isinstance(word, str) and word.startswith(f"{_OPTION}=") and _is_ours(word.partition("=")[2]))
        for word, after in zip(words, [*words[1:], None], strict=False)
    )


def _in_config_maps(graph: Graph) -> Iterator[tuple[Resource, str]]:
    mounted = [
        (dig(volume, "configMap", "name"), pod.resource.namespace)
        for pod in pods(graph)
        for volume in items(dig(pod.spec, "volumes"))
    ]
    for resource in graph.of_kind("core", "ConfigMap"):
        data = dig(resource.props, "data")
        if (resource.object_name, resource.namespace) in mounted and isinstance(data, Mapping):
            for key, text in data.items():
                if "master_key" in str(text) and any(map(_is_ours, keys_in(text))):
                    yield resource, f"data[{key}]"


def _passwords(value: Value) -> list[str]:
    return URL_PASSWORD.findall(value) if isinstance(value, str) else []


def _is_ours(value: Value) -> bool:
    """Whether a value is known to everybody and no other rule takes it for a key in plain text."""
    return _is_known(value) and stands_for_a_key(value)


def _is_known(value: Value) -> bool:
    return isinstance(value, str) and value.strip().casefold() in _KNOWN
