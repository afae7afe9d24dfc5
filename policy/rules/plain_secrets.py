"""secrets-are-not-plain: a key in a pod's spec or a ConfigMap is read by all who may read those, and kept in states."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..graph import UNKNOWN, Graph, Resource, Value, Violation, dig, items
from ..pods import Container, is_proxy, pods, served

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
        change = "Put it into a Secret and read it from a variable (LiteLLM: os.environ/NAME), and replace that key."
        violation = Violation(resource=resource, message=message, change=change)
        found.setdefault(violation.told, violation)
    return list(found.values())


def _in_environment(container: Container) -> Iterator[tuple[str, str]]:
    for entry in items(container.props.get("env")):
        name, value = dig(entry, "name"), dig(entry, "value")
        if not isinstance(name, str) or value is None:
            continue
        secret = _names_one(name) and (value is UNKNOWN or not _stands_for_one(value))
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
            return following is UNKNOWN or (isinstance(following, str) and not _stands_for_one(following))
        if word.startswith(f"{option}="):
            return not _stands_for_one(word.partition("=")[2])
        inside = re.search(rf"{option}[ =]+['\"]?([^\s'\"]+)", word)
        if inside is not None:
            return not _stands_for_one(inside[1])
    return False


def _in_config_maps(graph: Graph) -> Iterator[tuple[Resource, str]]:
    mounted = list(_read_config_maps(graph))
    for resource in graph.of_kind("core", "ConfigMap"):
        if (resource.object_name, resource.namespace) not in mounted:
            continue
        data = dig(resource.props, "data")
        for key, text in data.items() if isinstance(data, Mapping) else ():
            named = _names_one(str(key)) and not _stands_for_one(text)
            if named or _holds_a_key(text) or _has_a_litellm_key(text):
                yield resource, f"data[{key}]"


def _read_config_maps(graph: Graph) -> Iterator[tuple[Value, Value]]:
    for pod in pods(graph) if served(graph) or any(is_proxy(pod) for pod in pods(graph)) else ():
        space = pod.resource.namespace
        for volume in items(dig(pod.spec, "volumes")):
            yield dig(volume, "configMap", "name"), space
        for container in pod.containers:
            for source in items(container.props.get("envFrom")):
                yield dig(source, "configMapRef", "name"), space


def _has_a_litellm_key(text: Value) -> bool:
    if not isinstance(text, str):
        return False
    for found in re.finditer(
        r"[\"']?\b(?:master_key|api_key|salt_key)[\"']?\s*:\s*[\"']?([^\s\"',}]+)", text
    ):
        if not _stands_for_one(found[1]):
            return True
    return False


def _names_one(name: str) -> bool:
    return SECRET_NAMES.search(name.upper()) is not None and TOKENIZER_NAMES.search(name.upper()) is None


def _holds_a_key(value: Value) -> bool:
    return isinstance(value, str) and KEYS.search(value) is not None


def _stands_for_one(value: Value) -> bool:
    return not isinstance(value, str) or PLACEHOLDERS.match(value.strip()) is not None
