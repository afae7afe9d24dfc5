"""A stack file → its plan, or every problem of form, names and size at once."""

from __future__ import annotations

from pathlib import Path

from onprem_agents.errors import InvalidInput
from onprem_agents.plan.derive import plan_stack
from onprem_agents.plan.platform import PlatformPlan
from onprem_agents.stack.stack_file import StackFile, examine_stack_file


def plan_stack_file(folder: Path, stack: str) -> PlatformPlan:
    """Read and plan `Pulumi.<stack>.yaml` in `folder`. Raises `InvalidInput` with every problem."""
    return read_and_plan(folder, stack)[1]


def read_and_plan(folder: Path, stack: str) -> tuple[StackFile, PlatformPlan]:
    """Return what the file says and what it leads to. Raises `InvalidInput` with every problem."""
    file, problems = examine_stack_file(folder, stack)
    source = file.path.name
    try:
        plan = plan_stack(file.platform, stack=stack, source=source)
    except InvalidInput as error:
        raise InvalidInput(source, [*problems, *error.problems]) from None
    if problems:
        raise InvalidInput(source, problems)
    return file, plan
