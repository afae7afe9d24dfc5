"""What the commands can say to a developer, who has a host name and a key, and no tool of the platform's makers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from onprem_agents.cli import main

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
NAMES = ("setup", "doctor", "status", "use", "uninstall", "key")
COMMANDS = tuple(f"onprem_agents.cli.{name}" for name in NAMES)
# Runs for `--stack` alone, which is for those who deploy the platform and have the command.
OF_THE_STACK = "_stack_output"
# Holds help for options of all commands; what these show of it is looked at in their help.
HELP = "onprem_agents.cli.options"


def source(module: str) -> Path | None:
    path = ROOT / module.replace(".", "/")
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()), None)


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def reached() -> dict[str, ast.Module]:
    """Return every module of the product that one of them imports, directly or not."""
    found: dict[str, ast.Module] = {}
    rest = list(COMMANDS)
    while rest:
        module = rest.pop()
        file = source(module)
        if module in found or file is None or not module.startswith("onprem_agents"):
            continue
        found[module] = ast.parse(file.read_text(encoding="utf-8"))
        rest += imported(found[module])
    return found


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield every text of a module that is no docstring and is not for those who deploy."""
    left_out = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == OF_THE_STACK
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            left_out.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
            yield node.lineno, node.value


def test_no_message_that_they_can_print_names_pulumi() -> None:
    modules = reached()
    said = [
        f"{module}:{line}: {text}"
        for module, tree in modules.items()
        if module != HELP
        for line, text in texts(tree)
        if "pulumi" in text.lower()
    ]

    assert {
        "onprem_agents.agents.claude",
        "onprem_agents.probes.endpoint",
        "onprem_agents.setup.merge",
    } <= set(modules)
    assert said == []


@pytest.mark.parametrize("command", NAMES)
def test_neither_does_their_help(command: str) -> None:
    told = CliRunner().invoke(main, [command, "--help"])

    assert told.exit_code == 0
    assert "pulumi" not in told.output.lower()


def test_the_one_place_that_does_is_the_stacks_own() -> None:
    tree = ast.parse((ROOT / "onprem_agents/cli/contract_source.py").read_text(encoding="utf-8"))
    (function,) = (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == OF_THE_STACK
    )

    assert "pulumi" in ast.unparse(function)
