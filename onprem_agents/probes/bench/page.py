"""The report of a run as one HTML file: no script, nothing from elsewhere, light or dark as the reader has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from onprem_agents.probes.bench.bounds import Bound, all_within
from onprem_agents.probes.bench.chart import Series, chart, linear, logarithmic, shares
from onprem_agents.probes.bench.figures import Figures
from onprem_agents.probes.bench.load import Run
from onprem_agents.probes.bench.profile import Source
from onprem_agents.probes.bench.sample import Sample
from onprem_agents.probes.bench.told import SPREAD_COLUMNS, spreads, totals

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2733;--soft:#5b6b7a;--line:#d8dfe6;--paper:#fff;--card:#f6f8fa;--good:#1a7f37;
--bad:#c4281c;--s0:#1769aa;--s1:#d1570a}
@media(prefers-color-scheme:dark){:root{--ink:#e3e9ef;--soft:#9fb0c0;--line:#37444f;--paper:#11181e;--card:#1a232b;
--good:#57c26d;--bad:#ff7b6b;--s0:#62b0f0;--s1:#ff9a4d}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1180px;margin:2rem auto;
padding:0 1.2rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .6rem}p{margin:.3rem 0}.soft{color:var(--soft)}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);
vertical-align:top}th{font-weight:600}.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}
.grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(460px,1fr));gap:1rem}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem}
figcaption{font-weight:600;margin-bottom:.3rem}.chart{width:100%;height:auto;display:block}
.chart text{font-size:12px;fill:var(--soft);text-anchor:middle}.chart .left{text-anchor:end}
.chart .key{text-anchor:start}
.chart .title{fill:var(--ink)}.chart path{fill:none}.chart .grid{stroke:var(--line)}
.chart .line{stroke-width:2;stroke-linejoin:round}.chart .dots{stroke-width:5;stroke-linecap:round;opacity:.55}
.chart .s0{stroke:var(--s0)}.chart .s1{stroke:var(--s1)}
"""
_SLICES = 60
_MARKS = {True: '<span class="good">✓</span>', False: '<span class="bad">✗</span>', None: ""}


def page(run: Run, found: Figures, judged: Sequence[Bound], *, url: str, model: str) -> str:
    """Return the report; it holds no key and no text of a prompt."""
    load, source = run.load, run.load.profile.source
    within = all_within(judged)
    verdict = (
        '<b class="good">within all bounds</b>' if within else '<b class="bad">not within its bounds</b>'
    )
    ended = {
        "time": "",
        "interrupted": ", stopped before its time",
        "stopped": ", ended because nothing but failures came",
    }
    told = (
        f"{load.sessions} sessions at once for {run.loaded_seconds / 60:.1f} minutes{ended[run.ended]}; "
        f"profile {load.profile.name}, pauses × {load.pauses:g}, seed {load.seed}, "
        f"window {load.limits.context_tokens:,} tokens, compactions: {run.compactions}"
    )
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            # Nothing is loaded, whatever a name on the page may hold.
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>{escape(model)}: load of coding agents</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(model)} under the load of coding agents: {verdict}</h1>",
            f'<p class="soft">{escape(url)} · {run.started:%Y-%m-%d %H:%M} UTC</p><p>{escape(told)}</p>',
            "<h2>Bounds</h2>",
            _bounds(judged),
            "<h2>Plots</h2>",
            f'<div class="grid2">{"".join(_plots(run))}</div>',
            "<h2>Figures</h2>",
            _spreads(found),
            _totals(found),
            "<h2>Where the sessions are from</h2>",
            _source(source),
            "</body></html>\n",
        ]
    )


def _source(source: Source) -> str:
    paper = f", {source.paper}" if source.paper else ""
    told = (
        f"{source.title} ({source.address}{paper}), {source.licence}, released {source.released}, read "
        f"{source.read}. {source.changes}"
    )
    return f"<p>{escape(told)}</p>"


def _row(cells: Iterable[str], tag: str = "td") -> str:
    return (
        "<tr>"
        + "".join(cell if cell.startswith(("<td", "<th")) else f"<{tag}>{cell}</{tag}>" for cell in cells)
        + "</tr>"
    )


def _bounds(judged: Sequence[Bound]) -> str:
    rows = [_row(("", "figure", "measured", "bound", "by"), "th")]
    for bound in judged:
        mark = _MARKS[bound.within]
        told = [escape(text) for text in (bound.name, bound.measured, bound.bound, bound.by)]
        if bound.within is False:
            told[0] += f'<br><span class="soft">{escape(bound.why)}<br>change: {escape(bound.change)}</span>'
        rows.append(_row((mark, *told)))
    return f"<table>{''.join(rows)}</table>"


