"""The plan of a whole stack: one value that manifests, policies, outputs and reports are made from."""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.contract.connection import Connection
from onprem_agents.plan.pool import Placement, Pool
from onprem_agents.plan.serving import ServingPlan
from onprem_agents.plan.timeouts import TimeoutChain
from onprem_agents.stack.settings import Access, Platform, Queue


@dataclass(frozen=True, kw_only=True)
class PlatformPlan:
    """Everything that is decided about one stack."""

    stack: str
    settings: Platform
    pool: Pool
    placement: Placement
    serving: tuple[ServingPlan, ...]
    timeouts: TimeoutChain
    connection: Connection
    """What developers' machines are told."""
    request_body_mib: int
    """Largest request body that the gateway takes; a 32 KiB default cuts every real prompt."""

    @property
    def namespace(self) -> str:
        """Namespace of everything that the stack declares."""
        return self.settings.namespace

    @property
    def access(self) -> Access:
        """The access section."""
        return self.settings.access

    @property
    def queue(self) -> Queue | None:
        """The Kueue section, if the stack has one."""
        return self.settings.queue

    @property
    def developers(self) -> tuple[str, ...]:
        """Names of the developers in a fixed order."""
        return tuple(sorted(self.settings.access.developers))

    @property
    def main(self) -> ServingPlan:
        """The first role: what an agent uses unless told otherwise."""
        return self.serving[0]

    @property
    def small(self) -> ServingPlan:
        """The role for titles and other small calls: the last one, or the main role when it is alone."""
        return self.serving[-1]
