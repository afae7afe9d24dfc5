"""What commands of model serving do with keys: a shell that prints them, a client that gives them to anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator

from onprem_agents.vllm.shell import script_of

from ..graph import Graph, Violation, dig, items
from ..pods import Container, pods
from .plain_secrets import names_a_key

# POSIX sh and bash: what turns tracing on and off (read 2026-11).
_TRACE_ON = re.compile(r"(?:^|[\n;&|({]|\b(?:then|do|else)\b)\s*set\s+(?:-[a-z]*x[a-z]*|-[a-z]*o\s+xtrace)\b")
_TRACE_OFF = re.compile(r"(?:^|[\n;&|({])\s*(?:\{\s*)?set\s+(?:\+[a-z]*x[a-z]*|\+o\s+xtrace)\b")
_TRACING_FLAG = re.compile(r"-[a-z]*x[a-z]*|xtrace")
# `$NAME`, `${NAME…}` but for `${NAME:+…}`, and what the kubelet puts in for `$(NAME)`.
_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)(?!\w|:?\+)|\$\(([A-Za-z_]\w*)\)")
_COMMENT = re.compile(r"(?m)(?:^|\s)#.*$")
# curl 8 and wget 1.25: what makes them take any certificate.
_UNCHECKED = re.compile(
    r"\bcurl\b[^\n;|&]*\s(?:--insecure|-[fsSLvigq46]*k[fsSLvigq46]*)(?=\s|$)|\bwget\b[^\n;|&]*--no-check-certificate"
)
_HERE = re.compile(r"https://(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])")
_SENDS_A_KEY = re.compile(r"(?i)\bauthorization\b|\bx-api-key\b|\s(?:-u|--user)\s")
# Variables by which Node.js, Python, git and LiteLLM take any certificate (read 2026-11).
UNCHECKING = {
    "NODE_TLS_REJECT_UNAUTHORIZED": ("0",),
    "PYTHONHTTPSVERIFY": ("0",),
    "GIT_SSL_NO_VERIFY": ("1", "true"),
    "SSL_VERIFY": ("false",),
}


def shells_do_not_trace_keys(graph: Graph) -> list[Violation]:
    """No shell prints the commands that it runs (`set -x`) while a key is put into them: it ends in the log.

    Read are scripts that stand in the command. What is only known at run time has no words to read; the rules of the
    pack `serving` refuse such a command.
    """
    found: dict[str, Violation] = {}
    for pod in pods(graph):
        for container in pod.containers:
            for name in _traced(_words(container)):
                message = (
                    f"{pod.resource} prints each command with what {name} holds ({container.field} runs a shell with"
                    " set -x): the key stands in the log of every start."
                )
                change = f"Remove set -x there, or write set +x before {name} is used, and replace that key."
                found.setdefault(message, Violation(resource=pod.resource, message=message, change=change))
    return list(found.values())


def certificates_are_checked(graph: Graph) -> list[Violation]:
    """No client of model serving that sends a key takes any certificate.

    Advisory: within a cluster nobody may stand between. Read are curl and wget in commands, to elsewhere than the pod
    itself, and the variables that switch the check off.
    """
    found: dict[str, Violation] = {}
    for pod in pods(graph):
        for container in pod.containers:
            for where, how in (*_unchecked_commands(container), *_unchecked_variables(container)):
                message = (
                    f"{pod.resource} takes any certificate ({how} in {where}), so a key or a prompt goes to whoever"
                    " stands on the way."
                )
                change = f"Remove {how} there and mount the CA's certificate (curl --cacert, SSL_CERT_FILE)."
                found.setdefault(message, Violation(resource=pod.resource, message=message, change=change))
    return list(found.values())


def _words(container: Container) -> list[str]:
    words = [*items(container.props.get("command")), *items(container.props.get("args"))]
    return [word if isinstance(word, str) else "" for word in words]


def _traced(words: list[str]) -> Iterator[str]:
    """Yield the variables with keys that a shell prints."""
    script = script_of(words)
    if script is None:
        return
    text = _COMMENT.sub("", script[0])
    before = words[: words.index(script[0])] if script[0] in words else []
    on = 0 if any(map(_TRACING_FLAG.fullmatch, before)) else None
    if on is None:
        start = _TRACE_ON.search(text)
        on = None if start is None else start.end()
    if on is None:
        return
    end = _TRACE_OFF.search(text, on)
    for names in _VARIABLE.findall(text[on : end.start() if end else None]):
        name = names[0] or names[1]
        if names_a_key(name):
            yield name


def _unchecked_commands(container: Container) -> Iterator[tuple[str, str]]:
    lifecycle = dig(container.props, "lifecycle", "postStart", "exec", "command")
    started = [word for word in items(lifecycle) if isinstance(word, str)]
    for field, words in ((container.field, _words(container)), (f"{container.field}.lifecycle", started)):
        text = _COMMENT.sub("", " ".join(words).replace("\\\n", " "))
        for command in re.split(r"\n|;|&&|\|\|", text):
            found = _UNCHECKED.search(command)
            keyed = _SENDS_A_KEY.search(command) or any(
                names_a_key(name) for names in _VARIABLE.findall(command) for name in names if name
            )
            if found and keyed and not _HERE.search(command):
                yield field, "curl -k" if found[0].startswith("curl") else "--no-check-certificate"


def _unchecked_variables(container: Container) -> Iterator[tuple[str, str]]:
    for entry in items(container.props.get("env")):
        name, value = dig(entry, "name"), dig(entry, "value")
        if isinstance(name, str) and str(value).casefold() in UNCHECKING.get(name, ()):
            yield f"{container.field}.env", f"{name}={value}"
