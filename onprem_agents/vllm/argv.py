"""ServeFlags to argv and back.

`to_argv` writes the arguments of one release; `parse_argv` reads what runs in the real world: `vllm serve`,
the old module, a shell script around either, `--flag=value`, underscores, abbreviations, aliases, dotted
JSON. What can't be known before the program runs is reported as unreadable, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from onprem_agents.errors import InvalidInput, Problem, nearest_hint
from onprem_agents.vllm.flags import ServeFlags, kinds, option_of
from onprem_agents.vllm.history import unknown_option_hint, unknown_value_hint
from onprem_agents.vllm.holes import HOLE
from onprem_agents.vllm.reader import Reader, UnknownOption
from onprem_agents.vllm.release import Release, nearest_release
from onprem_agents.vllm.shell import script_of, simple_commands
from onprem_agents.vllm.values import write_value

# What the command `vllm` runs (0.9.2 to 0.33, read 2026-11); as a module it also finds modules where it is started.
_MODULE = "vllm.entrypoints.cli.main"
COMMAND = ("python3", "-m", _MODULE, "serve")

Unreadable = Literal["unreadable"]
UNREADABLE: Unreadable = "unreadable"

# The fields whose values a registry of the release lists.
_REGISTRIES: Mapping[str, Callable[[Release], frozenset[str]]] = {
    "tool_call_parser": lambda facts: facts.tool_parsers,
    "reasoning_parser": lambda facts: facts.reasoning_parsers,
    "quantization": lambda facts: facts.quantization_methods,
}

# Kubernetes 1.34, core/v1 Container: `$(NAME)` is replaced where NAME is a variable of it, `$$(` stands for `$(`.
_REFERENCE = re.compile(r"\$\$\(|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")


@dataclass(frozen=True, kw_only=True)
class ParsedServe:
    """What an argv says.

    `flags` holds what could be read, `other` the options of the release that ServeFlags does not model
    (option to its texts), `unknown` what the release does not know, `problems` sentences on values it would
    refuse. `unreadable` names fields whose value is only known at run time; `opaque` means that any option
    may be set out of sight, by a variable, a config file or a script that can't be followed. `command` is
    False when argv holds arguments only, for an image whose entrypoint starts the server. `judged_by` is the
    release whose options were used, `words` are those that the server gets; none where they are out of sight.
    """

    flags: ServeFlags
    other: Mapping[str, tuple[str, ...]]
    unknown: tuple[UnknownOption, ...]
    problems: tuple[str, ...]
    unreadable: frozenset[str]
    opaque: bool
    command: bool
    judged_by: str
    words: tuple[str, ...] = ()

    def read(self, field: str) -> Any:
        """Return a field's value, None when it is surely not given, UNREADABLE when that can't be told."""
        value = getattr(self.flags, field)
        if field in self.unreadable or (value is None and self.opaque):
            return UNREADABLE
        return value


def to_argv(flags: ServeFlags, release: str, *, beside: ServeFlags | None = None) -> tuple[str, ...]:
    """Return the arguments that follow `vllm serve`: the model, then each option in the order of ServeFlags.

    A release without a folder is written by the nearest. `beside` are options that are written elsewhere, such as a
    plugin that brings a parser. Raises InvalidInput, naming every option or value that the
    release does not know.
    """
    facts = nearest_release(release)
    whole = flags if beside is None else replace(flags, **beside.given())
    problems = [found for name in flags.given() if (found := _problem(name, whole, facts)) is not None]
    if problems:
        raise InvalidInput(f"arguments for vLLM {release}", problems)
    argv = [flags.model] if flags.model is not None else []
    for name, value in flags.given().items():
        if name != "model":
            argv += _write(name, value, facts)
    return tuple(argv)


def words_of(name: str, value: Any, release: str) -> tuple[str, ...]:
    """Return the words of one field's option, as that release takes them."""
    return tuple(_write(name, value, nearest_release(release)))


def parse_argv(
    argv: Sequence[str], *, release: str | None = None, env: Mapping[str, str] | None = None
) -> ParsedServe:
    """Return what a container's command and arguments tell vLLM.

    `release` is the image's version ("0.33.0"); without one, or for one without facts, the nearest is used.
    `env` is the container's environment; a value known only at run time is given as HOLE.
    """
    known = dict(env or {})
    facts = nearest_release(release)
    script = script_of(argv)
    if script is None:
        words = [_expanded(word, known, HOLE) for word in argv]
        found = _server_words(words)
        return _parsed(words if found is None else found, facts, command=found is not None)
    if HOLE in script[0]:
        return _parsed([], facts, command=True, hidden="the script is only known at run time")
    # What Kubernetes leaves as it is, the shell takes for a command whose output nobody knows.
    text = _expanded(script[0], known, None)
    arguments = [_expanded(word, known, HOLE) for word in script[1]]
    commands = simple_commands(text, known, arguments)
    servers = [found for words in commands if (found := _server_words(words)) is not None]
    if len(servers) != 1:
        what = "several commands that start vLLM" if servers else "no command that starts vLLM"
        return _parsed([], facts, command=True, hidden=f"the script has {what}")
    return _parsed(servers[0], facts, command=True)


