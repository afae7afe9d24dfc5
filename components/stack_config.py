"""The stack's configuration as the platform's arguments, or every problem of settings and secrets at once.

Problems are told with the keys of the stack file; the platform itself would tell them with its arguments.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import cast

import pulumi
from pulumi.runtime.config import is_config_secret

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.plan import PlatformPlan, plan_stack

from .arguments import CodingPlatformArgs
from .config_value import config_value
from .stack_secrets import StackSecrets, read_stack_secrets


def read_stack_config(config: pulumi.Config, stack: str) -> CodingPlatformArgs:
    """Return the arguments of the stack's platform. Raises `InvalidInput` with every problem."""
    source = f"Pulumi.{stack}.yaml"
    raw = config_value(config, "platform")
    problems: list[Problem] = []
    plan: PlatformPlan | None = None
    secrets: StackSecrets | None = None
    try:
        plan = _plan(config, raw, stack, source)
    except InvalidInput as error:
        problems += error.problems
    try:
        secrets = read_stack_secrets(config, plan.developers if plan is not None else _names(raw), source)
    except InvalidInput as error:
        problems += error.problems
    if plan is None or secrets is None:
        raise InvalidInput(source, problems)
    settings = plan.settings.model_dump(exclude_unset=True)
    keys = {"developer_keys": secrets.developer_keys, "server_key": secrets.server_key}
    return cast(CodingPlatformArgs, settings | keys)


def _plan(config: pulumi.Config, raw: object, stack: str, source: str) -> PlatformPlan:
    if is_config_secret(config.full_key("platform")):
        encrypted = Problem(
            where="platform",
            cause="not-a-secret",
            found="an encrypted value somewhere in it (not shown)",
            why="settings are published in outputs and in the connection contract, where a secret would leak",
            fix="write the value in plain text; keys belong in developerKeys and serverKey, credentials of a "
            "download in the Secret that serving.storageSecret names",
        )
        raise InvalidInput(source, [encrypted])
    return plan_stack(raw, stack=stack, source=source)


def _names(raw: object) -> Collection[str] | None:
    """Return the developers that a refused configuration names, if it names any."""
    access = raw.get("access") if isinstance(raw, Mapping) else None
    developers = access.get("developers") if isinstance(access, Mapping) else None
    return tuple(sorted(map(str, developers))) if isinstance(developers, Mapping) and developers else None
