"""Import and evaluation of one Pulumi program in a fresh interpreter, on mocks: no engine, no plugin.

    python -m tools.bench.evaluate PROGRAM STACK CONFIG

CONFIG is a JSON file: `values` (config key to text, objects as JSON text) and `secrets` (the keys among them
that are secret). Prints `answer: ` and how many resources the program declared.
"""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.config import set_all_config
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks


class _Counter(Mocks):
    """Answers every resource with its own inputs, and counts them."""

    def __init__(self) -> None:
        self.resources = 0

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """No function is called by the program."""
        raise AssertionError(f"unexpected call of {args.token}")

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """Echo the inputs as outputs."""
        self.resources += 1
        return f"{args.name}-id", dict(args.inputs)


def main(program: Path, stack: str, config_file: Path) -> None:
    """Evaluate the program to its end and print the number of its resources."""
    config = json.loads(config_file.read_text(encoding="utf-8"))
    set_all_config(config["values"], config["secrets"])
    counter = _Counter()
    pulumi.runtime.set_mocks(counter, project="onprem-coding-agents", stack=stack)
    sys.path.insert(0, str(program.parent))
    until_registered: Callable[..., Callable[[], None]] = pulumi.runtime.test
    until_registered(lambda: runpy.run_path(str(program), run_name="__main__") and None)()
    sys.stdout.write(f"answer: {counter.resources}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
