"""A stack file as a person wrote it: read strictly, with every problem of form at once.

Pulumi's own reader is lenient: it takes the last of two equal keys, and a secret in plain text is just a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from onprem_agents.errors import InvalidInput, Problem, nearest_hint
from onprem_agents.files import read_text
from onprem_agents.stack.settings import PROJECT
from onprem_agents.stack.settings_reader import parse_platform
from onprem_agents.stack.yaml_text import read_yaml

_CONFIG_KEYS = ("platform", "developerKeys", "serverKey")
# Keys of a stack file (Pulumi CLI 3.259, sdk/go/common/workspace/project.go, read 2026-11).
_TOP_KEYS = ("config", "encryptionsalt", "encryptedkey", "secretsprovider", "environment")
_SECRET_WORDS = ("apikey", "api_key", "password", "secret", "token", "privatekey", "credential")


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """What a stack file says."""

    stack: str
    path: Path
    platform: object
    """The raw value of `onprem-coding-agents:platform`, for `plan_stack`."""
    developers_with_keys: frozenset[str]
    has_server_key: bool
    encryption_salt: str | None


def stack_path(folder: Path, stack: str) -> Path:
    """Return where the file of a stack lies."""
    return folder / f"Pulumi.{stack}.yaml"


def stack_in(path: Path) -> str:
    """Return the name of the stack that a file is of."""
    return path.name.removeprefix("Pulumi.").removesuffix(".yaml")


def stack_names(folder: Path) -> tuple[str, ...]:
    """Return the names of all stacks in the folder."""
    return tuple(sorted(stack_in(path) for path in folder.glob("Pulumi.*.yaml")))


def read_stack_file(folder: Path, stack: str) -> StackFile:
    """Read `Pulumi.<stack>.yaml` in `folder`.

    Raises `InvalidInput` with all problems of form: no such stack, broken YAML, duplicate or unknown keys, wrong
    shapes, and secrets in plain text.
    """
    file, problems = examine_stack_file(folder, stack)
    if problems:
        raise InvalidInput(file.path.name, [*problems, *_platform_problems(file)])
    return file


def examine_stack_file(folder: Path, stack: str) -> tuple[StackFile, tuple[Problem, ...]]:
    """Return what the file says and its problems of form outside the platform's settings.

    Raises `InvalidInput` for a file of which nothing can be said: missing, broken, or no map.
    """
    path = stack_path(folder, stack)
    source = path.name
    text = _text(path, stack, folder)
    content, problems = read_yaml(text, source)
    document = _map(content, problems, source)
    config = _config(document, problems)
    keys = config.get(f"{PROJECT}:developerKeys")
    problems += _plain_secrets(config)
    problems += _unknown_config_keys(config)
    file = StackFile(
        stack=stack,
        path=path,
        platform=config.get(f"{PROJECT}:platform"),
        developers_with_keys=frozenset(str(name) for name in keys)
        if isinstance(keys, Mapping)
        else frozenset(),
        has_server_key=f"{PROJECT}:serverKey" in config,
        encryption_salt=document.get("encryptionsalt"),
    )
    return file, tuple(problems)


def content_of(text: str) -> object:
    """Return what the text of a stack file holds, right or wrong; None where it is not even YAML."""
    try:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _text(path: Path, stack: str, folder: Path) -> str:
    if path.exists() or not folder.is_dir():
        return read_text(path, "a stack file", fix="name the folder of the stack files with --stacks FOLDER")
    known, bare = stack_names(folder), stack_in(Path(stack))
    problem = Problem(
        where=str(path),
        cause="unknown-name",
        found="no such file",
        why=f"there is no stack {stack!r}" if known else f"no stack file lies in {folder}",
        fix=f"{nearest_hint(bare, known)} (or write it)"
        if known
        else "write it ('onprem-agents advise --write FILE' begins one), or name another folder with --stacks",
    )
    raise InvalidInput(path.name, [problem])


def _map(content: object, problems: list[Problem], source: str) -> Mapping[str, Any]:
    if content is None:
        return {}
    if isinstance(content, Mapping):
        return content
    shape = Problem(
        where="the file",
        cause="wrong-shape",
        found=type(content).__name__,
        why="a stack file is a map with the key 'config'",
        fix=f"start it with 'config:' and put '{PROJECT}:platform:' below",
    )
    raise InvalidInput(source, [*problems, shape])


def _config(document: Mapping[str, Any], problems: list[Problem]) -> Mapping[str, Any]:
    problems += [
        Problem(
            where=str(key),
            cause="unknown-key",
            found=f"the key {str(key)!r}",
            why="Pulumi ignores it at this level",
            fix=f"{nearest_hint(str(key), _TOP_KEYS)} Settings belong below 'config:'",
        )
        for key in document
        if key not in _TOP_KEYS
    ]
    config = document.get("config") or {}
    if not isinstance(config, Mapping):
        problems.append(
            Problem(
                where="config",
                cause="wrong-shape",
                found=type(config).__name__,
                why="it is a map from 'project:key' to values",
                fix=f"put '{PROJECT}:platform:' below 'config:'",
            )
        )
        return {}
    return {str(key): value for key, value in config.items()}


def _unknown_config_keys(config: Mapping[str, Any]) -> Iterator[Problem]:
    for key in config:
        namespace, _, name = key.partition(":")
        if not name or (namespace == PROJECT and name not in _CONFIG_KEYS):
            known = [f"{PROJECT}:{known}" for known in _CONFIG_KEYS]
            yield Problem(
                where=f"config.{key}",
                cause="unknown-key",
                found=f"the key {key!r}",
                why="the program reads no such key",
                fix=nearest_hint(key, known),
            )


def _plain_secrets(config: Mapping[str, Any]) -> Iterator[Problem]:
    keys = config.get(f"{PROJECT}:developerKeys")
    if isinstance(keys, Mapping) and "secure" not in keys:
        for developer, value in keys.items():
            for part in value if isinstance(value, list) else [value]:
                if not (isinstance(part, Mapping) and "secure" in part):
                    yield _plain(f"{PROJECT}:developerKeys.{developer}")
    elif keys is not None and not isinstance(keys, Mapping):
        yield _plain(f"{PROJECT}:developerKeys")
    server_key = config.get(f"{PROJECT}:serverKey")
    if server_key is not None and not (isinstance(server_key, Mapping) and "secure" in server_key):
        yield _plain(f"{PROJECT}:serverKey")
    yield from _secret_words(config.get(f"{PROJECT}:platform"), f"{PROJECT}:platform")


def _secret_words(value: object, path: str) -> Iterator[Problem]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            folded = str(key).replace("-", "").replace("_", "").casefold()
            if isinstance(inner, str) and folded in _SECRET_WORDS:
                yield _plain(f"{path}.{key}")
            yield from _secret_words(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _secret_words(inner, f"{path}[{index}]")


def _plain(path: str) -> Problem:
    return Problem(
        where=f"config.{path}",
        cause="secret-in-plain-text",
        found="a value in plain text (not shown)",
        why="whoever can read the repository could use it",
        fix="delete it here, make a new one and set it with "
        f"'pulumi config set --secret --path {PROJECT}:developerKeys.NAME' (it reads the value from standard input)",
    )


def _platform_problems(file: StackFile) -> tuple[Problem, ...]:
    try:
        parse_platform(file.platform, file.path.name)
    except InvalidInput as error:
        return error.problems
    return ()
