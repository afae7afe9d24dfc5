"""ServiceCheck: is the deployed platform of use to an agent? Asked from the machine that deploys."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pulumi

from onprem_agents.plan.parts import CheckPart
from onprem_agents.plan.plan_check import plan_check
from onprem_agents.probes.checked import Checked, Outcome
from onprem_agents.probes.verification import Verification
from onprem_agents.setup.developer_key import DeveloperKey

from .arguments import ServiceCheckArgs
from .component import Component
from .planning import Planned, planning
from .refusal import unusable
from .spelling import speaks_as_package

# A fault ends the program at once, and with it requests to the engine that are on their way; nothing tells when that
# with a component's outputs arrived (pulumi 3.261, runtime/resource.py, register_resource_outputs).
_SECONDS_TO_THE_STATE = 3

_Found = tuple[CheckPart, Outcome]


class ServiceCheck(Component):
    """The checks of `onprem-agents verify` with each update, after all that it depends on. It makes no object."""

    passed: pulumi.Output[bool]
    """Whether all was checked and nothing is wrong."""
    summary: pulumi.Output[str]
    """The sum of it in a sentence."""
    checks: pulumi.Output[Sequence[Mapping[str, Any]]]
    """Each result with name, role, verdict, cause, found, why, change and seconds."""
    not_run: pulumi.Output[Sequence[str]]
    """What was not checked, for a fault stood before it."""

    def __init__(self, name: str, args: ServiceCheckArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Check the platform; in a preview say what will be checked."""
        plan = planning(self, name, args, plan=plan_check, bundles=lambda _: ())
        state = {
            "url": plan.tell(lambda part: part.connection.base_url),
            "strict": plan.tell(lambda part: part.settings.strict),
        }
        super().__init__(name, state, opts)
        plan.declare(self, self._announce)
        outcome = plan.after_all(self, self._check)
        # Programs in other languages get the attributes from this one alone, and hear of a fault with them; in a
        # Python program they are known, and in the state, beside it.
        judged: pulumi.Output[_Found] = outcome.apply(self._judged)
        found = judged if speaks_as_package() else outcome
        self.passed = found.apply(lambda known: known[1].passed)
        self.summary = found.apply(lambda known: known[1].summary)
        self.checks = found.apply(lambda known: [result.to_wire() for result in known[1].results])
        self.not_run = found.apply(lambda known: list(known[1].missing))
        self.register_attributes()

    @property
    def told(self) -> pulumi.Output[Mapping[str, Any]]:
        """The sum of it with what is wrong, for the platform that it belongs to."""
        faults = self.checks.apply(lambda checks: [each for each in checks if each["verdict"] != "ok"])
        return pulumi.Output.all(passed=self.passed, summary=self.summary, faults=faults, notRun=self.not_run)

    def _announce(self, planned: Planned[CheckPart]) -> None:
        if pulumi.runtime.is_dry_run():
            checks = ", ".join(_verification(planned.part).planned)
            pulumi.log.info(f"will check {planned.part.connection.base_url}: {checks}", resource=self)

    async def _check(self, planned: Planned[CheckPart]) -> tuple[CheckPart, Outcome]:
        """Ask the platform in a thread, for the program goes on meanwhile."""
        loop = asyncio.get_running_loop()

        def tell(result: Checked) -> None:
            loop.call_soon_threadsafe(partial(self._progress, result))

        key = DeveloperKey(value=planned.declaration.keys.of_a_developer, source="the deployment")
        verification = _verification(planned.part)
        return planned.part, await asyncio.to_thread(verification.run, key, dict(os.environ), tell)

    def _progress(self, result: Checked) -> None:
        pulumi.log.info(f"{result.place}: {result.found}", resource=self, ephemeral=True)

    async def _judged(self, found: _Found) -> _Found:
        """Tell the sum of it: a fault ends a strict update and is a warning otherwise."""
        part, outcome = found
        if outcome.passed:
            pulumi.log.info(outcome.summary, resource=self)
        elif part.settings.strict:
            await asyncio.sleep(_SECONDS_TO_THE_STATE)
            raise unusable("ServiceCheck", self.pulumi_resource_name, outcome.text)
        else:
            pulumi.log.warn(outcome.text, resource=self)
        return found


def _verification(part: CheckPart) -> Verification:
    return Verification(
        connection=part.connection,
        roles=part.roles,
        uncached_roles=part.uncached_roles,
        settings=part.settings,
    )