def parse_options(words: Sequence[str], *, release: str | None = None) -> ParsedServe:
    """Return what the arguments after `vllm serve` say, where it is certain that no shell reads them."""
    return _parsed(words, nearest_release(release), command=True)


def _parsed(words: Sequence[str], facts: Release, *, command: bool, hidden: str | None = None) -> ParsedServe:
    reader = Reader(facts)
    reader.run(words)
    return ParsedServe(
        flags=ServeFlags(**reader.fields),
        other=reader.other,
        unknown=tuple(reader.unknown),
        problems=((hidden,) if hidden else ()) + tuple(reader.problems),
        unreadable=frozenset(reader.unreadable),
        opaque=reader.opaque or hidden is not None,
        command=command,
        judged_by=facts.release,
        words=tuple(words),
    )


def _expanded(word: str, known: Mapping[str, str], unknown: str | None) -> str:
    """Return a word as Kubernetes puts variables into it; what it may not know as `unknown`, None as it stands."""

    def value(found: re.Match[str]) -> str:
        if found[1] is None:
            return "$("
        told = known.get(found[1], HOLE)
        return told if HOLE not in told else found[0] if unknown is None else unknown

    return _REFERENCE.sub(value, word)


def _server_words(words: Sequence[str]) -> list[str] | None:
    """Return the arguments of the vLLM server that these words start, or None if they start none."""
    for at, word in enumerate(words):
        following = words[at + 1] if at + 1 < len(words) else ""
        name = word.rsplit("/", 1)[-1]
        if name == "vllm" and following == "serve":
            return list(words[at + 2 :])
        if word == "-m" and following.startswith("vllm.entrypoints"):
            rest = list(words[at + 2 :])
            return rest[1:] if rest[:1] == ["serve"] else rest
        if word.endswith("vllm/entrypoints/openai/api_server.py"):
            return list(words[at + 1 :])
    return list(words[1:]) if words[:1] == ["serve"] else None  # an image whose entrypoint is `vllm`


def _write(name: str, value: Any, facts: Release) -> list[str]:
    option, kind = option_of(name), kinds()[name]
    if kind == "switch":
        return [option if value else facts.opposite(option) or option]
    texts = write_value(kind, value)
    if kind != "texts" and texts[0].startswith("-"):
        return [f"{option}={texts[0]}"]  # a separate word with a dash would be taken for an option
    return [option, *texts]


def _problem(name: str, flags: ServeFlags, facts: Release) -> Problem | None:
    """Return what that release would not take of one given field, or None."""
    option, value = option_of(name), getattr(flags, name)
    allowed = _allowed(name, flags, facts)
    dashed = name in ("model", "served_model_name") and any(
        text.startswith("-") for text in write_value(kinds()[name], value)
    )
    if option not in facts.options():
        why = f"vLLM {facts.release} does not know {option}"
        fix = unknown_option_hint(option, facts.release, facts.options())
    elif allowed and str(value) not in allowed:
        why = f"vLLM {facts.release} takes one of: {', '.join(sorted(allowed))}"
        registry = _REGISTRIES.get(name)
        fix = "choose one of these, or a release that knows it"
        if registry is not None:
            fix = unknown_value_hint(str(value), facts.release, registry)
    elif name == "chat_template" and facts.image.lacks(str(value)):
        why = f"the image of vLLM {facts.release} brings no such template and the server would stop at start"
        fix = nearest_hint(str(value).rpartition("/")[2], facts.image.templates)
    elif dashed:
        why, fix = "a name that begins with a dash is read as an option", "rename it"
    else:
        return None
    return Problem(where=option, cause="release-refuses", found=str(value), why=why, fix=fix)


def _allowed(name: str, flags: ServeFlags, facts: Release) -> frozenset[str]:
    """Return the values that the release takes for a field; empty when it takes any."""
    if name == "tool_call_parser" and flags.tool_parser_plugin:
        return frozenset()
    if name == "reasoning_parser" and flags.reasoning_parser_plugin:
        return frozenset()
    if name in _REGISTRIES:
        return _REGISTRIES[name](facts) | ({""} if name == "reasoning_parser" else frozenset())
    return frozenset(facts.choices.get(option_of(name), ()))
