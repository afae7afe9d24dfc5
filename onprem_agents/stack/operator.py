"""The settings of the account by which an agent operates a stack."""

from __future__ import annotations

from pydantic import Field

from onprem_agents.stack.domain import LabelValue
from onprem_agents.stack.section import Section


class Operator(Section):
    """An account for an agent that operates the stack: it looks at all but Secrets."""

    service_account: LabelValue = Field(
        default="platform-operator",
        description="Name of the ServiceAccount that is made, with a Role of the same name.",
    )
    updates_models: bool = Field(
        default=False,
        description="Whether it may also change the model servers that are there. Whoever may do that can let their "
        "pods read any Secret of the namespace. Otherwise it changes nothing.",
    )