def _spreads(found: Figures) -> str:
    head = _row(("figure", *(f'<th class="n">{column}</th>' for column in SPREAD_COLUMNS)), "th")
    rows = (
        _row((escape(name), *(f'<td class="n">{escape(cell)}</td>' for cell in cells)))
        for name, cells in spreads(found)
    )
    return f"<table>{head}{''.join(rows)}</table>"


def _totals(found: Figures) -> str:
    rows = (_row((escape(name), f'<td class="n">{escape(told)}</td>')) for name, told in totals(found))
    return f"<table>{''.join(rows)}</table>"


def _plots(run: Run) -> Iterator[str]:
    good = [sample for sample in run.samples if sample.answer.ok]
    if not good:
        yield "<p>no round was answered</p>"
        return
    first = [(sample, value) for sample in good if (value := sample.answer.first_seconds) is not None]
    seconds = [value for _, value in first]
    percent = linear("percent of rounds", [100], "{:.0f}".format)
    plot = chart(
        "Distribution of the time to the first token",
        logarithmic("time to first token, seconds", seconds, _plain),
        percent,
        [Series(name="rounds", points=shares(seconds))],
    )
    yield _figure("Time to first token", plot)
    gaps = [1000 * value for sample in good if (value := sample.token_seconds) is not None and value > 0]
    plot = chart(
        "Distribution of the time from token to token",
        logarithmic("time from token to token, milliseconds", gaps, _plain),
        percent,
        [Series(name="rounds", points=shares(gaps))],
    )
    yield _figure("Time from token to token", plot)
    by_length = [(float(sample.answer.usage.prompt_tokens or 0), value) for sample, value in first]
    plot = chart(
        "Time to the first token by the length of the prompt",
        linear("prompt, thousand tokens", [length / 1000 for length, _ in by_length], _plain),
        logarithmic("seconds to first token", seconds, _plain),
        [Series(name="rounds", points=[(length / 1000, value) for length, value in by_length], kind="dots")],
    )
    yield _figure("Time to first token by length of prompt", plot)
    yield _figure("Tokens over the time of the run", _rates(run, good))
    yield _figure("Prompt tokens from the prefix cache", _cache(run, good))


def _rates(run: Run, samples: Sequence[Sample]) -> str:
    """Draw the tokens a second of all answers: those of one answer come evenly from its first token to its end."""
    width = run.seconds / _SLICES
    counts = [0.0] * _SLICES
    for sample in samples:
        tokens = sample.answer.usage.output_tokens or 0
        begin = sample.at_seconds + (sample.answer.first_seconds or 0.0)
        first, last = (min(_SLICES - 1, int(moment / width)) for moment in (begin, sample.end_seconds))
        for number in range(first, last + 1):
            counts[number] += tokens / (last - first + 1)
    points = [((number + 0.5) * width, count / width) for number, count in enumerate(counts)]
    return chart(
        "Tokens a second of all answers over the time of the run",
        linear("seconds since the start", [run.seconds], _plain),
        linear("tokens a second", [rate for _, rate in points], _plain),
        [Series(name="answers", points=points)],
    )


def _cache(run: Run, samples: Sequence[Sample]) -> str:
    """Draw what part of each prompt was cached, and what part had been sent before, over the time of the run."""
    told = [
        (sample, sample.answer.usage.prompt_tokens) for sample in samples if sample.answer.usage.prompt_tokens
    ]
    ordered = sorted(told, key=lambda one: one[0].at_seconds)
    cached = [
        (sample.at_seconds, 100 * sample.answer.usage.cached_tokens / prompt)
        for sample, prompt in ordered
        if sample.answer.usage.cached_tokens is not None
    ]
    before = [
        (sample.at_seconds, 100 * min(1.0, sample.reusable_tokens / prompt)) for sample, prompt in ordered
    ]
    return chart(
        "Percent of each prompt from the prefix cache over the time of the run",
        linear("seconds since the start", [run.seconds], _plain),
        linear("percent of a prompt", [100], "{:.0f}".format),
        [
            Series(name="from the cache", points=cached, kind="dots"),
            Series(name="sent before in the session", points=before, kind="dots"),
        ],
    )


def _figure(caption: str, plot: str) -> str:
    return f"<figure><figcaption>{escape(caption)}</figcaption>{plot}</figure>"


def _plain(value: float) -> str:
    return f"{value:,.10g}"
