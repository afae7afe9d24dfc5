"""The generated parts of README.md and docs/ are those of the stack files and of the policy pack.

Each stands between `<!-- NAME -->` and `<!-- /NAME -->`; `ONPREM_WRITE_GOLDEN=1 ./dev test golden` writes it anew.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from onprem_agents.agents import AGENTS
from onprem_agents.catalog import load_catalog
from onprem_agents.catalog.agent_check import AgentCheck
from onprem_agents.cli.plan import print_screen
from onprem_agents.cluster.preflight import SUBJECTS
from onprem_agents.plan import plan_stack_file
from onprem_agents.plan.report import report
from onprem_agents.stack.stack_file import stack_names
from policy.table import POLICIES, Policy

ROOT = Path(__file__).parents[2]
STACKS = ROOT / "stacks"
AGENT_PAGES = sorted((ROOT / "docs" / "agents").glob("*.md"))
PAGES = sorted((ROOT / "docs").rglob("*.md")) + sorted(ROOT.glob("*.md"))


def plan() -> str:
    """Return what `onprem-agents plan local` prints."""
    out = io.StringIO()
    print_screen(report(plan_stack_file(STACKS, "local")), Console(file=out, width=120, highlight=False))
    return f"```text\n$ onprem-agents plan local\n{out.getvalue()}```\n"


def tiers() -> str:
    """Return one row for each role of each stack file, smallest GPU first."""
    reports = [report(plan_stack_file(STACKS, stack)) for stack in stack_names(STACKS)]
    reports.sort(key=lambda found: (found["models"][0]["memory"]["gpuTotalGib"], found["pool"]["gpus"]))
    head = ("stack", "nodes", "role: model", "GPUs of a replica", "context", "sessions at once", "free GPUs")
    return _table(head, (row for found in reports for row in _rows(found)))


def policies() -> str:
    """Return one row for each policy of the pack."""
    head = ("policy", "pack", "level", "what holds")
    return _table(
        head, ((f"[`{one.name}`](#{one.name})", one.pack, one.level, one.description) for one in POLICIES)
    )


def policy_pages() -> str:
    """Return a section for each policy: what it says, its settings, and an example of either kind."""
    return "\n".join(_policy_page(one) for one in POLICIES)


def _policy_page(one: Policy) -> str:
    lines = [
        f"### {one.name}",
        "",
        f"{one.description} Pack `{one.pack}`, {one.level}; {', '.join(one.tags)}.",
        "",
    ]
    for key, schema in one.settings.items():
        lines += [f"Setting `{key}`: {schema['description']}", ""]
    return "\n".join((*lines, "```yaml", f"# not so\n{one.bad}\n# but so\n{one.good}", "```", ""))


def preflights() -> str:
    """Return one row for each subject that preflight looks at."""
    return _table(("looked at", "what must hold"), ((one.name, one.says) for one in SUBJECTS))


def agents() -> str:
    """Return a link to the page of each agent, which its heading names."""
    pages = {page.read_text(encoding="utf-8").splitlines()[0]: page.name for page in AGENT_PAGES}
    links = [
        f"[{agent.title}](docs/agents/{pages[f'# {agent.title} on your own platform']})" for agent in AGENTS
    ]
    return f"{', '.join(links)}.\n"


def releases() -> str:
    """Return one row for each release of an agent that was tried, with what was found by translation."""
    checks = load_catalog().agent_checks
    if not checks:
        return "None was run yet: `./dev test agents --newest`.\n"
    cells: dict[tuple[str, ...], list[AgentCheck]] = {}
    for one in checks:
        cells.setdefault((one.agent, one.release, f"`{one.wire}`", f"{one.seen}"), []).append(one)
    translations = tuple(dict.fromkeys(one.translation for one in checks))
    head = ("agent", "release", "wire", *translations, "run")
    never = [agent for agent in AGENTS if agent.name not in {one.agent for one in checks}]
    rows = [
        (
            *key[:3],
            *(_found([one for one in of_it if one.translation == name]) for name in translations),
            key[3],
        )
        for key, of_it in cells.items()
    ]
    blank = ("",) * len(translations)
    rows += [(agent.name, "not run yet", f"`{agent.path}`", *blank, "") for agent in never]
    return _table(head, iter(rows))


def windows() -> str:
    """Return one row for each agent: what it starts with, and the least window that leaves it room to work."""
    head = ("agent", "first request, tokens", "compacts at the least at", "least context", "measured with")
    rows = (
        (
            agent.title,
            f"{agent.limits.first_request_tokens:,}",
            f"{agent.limits.least_compaction_tokens:,}",
            f"{agent.limits.least_context_tokens:,}",
            f"{agent.version}, {agent.tried}",
        )
        for agent in sorted(AGENTS, key=lambda agent: agent.limits.least_context_tokens)
    )
    return _table(head, rows)


def _found(checks: list[AgentCheck]) -> str:
    red = [f"{one.check}: {one.fault}" for one in checks if one.fault is not None]
    return f"not working: {'; '.join(red)}".replace("|", "\\|") if red else "all well"


PARTS: dict[str, tuple[str, Callable[[], str]]] = {
    "plan": ("README.md", plan),
    "agents": ("README.md", agents),
    "releases": ("docs/everyday.md", releases),
    "tiers": ("docs/hardware.md", tiers),
    "windows": ("docs/hardware.md", windows),
    "policies": ("docs/policies.md", policies),
    "policy-pages": ("docs/policies.md", policy_pages),
    "preflight": ("docs/cluster.md", preflights),
}


@pytest.mark.parametrize("name", PARTS)
def test_each_generated_part_of_a_page_is_what_its_source_says(name: str) -> None:
    page, make = PARTS[name]
    text = (ROOT / page).read_text(encoding="utf-8")
    fresh, count = re.subn(
        rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", lambda _: make(), text, flags=re.DOTALL
    )
    if os.environ.get("ONPREM_WRITE_GOLDEN") == "1":
        (ROOT / page).write_text(fresh, encoding="utf-8")
        text = fresh

    assert count == 1, f"{page} has {count} places for the part {name}"
    assert fresh == text, f"the part {name} of {page} is old; ONPREM_WRITE_GOLDEN=1 ./dev test golden"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_and_heading_that_a_page_links_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8"))
    for link in links:
        path, _, heading = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{page.relative_to(ROOT)} links to {link}"
        assert not heading or heading in _headings(target), f"{page.relative_to(ROOT)} links to {link}"


def test_the_readme_is_one_read_and_names_every_page() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = {str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md")}

    assert len(text.splitlines()) <= 160, "what is longer belongs on a page in docs/"
    assert {page for page in pages if f"({page})" not in text} == set()


def test_every_picture_is_shown_on_some_page() -> None:
    shown = {
        (page.parent / link).resolve()
        for page in PAGES
        for link in re.findall(r"!\[[^\]]+\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8"))
    }

    pictures = (ROOT / "docs" / "pictures").iterdir()
    assert shown == {path for path in pictures if path.suffix in (".svg", ".png")}


def _headings(page: Path) -> set[str]:
    """Return the anchors of a page as forges make them: lower case, dashes for spaces, no punctuation."""
    lines = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in lines}


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
