"""What other providers left on a machine: settings that beat the platform's address, or travel along to it.

A leftover is a variable of the shell, which may also stand in the table of variables of the agent's own file, or
another setting of that file. Which there are was found by running the agent, and its module names the release.
"""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.agents.config import KeyPath

_OFF = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """One of them. `path` is its place in the agent's file, `variable` its name in the shell; either may be missing.

    `does` says what happens, as the end of a sentence. `switch` tells that words such as 0 and false switch it off.
    `emptied` tells that an entry in the agent's file beats the shell's variable.
    """

    does: str
    path: KeyPath | None = None
    variable: str | None = None
    switch: bool = False
    emptied: bool = True

    def counts(self, value: object) -> bool:
        """Tell whether that value has the effect at all."""
        if value is None or value is False or value == "":
            return False
        return not (self.switch and str(value).strip().lower() in _OFF)


def of_variables(does: str, *names: str, table: str = "env", switch: bool = False) -> tuple[Leftover, ...]:
    """Return leftovers that the shell and the file's table of variables may hold alike."""
    return tuple(Leftover(does=does, path=(table, name), variable=name, switch=switch) for name in names)
