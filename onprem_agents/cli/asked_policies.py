"""What the policies say of a stack that plans, as `plan` and `render` tell it beside their own output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from onprem_agents.cli.check_findings import CheckFinding
from onprem_agents.cli.check_formats import block
from onprem_agents.cli.check_run import findings_on
from onprem_agents.cli.policy_pack import installed_rules
from onprem_agents.cli.report_text import count
from onprem_agents.errors import needs_platform
from onprem_agents.manifests import Manifest

REFUSED = 1
"""The exit code of a command whose stack the policies refuse."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """`findings` are None where the pack is not installed, so that nobody was asked."""

    findings: tuple[CheckFinding, ...] | None

    @property
    def refusals(self) -> int:
        """How many findings are mandatory."""
        return sum(finding.level == "mandatory" for finding in self.findings or ())

    @property
    def as_json(self) -> list[dict[str, Any]] | None:
        """The findings in the shape that `check --json` has; None where nobody was asked."""
        return None if self.findings is None else [asdict(finding) for finding in self.findings]

    def blocks(self) -> Iterator[str]:
        """Yield the findings as texts, and what they come to; nothing where all is fine."""
        if self.findings is None:
            yield f"The policies were not asked: {needs_platform('asking them', 'onprem_agents_policy')}"
            return
        yield from (block(finding) for finding in self.findings)
        if self.refusals:
            yield f"The policies refuse this stack: {count(self.refusals, 'finding')} to mend."


def ask_policies(manifests: list[Manifest], path: Path, config: Path | None = None) -> Asked:
    """Ask the installed policies about the objects of the stack in that file, what refuses it first.

    `config` configures them, in place of the file beside the stack's.
    """
    rules = installed_rules()
    found = None if rules is None else findings_on(rules, manifests, path, config)
    return Asked(findings=found)
