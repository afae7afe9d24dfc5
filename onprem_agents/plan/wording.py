"""Problems of a stack file, told as those of a component's arguments: one translation for each component.

What is planned once names the keys of a stack file. Whoever uses a component has none, and sets arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from onprem_agents.errors import Problem
from onprem_agents.stack.section_reader import Wording

AS_ARGUMENTS = Wording()
"""Arguments stand by themselves: `gpusPerNode`, `servers[0].port`."""


@dataclass(frozen=True)
class Translation:
    """What stands in texts about a stack file → what stands in those about arguments, the longest first."""

    words: Sequence[tuple[str, str]]

    def text(self, text: str) -> str:
        """Return a text about arguments."""
        for key, argument in self.words:
            text = re.sub(key, argument, text)
        return text

    def problems(self, problems: Iterable[Problem]) -> list[Problem]:
        """Return problems with arguments, each once."""
        told = [
            replace(
                problem,
                where=self.text(problem.where),
                found=self.text(problem.found),
                why=self.text(problem.why),
                fix=self.text(problem.fix),
            )
            for problem in problems
        ]
        return list(dict.fromkeys(told))


OF_A_PLATFORM = Translation(
    (
        (r" under 'onprem-coding-agents:platform'", ""),
        (r"; see stacks/Pulumi\.local\.yaml( for an example)?", ""),
        (r"write 'onprem-coding-agents:platform:' with (.*) below it", r"give \1"),
        (r"\bonprem-coding-agents:serverKey\b", "serverKey"),
        (r"\bplatform\.", ""),
        (r"^platform$", "arguments"),
    )
)
OF_A_SERVER = Translation(
    (
        (r"\bplatform\.podIds\b", "podIds"),
        (r"\bplatform\.models\[0?\]\.", ""),
        (r"\bplatform\.models\[0\]", "model"),
        (r"\bplatform\.(hardware|serving|timeouts)\.", ""),
        (r"\bonprem-coding-agents:serverKey\b", "serverKey"),
        (r"^platform\.hardware$", "nodes"),
        (
            r"\blower replicas, sessions or tensorParallel of the models\b",
            "lower replicas, sessions or tensorParallel",
        ),
        (r"\bthe models ask for\b", "the server asks for"),
    )
)
