"""The tables of README.md are those of the stack files and of the policy pack.

Each stands between `<!-- NAME -->` and `<!-- /NAME -->`; `ONPREM_WRITE_GOLDEN=1 ./dev test golden` writes it anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from onprem_agents.plan import plan_stack_file
from onprem_agents.plan.report import report
from onprem_agents.stack.stack_file import stack_names
from policy.table import POLICIES

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def tiers() -> str:
    """Return one row for each role of each stack file, smallest GPU first."""
    reports = [report(plan_stack_file(ROOT / "stacks", stack)) for stack in stack_names(ROOT / "stacks")]
    reports.sort(key=lambda found: (found["models"][0]["memory"]["gpuTotalGib"], found["pool"]["gpus"]))
    head = ("stack", "nodes", "role: model", "GPUs of a replica", "context", "sessions at once", "free GPUs")
    return _table(head, (row for found in reports for row in _rows(found)))


def policies() -> str:
    """Return one row for each policy of the pack."""
    head = ("policy", "level", "what holds")
    return _table(head, ((f"`{one.name}`", one.level, one.description) for one in POLICIES))


TABLES: dict[str, Callable[[], str]] = {"tiers": tiers, "policies": policies}


@pytest.mark.parametrize("name", TABLES)
def test_each_table_of_the_readme_is_what_its_source_says(name: str) -> None:
    text = README.read_text(encoding="utf-8")
    fresh, count = re.subn(
        rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", lambda _: TABLES[name](), text, flags=re.DOTALL
    )
    if os.environ.get("ONPREM_WRITE_GOLDEN") == "1":
        README.write_text(fresh, encoding="utf-8")
        text = fresh

    assert count == 1, f"README.md has {count} places for the table {name}"
    assert fresh == text, f"the table {name} of README.md is old; ONPREM_WRITE_GOLDEN=1 ./dev test golden"


def test_every_file_that_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", README.read_text(encoding="utf-8"))

    assert links, "the pictures at least are files"
    assert [link for link in links if not (ROOT / link).exists()] == []


def _rows(found: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    pool = found["pool"]
    for index, role in enumerate(found["models"]):
        first = index == 0
        yield (
            f"`{found['stack']}`" if first else "",
            f"{pool['nodes']} × ({pool['gpusPerNode']} × {pool['accelerator']})" if first else "",
            f"{role['role']}: {role['model']}",
            str(role["gpusPerReplica"]),
            f"{role['contextTokens']:,}",
            str(role["sessions"]),
            str(pool["freeGpus"]) if first else "",
        )


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
