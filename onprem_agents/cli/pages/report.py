"""The page of a stack: in short for who pays for it, then in detail for who runs it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from html import escape

from onprem_agents.cli.pages.frame import document, row, table
from onprem_agents.cli.pages.report_details import details
from onprem_agents.cli.report_checks import Checks
from onprem_agents.cli.report_limits import limits
from onprem_agents.cli.report_text import count, headline, policies
from onprem_agents.cli.report_values import Server, StackValues
from onprem_agents.sizing.shown import rate, wait

_STYLE = """
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:.8rem;margin:1.2rem 0}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.7rem .9rem}
.card b{display:block;font-size:1.7rem;line-height:1.2}.card span{display:block}.card small{color:var(--soft)}
.lead{font-size:1.05rem}li{margin:.25rem 0}ul{padding-left:1.2rem}
.bar,.chain{width:100%;height:auto;display:block}.chain{max-width:640px}
.bar text{font-size:12.5px;fill:#fff;text-anchor:middle}
.chain text{font-size:13px;fill:var(--ink)}.hop{fill:var(--s0)}
.weights{fill:#1769aa;background:#1769aa}.runtime{fill:#b4540a;background:#b4540a}
.cache{fill:#237a4b;background:#237a4b}.headroom{fill:#8a96a3;background:#8a96a3}
.outside{fill:#54606c;background:#54606c}figure+figure{margin-top:1rem}.grid2 figure{margin-top:0}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin:0 .35em 0 .9em}
.key.s0{background:var(--s0)}.key.s1{background:var(--s1)}.key.s2{background:var(--s2)}.key.s3{background:var(--s3)}
.key:first-child{margin-left:0}.ok{color:var(--good)}.no{color:var(--bad)}
.part{white-space:nowrap;width:11rem}
@media(max-width:639px){.cards{grid-template-columns:1fr 1fr}.card b{font-size:1.4rem}}
@media print{.chain{max-width:60%}.card b{font-size:14pt}
.detail{break-before:page}.cards{grid-template-columns:repeat(5,1fr)}}
"""


def page(values: StackValues, checks: Checks, made: date) -> str:
    """Return the page; it holds no key. `made` is the day that it says it was made on."""
    return document(
        f"Stack {values.stack}: coding agents on your own GPUs",
        [
            f"<h1>Coding agents on your own GPUs: stack {escape(values.stack)}</h1>",
            f'<p class="soft">{escape(values.address)} · planned {made:%Y-%m-%d}, before anything is built</p>',
            f'<p class="lead">{escape(headline(values))}. Prompts and code stay in your network.</p>',
            f'<div class="cards">{"".join(_cards(values, checks))}</div>',
            "<h2>What developers get</h2>",
            _roles(values),
            "<h2>What it cannot do</h2>",
            f"<ul>{''.join(f'<li>{escape(limit)}</li>' for limit in limits(values))}</ul>",
            *details(values, checks),
        ],
        _STYLE,
    )


def _cards(values: StackValues, checks: Checks) -> Iterator[str]:
    main = values.main
    teams = ", ".join(f"{team.name} {team.developers}" for team in values.teams)
    yield _card(f"{values.developers}", "developer" if values.developers == 1 else "developers", teams)
    for hardware in values.hardware:
        yield _card(
            f"{hardware.gpus - hardware.free_gpus} of {hardware.gpus}",
            f"{hardware.accelerator} in use",
            f"{count(hardware.nodes, 'node')} with {hardware.gpus_per_node} each, {hardware.free_gpus} free",
        )
    yield _card(
        f"{main.sessions}", "long sessions at once", f"{main.role}, each up to {main.context_tokens:,} tokens"
    )
    together = main.together
    yield _card(
        rate(together.tokens_per_second_per_developer),
        "tokens/s for each",
        f"{main.role}, with {count(values.developers, 'developer')} at work",
    )
    served = sum(agent.obstacle is None for agent in main.agents)
    if main.agents:
        yield _card(f"{served} of {len(main.agents)}", "agents work", f"with {main.role}")
    if values.cost is not None:
        cost = values.cost
        yield _card(
            f"{cost.per_month:,.0f} {cost.currency}",
            "a month",
            f"{cost.per_developer_and_month:,.0f} a developer; {cost.basis}",
        )
    if checks.verdicts is not None and any(verdict.findings for verdict in checks.verdicts):
        yield _card('<span class="bad">✗</span>', "policies", policies(checks))


def _card(figure: str, what: str, more: str) -> str:
    """Return a card; `figure` is markup, `what` and `more` are text."""
    return f'<div class="card"><b>{figure}</b><span>{escape(what)}</span><small>{escape(more)}</small></div>'


def _roles(values: StackValues) -> str:
    head = (
        "role",
        "model",
        '<th class="n">sessions at once</th>',
        f'<th class="n">tokens/s an answer, {values.developers} at work</th>',
        '<th class="n">alone</th>',
        '<th class="n">first words of a new task</th>',
        '<th class="n">of a next step</th>',
    )
    return table(head, (_role(server) for server in values.servers)) + (
        '<p class="soft">A task begins with 30,000 tokens; of a next step, the server knows all but the newest part. '
        "Expected, not measured.</p>"
    )


def _role(server: Server) -> str:
    together, alone = server.together, server.alone
    cells = (
        f"{server.sessions:,} of {server.context_tokens:,} tokens",
        rate(together.tokens_per_second_per_developer),
        rate(alone.tokens_per_second_per_developer),
        f"after {wait(together.first_token_seconds_cold_30k)}",
        f"after {wait(together.first_token_seconds_warm_30k)}",
    )
    model = f"{escape(server.model)} <span class='soft'>({escape(server.precision)})</span>"
    if server.quality is not None:
        model += f'<br><small class="soft">{escape(server.quality)}</small>'
    return row(
        (f"<b>{escape(server.role)}</b>", model, *(f'<td class="n">{escape(cell)}</td>' for cell in cells))
    )
