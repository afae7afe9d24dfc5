"""The stack's secrets: read, checked, and wrapped before anybody else sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi.runtime.config import is_config_secret

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.plan import PlatformPlan
from onprem_agents.stack.secrets import check_keys

_KEYS = ("developerKeys", "serverKey")


@dataclass(frozen=True, kw_only=True)
class StackSecrets:
    """Keys as secret Outputs; how many a developer has is plain, for it shapes the graph."""

    developer_keys: Mapping[str, tuple[pulumi.Output[str], ...]]
    server_key: pulumi.Output[str]


def read_stack_secrets(config: pulumi.Config, plan: PlatformPlan, source: str) -> StackSecrets:
    """Return `developerKeys` and `serverKey` of the stack. Raises `InvalidInput`, which names no key."""
    developer_keys, server_key = config.get_object("developerKeys"), config.get("serverKey")
    given = [name for name, value in zip(_KEYS, (developer_keys, server_key), strict=True) if value]
    open_keys = [name for name in given if not is_config_secret(config.full_key(name))]
    if open_keys:
        raise InvalidInput(source, [_plain_text(name) for name in open_keys])
    keys = check_keys(developer_keys, server_key, plan.developers, source)
    return StackSecrets(
        developer_keys={
            developer: tuple(pulumi.Output.secret(key) for key in given_keys)
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
