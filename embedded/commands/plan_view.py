"""What `./dev up` shows within the first minute: the plan and the verdict of the policies on the manifests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from onprem.cli.plan import print_report
from onprem.plan import PlatformPlan
from onprem.report import report
from policy.checks import check_manifests


def show_plan(plan: PlatformPlan, manifests: Sequence[dict[str, Any]], console: Console) -> None:
    """Print the sizing report and each policy finding."""
    print_report(report(plan), console)
    findings = check_manifests(manifests)
    if not findings:
        console.print(f"policies: all passed on {len(manifests)} rendered objects\n")
        return
    console.print(f"policies: {len(findings)} findings on {len(manifests)} rendered objects")
    for finding in findings:
        console.print(f"  [{finding.level}] {finding.policy}: {escape(finding.message)}", markup=False)
    console.print()
