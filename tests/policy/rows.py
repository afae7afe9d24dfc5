"""Every row of the tests' tables of mutations, whichever module holds it: one change, and the one policy it fires.

A module has `MUTATIONS`: by name the change, the policy and a part of what is told; before them the stack whose
manifests are changed, or `STACK` for all rows of the module, else it is the compliant program.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.policy.programs import Manifest, compliant
from tests.policy.rendered import objects_of


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a table; `stack` is None where the compliant program is changed."""

    module: str
    name: str
    stack: str | None
    change: Callable[[Any], None]
    policy: str
    part: str

    @property
    def manifests(self) -> list[Manifest]:
        """The manifests after the change."""
        program = compliant() if self.stack is None else objects_of(self.stack)
        self.change(program)
        return list(program.values())

    def __str__(self) -> str:
        return f"{self.module}: {self.name}"


def modules() -> Iterator[ModuleType]:
    """Yield the test modules of the policies."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        yield importlib.import_module(f"tests.policy.{path.stem}")


def rows() -> Iterator[Row]:
    """Yield every row of every table of mutations."""
    for module in modules():
        for name, row in getattr(module, "MUTATIONS", {}).items():
            *stack, change, policy, part = row
            yield Row(
                module=module.__name__.rpartition(".test_")[2],
                name=name,
                stack=stack[0] if stack else getattr(module, "STACK", None),
                change=change,
                policy=policy,
                part=part,
            )
