"""Twins about keys: where they stand in plain text, and in which form a Secret holds them."""

from __future__ import annotations

import base64
from itertools import product

from ..hosted import HOSTS
from ..rules.plain_secrets import KEY_OPTIONS, KEYS, PLACEHOLDERS, SECRET_NAMES, TOKENIZER_NAMES
from ..rules.shell_commands import UNCHECKING
from .scope import PODS, words_of
from .twin import Resources, Twin, get, pattern, text, texts

_PREFIX = "bearer "


def _plain() -> str:
    upper = "e.name.upperAscii()"
    named = f"({upper}.matches({pattern(SECRET_NAMES)}) && !{upper}.matches({pattern(TOKENIZER_NAMES)}))"
    secret = f"({named} && !e.value.trim().matches({pattern(PLACEHOLDERS)}))"
    keys = f"matches({pattern(KEYS)})"
    variables = f"{get('c', 'env', default='[]')}.filter(e, has(e.value) && ({secret} || e.value.{keys}))"
    words = f"{words_of('c')}.exists(w, w.{keys} || {_given('w')})"
    told = f'({variables}.map(e, "the variable " + e.name) + ({words} ? ["its command"] : [])).join(", ")'
    return f'variables.containers.map(c, {told}).filter(t, t != "").map(t, "has a key in plain text in " + t)'


def _given(word: str) -> str:
    """Whether a word gives a key behind the sign of equality of an option."""
    options = "|".join(KEY_OPTIONS)
    value = f'{word}.substring({word}.indexOf("=") + 1)'
    return f"({word}.matches({text(f'^(?:{options})=')}) && !{value}.matches({pattern(PLACEHOLDERS)}))"


def _hosted() -> str:
    """The hosts of providers, alone or in a URL, as the value of a variable."""
    names = "|".join(
        (rf"[^/?#:@\s]*{host}" if host.startswith(".") else host).replace(".", "[.]") for host in HOSTS
    )
    regex = rf"(?i)^(?:[a-z][a-z0-9+.-]*://)?(?:{names})(?::[0-9]*)?(?:/.*)?$"
    named = f'{get("c", "env", default="[]")}.filter(e, e.?value.orValue("").matches({text(regex)}))'
    told = f'{named}.map(e, e.name).join(", ")'
    return (
        f'variables.serving.size() == 0 ? [] : variables.containers.map(c, {told}).filter(t, t != "")'
        '.map(t, "names a hosted provider in " + t)'
    )


def _unchecked() -> str:
    """The variables by which programs take any certificate."""
    switches = " || ".join(
        f'(e.name == {text(name)} && e.?value.orValue("").lowerAscii() in {texts(values)})'
        for name, values in UNCHECKING.items()
    )
    named = f"{get('c', 'env', default='[]')}.filter(e, {switches}).map(e, e.name)"
    return (
        f'variables.containers.map(c, {named}.join(", ")).filter(t, t != "")'
        '.map(t, "takes any certificate by " + t)'
    )


def _prefixes() -> list[str]:
    """Return how values of a Secret begin that hold the word Bearer: whole groups of three bytes in base64."""
    spellings = map("".join, product(*((letter, letter.upper()) for letter in _PREFIX[:6])))
    return sorted({base64.b64encode(each.encode()).decode() for each in spellings})


def _worded() -> str:
    # The seventh byte, a space, begins the next group: its first six bits are an I.
    starts = f'{texts(_prefixes())}.exists(q, object.data[k].startsWith(q + "I"))'
    data = get("object", "data", default="{}")
    return (
        f'!(object.metadata.?name.orValue("") in variables.keySecrets) ? [] : {data}.map(k, k).filter(k, {starts})'
        '.map(k, "keeps the key of " + k + " with the word Bearer before it")'
    )


TWINS = (
    Twin(
        policy="keys-are-bare",
        on=(Resources(group="", plurals=("secrets",)),),
        faults=_worded(),
        why="the check of keys will never find it and each request ends in 401. Keep the bare key.",
        settings=("keySecrets",),
    ),
    Twin(
        policy="no-hosted-models",
        on=PODS,
        about_pods=True,
        faults=_hosted(),
        why="what goes there leaves the premises. Remove it from env.",
    ),
    Twin(
        policy="secrets-are-not-plain",
        on=PODS,
        about_pods=True,
        faults=_plain(),
        why="whoever may read the object or its history has it. Take it from a Secret with valueFrom.secretKeyRef, and"
        " replace that key.",
    ),
    Twin(
        policy="certificates-are-checked",
        on=PODS,
        about_pods=True,
        faults=_unchecked(),
        why="a key or a prompt goes to whoever stands on the way. Remove it, and mount the CA's certificate"
        " (SSL_CERT_FILE).",
    ),
)
