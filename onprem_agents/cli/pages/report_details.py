"""The details of a stack's page: memory, plots, agents, time limits, loading, objects, policies, notes."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from onprem_agents.cli.load_view import RESTARTS
from onprem_agents.cli.pages.bars import Part, chain, stacked
from onprem_agents.cli.pages.chart import COLOURS
from onprem_agents.cli.pages.frame import figure, row, table
from onprem_agents.cli.pages.report_plots import plots
from onprem_agents.cli.report_checks import Checks
from onprem_agents.cli.report_text import policies, servers_of
from onprem_agents.cli.report_values import Server, StackValues
from onprem_agents.plan.costs import PlatformCost
from onprem_agents.sizing.shown import gib
from onprem_agents.sizing.starting import READ_MIB_PER_SECOND
from onprem_agents.units import rough_time

# The terms of the memory account that have a colour of their own; the others are the runtime's.
_LOOKS = {
    "weights": "weights",
    "KV cache": "cache",
    "headroom": "headroom",
    "outside the budget": "outside",
}


def _costs(cost: PlatformCost) -> str:
    rows = [
        row((escape(pool.pool), f'<td class="n">{pool.per_month:,.0f}</td>', escape(pool.basis)))
        for pool in cost.pools
    ]
    rows.append(row(("<b>all</b>", f'<td class="n"><b>{cost.per_month:,.0f}</b></td>', escape(cost.basis))))
    return table(("pool", f'<th class="n">{escape(cost.currency)}</th>', "what it rests on"), rows)


def details(values: StackValues, checks: Checks) -> Iterator[str]:
    """Yield the parts of the page after its summary."""
    yield '<h2 class="detail">If sessions grow, if the team grows</h2>'
    yield (
        f"<p>{_key(values)} "
        '<span class="soft">· a dot is what is planned, the dashed line a session for each developer; a flat line is '
        "the most that the server takes at once</span></p>"
    )
    yield f'<div class="grid2">{"".join(plots(values))}</div>'
    yield "<h2>Memory of one GPU</h2>"
    yield from (_memory(server) for server in values.servers)
    if values.main.agents:
        yield "<h2>Agents</h2>"
        yield _agents(values)
    if values.cost is not None and len(values.cost.pools) > 1:
        yield "<h2>Costs a month</h2>"
        yield _costs(values.cost)
    yield "<h2>How long each hop waits</h2>"
    yield (
        f"<p>Each hop waits longer than the one behind it, so that none cuts a turn short and the hop nearest to a "
        f"fault reports it. The longest turn is {rough_time(values.longest_turn_seconds)}.</p>"
    )
    yield chain(
        "time limits from the model server to the agent",
        [(hop.name, hop.seconds, rough_time(hop.seconds)) for hop in values.hops],
    )
    yield "<h2>Loading and updates</h2>"
    yield _loading(values)
    yield f"<h2>Policies: {escape(policies(checks))}</h2>"
    yield _policies(checks)
    yield f"<h2>Objects: {checks.count}</h2>"
    yield _objects(checks)
    notes = [*values.site, *(f"{server.role}: {note}" for server in values.servers for note in server.notes)]
    if notes:
        yield "<h2>Notes</h2>"
        yield f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in notes)}</ul>"


def _key(values: StackValues) -> str:
    names = (
        f'<span class="key s{number % COLOURS}"></span>{escape(server.role)}'
        for number, server in enumerate(values.servers)
    )
    return "".join(names)


def _memory(server: Server) -> str:
    memory = server.memory
    parts = [
        Part(
            name=term.name,
            amount=term.gib,
            look=_look(term.name),
            label=f"{gib(term.gib)} GiB",
        )
        for term in memory.terms
    ]
    bar = stacked(f"memory of one GPU of {server.role}", parts, memory.total_gib)
    rows = (
        row(
            (
                f'<td class="part"><span class="key {_look(term.name)}"></span>{escape(term.name)}</td>',
                f'<td class="n">{term.gib:.2f}</td>',
                escape(term.explanation),
            )
        )
        for term in memory.terms
    )
    caption = f"{server.role}: {server.model}, {servers_of(server)}, {gib(memory.total_gib)} GiB each"
    told = (
        f"The KV cache ({memory.kv_cache_dtype}) holds {gib(memory.kv_pool_gib)} GiB; a session of "
        f"{server.context_tokens:,} tokens takes {memory.kv_per_session_gib:.2f}."
    )
    account = table(("part", '<th class="n">GiB</th>', "why"), rows)
    return figure(caption, f"{bar}<p>{escape(told)}</p>{account}")


def _look(term: str) -> str:
    return _LOOKS.get(term, "runtime")


def _agents(values: StackValues) -> str:
    head = ("agent", *(escape(server.role) for server in values.servers))
    rows = []
    for of_it in zip(*(server.agents for server in values.servers), strict=True):
        cells = (
            '<span class="ok">✓</span>'
            if agent.obstacle is None
            else f'<span class="no">✗</span> <span class="soft">{escape(agent.obstacle)}</span>'
            for agent in of_it
        )
        rows.append(row((escape(of_it[0].title), *cells)))
    return table(head, rows)


def _loading(values: StackValues) -> str:
    head = ("role", "download", "then a cold start", "a later start", "most it may take", "an update")
    rows = []
    for server in values.servers:
        loading = server.loading
        download = (
            f"about {rough_time(loading.download_seconds)} at {loading.download_mib_per_second} MiB/s"
            if loading.download_seconds
            else "none"
        )
        restart = f"about {rough_time(loading.restart_seconds)}, {RESTARTS[loading.restart_kind]}"
        rows.append(
            row(
                (
                    f"<b>{escape(server.role)}</b>",
                    download,
                    f"about {rough_time(loading.start_seconds)}",
                    restart,
                    rough_time(loading.budget_seconds),
                    ("<span class='bad'>away while it loads</span>: " if server.downtime else "")
                    + escape(server.rollout),
                )
            )
        )
    return table(head, rows) + (
        f'<p class="soft">Expected, not measured: the download at the rate of platform.serving.downloadMibPerSecond, '
        f"weights read from a disk at {READ_MIB_PER_SECOND} MiB/s.</p>"
    )


def _objects(checks: Checks) -> str:
    kinds: dict[str, list[str]] = {}
    for each in checks.objects:
        several = f" × {len(each.names)}" if len(each.names) > 1 else ""
        kinds.setdefault(each.part, []).append(f"{each.kind}{several}")
    rows = (row((escape(part), escape(", ".join(found)))) for part, found in kinds.items())
    return table(("component", "objects"), rows)


def _policies(checks: Checks) -> str:
    if checks.verdicts is None:
        return ""
    rows = []
    for verdict in checks.verdicts:
        if verdict.findings:
            found = "".join(f'<br><span class="bad">{escape(one)}</span>' for one in verdict.findings)
            told = escape(f"{verdict.policy}: {verdict.description}") + found
            rows.append(row(('<span class="bad">✗</span>', verdict.level, told)))
    for level in ("mandatory", "advisory"):
        passed = [each.policy for each in checks.verdicts if not each.findings and each.level == level]
        if passed:
            rows.append(row(('<span class="good">✓</span>', level, escape(", ".join(passed)))))
    return table(("", "level", "policies"), rows)
