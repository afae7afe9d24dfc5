"""What the account of an agent must not be: one that pods have, for each of them would get its rights."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.errors import Problem
from onprem_agents.plan.names import GATEWAY_NAME, PROXY_NAME
from onprem_agents.stack.settings import Platform


def operator_problems(settings: Platform) -> Iterator[Problem]:
    """Yield the name of an account that pods of the namespace have."""
    if settings.operator is None:
        return
    owners = {"default": "every pod of the namespace that names none has it"}
    owners |= dict.fromkeys((GATEWAY_NAME, PROXY_NAME), "the platform's own objects have that name")
    owners |= {role.role: f"the model server of {role.role} has one of that name" for role in settings.models}
    if settings.serving.service_account is not None:
        owners[settings.serving.service_account] = (
            "platform.serving.serviceAccount gives it to the model servers"
        )
    name = settings.operator.service_account
    if name in owners:
        yield Problem(
            where="platform.operator.serviceAccount",
            cause="contradiction",
            found=name,
            why=f"{owners[name]}, so what runs there would get the agent's rights",
            fix="give the agent an account of its own, such as platform-operator",
        )
