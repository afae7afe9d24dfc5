"""The page of a run of `bench`: its bounds, plots and figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from onprem_agents.cli.bench_told import SPREAD_COLUMNS, spreads, totals
from onprem_agents.cli.pages.chart import Series, chart, linear, logarithmic, plain, shares
from onprem_agents.cli.pages.frame import document, figure, row, table
from onprem_agents.probes.bench.bounds import Bound, all_within
from onprem_agents.probes.bench.figures import Figures
from onprem_agents.probes.bench.load import Run
from onprem_agents.probes.bench.profile import Source
from onprem_agents.probes.bench.sample import Sample

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
    return document(
        f"{model}: load of coding agents",
        [
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
        ],
    )


def _source(source: Source) -> str:
    paper = f", {source.paper}" if source.paper else ""
    told = (
        f"{source.title} ({source.address}{paper}), {source.licence}, released {source.released}, read "
        f"{source.read}. {source.changes}"
    )
    return f"<p>{escape(told)}</p>"


def _bounds(judged: Sequence[Bound]) -> str:
    rows = []
    for bound in judged:
        mark = _MARKS[bound.within]
        told = [escape(text) for text in (bound.name, bound.measured, bound.bound, bound.by)]
        if bound.within is False:
            told[0] += f'<br><span class="soft">{escape(bound.why)}<br>change: {escape(bound.change)}</span>'
        rows.append(row((mark, *told)))
    return table(("", "figure", "measured", "bound", "by"), rows)


def _spreads(found: Figures) -> str:
    head = ("figure", *(f'<th class="n">{column}</th>' for column in SPREAD_COLUMNS))
    rows = (
        row((escape(name), *(f'<td class="n">{escape(cell)}</td>' for cell in cells)))
        for name, cells in spreads(found)
    )
    return table(head, rows)


def _totals(found: Figures) -> str:
    rows = (row((escape(name), f'<td class="n">{escape(told)}</td>')) for name, told in totals(found))
    return table((), rows)


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
        logarithmic("time to first token, seconds", seconds, plain),
        percent,
        [Series(name="rounds", points=shares(seconds))],
    )
    yield figure("Time to first token", plot)
    gaps = [1000 * value for sample in good if (value := sample.token_seconds) is not None and value > 0]
    plot = chart(
        "Distribution of the time from token to token",
        logarithmic("time from token to token, milliseconds", gaps, plain),
        percent,
        [Series(name="rounds", points=shares(gaps))],
    )
    yield figure("Time from token to token", plot)
    by_length = [(float(sample.answer.usage.prompt_tokens or 0), value) for sample, value in first]
    plot = chart(
        "Time to the first token by the length of the prompt",
        linear("prompt, thousand tokens", [length / 1000 for length, _ in by_length], plain),
        logarithmic("seconds to first token", seconds, plain),
        [Series(name="rounds", points=[(length / 1000, value) for length, value in by_length], kind="dots")],
    )
    yield figure("Time to first token by length of prompt", plot)
    yield figure("Tokens over the time of the run", _rates(run, good))
    yield figure("Prompt tokens from the prefix cache", _cache(run, good))


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
        linear("seconds since the start", [run.seconds], plain),
        linear("tokens a second", [rate for _, rate in points], plain),
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
        linear("seconds since the start", [run.seconds], plain),
        linear("percent of a prompt", [100], "{:.0f}".format),
        [
            Series(name="from the cache", points=cached, kind="dots"),
            Series(name="sent before in the session", points=before, kind="dots"),
        ],
    )
