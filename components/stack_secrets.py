"""The stack's secrets: read, checked, and wrapped before anybody else sees them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pulumi
from pulumi.runtime.config import is_config_secret

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.stack.secrets import check_keys

from .config_value import config_value


@dataclass(frozen=True, kw_only=True)
class StackSecrets:
    """Keys as secret Outputs; whose they are is plain."""

    developer_keys: Mapping[str, pulumi.Output[list[str]]]
    server_key: pulumi.Output[str]


def read_stack_secrets(config: pulumi.Config, names: Collection[str] | None, source: str) -> StackSecrets:
    """Return `developerKeys` and `serverKey` of the stack, whose developers are `names` (None: nobody can tell).

    Raises `InvalidInput` with every problem, which names no key.
    """
    developer_keys, server_key = config_value(config, "developerKeys"), config.get("serverKey")
    given = {"developerKeys": developer_keys, "serverKey": server_key}
    problems = [
        _plain_text(name)
        for name, value in given.items()
        if value and not is_config_secret(config.full_key(name))
    ]
    try:
        keys = check_keys(developer_keys, server_key, names, source)
    except InvalidInput as error:
        raise InvalidInput(source, [*problems, *error.problems]) from None
    if problems:
        raise InvalidInput(source, problems)
    return StackSecrets(
        developer_keys={
            developer: pulumi.Output.secret(list(given_keys))
            for developer, given_keys in keys.developers.items()
        },
        server_key=pulumi.Output.secret(keys.server),
    )


def _plain_text(name: str) -> Problem:
    return Problem(
        where=name,
        cause="secret-in-plain-text",
        found="a value in plain text (not shown)",
        why="whoever can read the repository could use it",
        fix="take it out of the stack file and set a new one with 'pulumi config set --secret'",
    )
