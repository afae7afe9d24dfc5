"""What `./dev up` shows within the first minute: the plan and the verdict of the policies on the manifests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from onprem_agents.cli.plan import print_report
from onprem_agents.errors import OnpremError
from onprem_agents.plan import PlatformPlan
from onprem_agents.plan.report import report
from policy.checks import found_in, graph_of
from policy.configuration import Configuration


class PolicyRefusal(OnpremError):
    """A mandatory policy refuses the rendered manifests."""


def show_plan(
    plan: PlatformPlan,
    manifests: Sequence[dict[str, Any]],
    console: Console,
    configuration: Configuration | None = None,
) -> None:
    """Print the sizing report and each finding of the policies, as they are configured.

    Raises `PolicyRefusal` on a finding of a mandatory policy: the engine would say the same only after the update.
    """
    print_report(report(plan), console)
    findings = [finding for finding, _ in found_in(graph_of(manifests), configuration)]
    if not findings:
        console.print(f"policies: all passed on {len(manifests)} rendered objects\n")
        return
    for finding in findings:
        console.print(
            f"policy {finding.policy} ({finding.level}): {finding.told}", markup=False, soft_wrap=True
        )
    refused = sorted({finding.policy for finding in findings if finding.level == "mandatory"})
    if refused:
        raise PolicyRefusal(
            f"nothing was applied: the stack breaks {', '.join(refused)}; what to change stands above"
        )
