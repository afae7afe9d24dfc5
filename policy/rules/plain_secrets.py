"""secrets-are-not-plain: a key in a pod's spec or a ConfigMap is read by all who may read those, and kept in states."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..graph import UNKNOWN, Graph, Resource, Value, Violation, dig, items
from ..openings import openings
from ..pods import Container, is_proxy, pods
from ..serving import servers

# Names of variables that hold one. A tokenizer's tokens are none, and neither is the name of a Secret.
SECRET_NAMES = re.compile(
    r"(?:^|_)(?:API_?KEY|ACCESS_KEY|SECRET_KEY|MASTER_KEY|SALT_KEY|TOKEN|PASSWORD|PASSWD"
    r"|(?:API|APP|CLIENT|COOKIE|JWT|SESSION|SHARED|SIGNING|WEBHOOK)_SECRET)$"
)
TOKENIZER_NAMES = re.compile(r"(?:^|_)(?:BOS|CLS|EOS|MASK|PAD|SEP|STOP|UNK)_TOKEN$")
KEY_OPTIONS = ("--api-key", "--hf-token", "--ssl-keyfile-password")
# How keys of Hugging Face, OpenAI and its followers, Anthropic, AWS, GitHub and NVIDIA begin (read 2026-11).
KEYS = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{16,}|AKIA[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{20,}|nvapi-[\w-]{20,})"
)
# Where keys stand in configurations: LiteLLM 1.109's, and the environment that Envoy Gateway v1.9 gives Redis' client.
_CONFIGURED = re.compile(
    r"[\"']?\b(?:master_key|api_key|salt_key|redis_password)[\"']?\s*:\s*[\"']?([^\s\"',}]+)"
    r"|\bname:\s*[\"']?REDIS_AUTH[\"']?[,\s]+value:\s*[\"']?([^\s\"',}]+)"
)
URL_PASSWORD = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@'\"]*:([^\s/@'\"]+)@")
"""The password in the URL of a database or a cache."""
# What stands for a key that is put in later, or for none: no secret.
PLACEHOLDERS = re.compile(
    r"^(?:|none|null|empty|unused|true|false|\d+|<.*>|\$.*|\{\{.*\}\}|os\.environ/.*|/.*|placeholder|.*[-_ ]here"
    r"|(?:(?:hf|sk)[-_])?(?:x+|\*+|\.+|…|(?:dummy|fake|no[-_ ]|not[-_ ]|your|my[-_ ]|insert|replace|change).*))$",
    re.IGNORECASE,
)


def secrets_are_not_plain(graph: Graph) -> list[Violation]:
    """No key, token or password stands in the environment, the command or a ConfigMap of model serving.

    A variable whose value is only known at run time is one all the same: it will stand there in plain text. What
    stands for a key that is put in elsewhere (`os.environ/NAME`, `$NAME`, `<your key>`, EMPTY) is none. The value is
    never repeated.
    """
    found: dict[str, Violation] = {}
    for pod in pods(graph):
        for container in pod.containers:
            for where, fix in (*_in_environment(container), *_in_words(container)):
                message = (
                    f"{pod.resource} has a key in plain text in {where}: whoever may read the object, its history or"
                    " the state has it."
                )
                change = f"{fix}, and replace that key."
                violation = Violation(resource=pod.resource, message=message, change=change)
                found.setdefault(violation.told, violation)
    for resource, where in _in_config_maps(graph):
        message = (
            f"{resource} has a key in plain text in {where}: whoever may read the object or the state has it."
        )
        change = (
            "Put it into a Secret and read it from a variable (LiteLLM: os.environ/NAME; Envoy Gateway: REDIS_AUTH of"
            " rateLimitDeployment), and replace that key."
        )
        violation = Violation(resource=resource, message=message, change=change)
        found.setdefault(violation.told, violation)
    return list(found.values())


def _in_environment(container: Container) -> Iterator[tuple[str, str]]:
    for entry in items(container.props.get("env")):
        name, value = dig(entry, "name"), dig(entry, "value")
        if not isinstance(name, str) or value is None:
            continue
        secret = names_a_key(name) and (value is UNKNOWN or not stands_for_a_key(value))
        if secret or _holds_a_key(value):
            yield f"{container.field}.env[{name}]", "Take it from a Secret with valueFrom.secretKeyRef"


def _in_words(container: Container) -> Iterator[tuple[str, str]]:
    for key in ("command", "args"):
        words = items(container.props.get(key))
        for place, word in enumerate(words):
            following = words[place + 1] if place + 1 < len(words) else None
            if _gives_a_key(word, following) or _holds_a_key(word):
                yield (
                    f"{container.field}.{key}",
                    "Take it from the environment (VLLM_API_KEY, HF_TOKEN), from a Secret",
                )


def _gives_a_key(word: Value, following: Value) -> bool:
    if not isinstance(word, str):
        return False
    for option in KEY_OPTIONS:
        if word == option:
            return following is UNKNOWN or (isinstance(following, str) and not stands_for_a_key(following))
        if word.startswith(f"{option}="):
            return not stands_for_a_key(word.partition("=")[2])
        inside = re.search(rf"{option}[ =]+['\"]?([^\s'\"]+)", word)
        if inside is not None:
            return not stands_for_a_key(inside[1])
    return False


def _in_config_maps(graph: Graph) -> Iterator[tuple[Resource, str]]:
    mounted = list(_read_config_maps(graph))
    for resource in graph.of_kind("core", "ConfigMap"):
        data = dig(resource.props, "data")
        is_read = (resource.object_name, resource.namespace) in mounted
        if not is_read and not (is_of_envoy_gateway(data) and any(openings(graph))):
            continue
        for key, text in data.items() if isinstance(data, Mapping) else ():
            named = names_a_key(str(key)) and not stands_for_a_key(text)
            if named or _holds_a_key(text) or any(not stands_for_a_key(key) for key in keys_in(text)):
                yield resource, f"data[{key}]"


def is_of_envoy_gateway(data: Value) -> bool:
    """Whether a ConfigMap holds Envoy Gateway's own configuration, which its controller reads."""
    texts = data.values() if isinstance(data, Mapping) else ()
    return any(isinstance(text, str) and re.search(r"\bkind\W+EnvoyGateway\b", text) for text in texts)


def _read_config_maps(graph: Graph) -> Iterator[tuple[Value, Value]]:
    for pod in pods(graph) if any(servers(graph)) or any(is_proxy(pod) for pod in pods(graph)) else ():
        space = pod.resource.namespace
        for volume in items(dig(pod.spec, "volumes")):
            yield dig(volume, "configMap", "name"), space
        for container in pod.containers:
            for source in items(container.props.get("envFrom")):
                yield dig(source, "configMapRef", "name"), space


def keys_in(text: Value) -> list[str]:
    """Return what stands in a configuration of LiteLLM or Envoy Gateway where its keys do."""
    return [key for pair in _CONFIGURED.findall(text) for key in pair if key] if isinstance(text, str) else []


def names_a_key(name: str) -> bool:
    """Whether a variable of that name holds a key, a token or a password."""
    return SECRET_NAMES.search(name.upper()) is not None and TOKENIZER_NAMES.search(name.upper()) is None


def _holds_a_key(value: Value) -> bool:
    if not isinstance(value, str):
        return False
    passwords = URL_PASSWORD.findall(value)
    return KEYS.search(value) is not None or any(not stands_for_a_key(each) for each in passwords)


def stands_for_a_key(value: Value) -> bool:
    """Whether a value is none, or stands for a key that is put in later."""
    return not isinstance(value, str) or PLACEHOLDERS.match(value.strip()) is not None
