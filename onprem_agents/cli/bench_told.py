"""The figures of a run as rows of words, for the terminal and the page, and as JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from onprem_agents.cli.json_values import camel
from onprem_agents.probes.bench.bounds import Bound, all_within
from onprem_agents.probes.bench.figures import Figures, Spread
from onprem_agents.probes.bench.load import Run

SPREAD_COLUMNS = ("p50", "p90", "p99", "most")


def spreads(found: Figures) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the name of each figure that has a spread, and its percentiles in words."""
    by_length = (
        (f"… prompts {_range(one.least_tokens, one.most_tokens)}", one.first_seconds, _seconds)
        for one in found.by_length
    )
    rows = (
        ("time to first token", found.first_seconds, _seconds),
        *by_length,
        ("time from token to token", found.token_seconds, _milliseconds),
        ("whole round", found.round_seconds, _seconds),
        ("longest silence in a round", found.silence_seconds, _seconds),
        ("prompt", found.prompt_tokens, _tokens),
        ("answer", found.output_tokens, _tokens),
    )
    for name, spread, form in rows:
        if spread is not None:
            yield name, tuple(form(value) for value in _cells(spread))


def totals(found: Figures) -> Iterator[tuple[str, str]]:
    """Yield the name of each single figure and what it says."""
    yield "rounds answered", f"{found.rounds:,} in {found.sessions_begun:,} sessions"
    if found.unfinished:
        yield "rounds not yet over at the end", f"{found.unfinished:,}"
    failed = ", ".join(f"{cause} {number}" for cause, number in found.causes.items() if cause != "unfinished")
    yield "rounds that failed", f"{found.failed:,} ({failed})" if failed else "0"
    yield "told to come again (429, 503)", f"{found.refusals:,}"
    if found.output_tokens_per_second is not None:
        yield "answers, all sessions together", f"{found.output_tokens_per_second:,.1f} tokens/s"
    if found.prompt_tokens_per_second is not None:
        yield "prompts, all sessions together", f"{found.prompt_tokens_per_second:,.0f} tokens/s"
    if found.stream_tokens_per_second is not None:
        yield "one stream while it runs, p50", f"{found.stream_tokens_per_second.p50:,.1f} tokens/s"
    cached = "not told by the server" if found.cached_share is None else f"{found.cached_share:.1%}"
    yield "prompt tokens from the prefix cache", cached
    if found.reusable_share is not None:
        yield "prompt tokens that came before in the session", f"{found.reusable_share:.1%}"
    yield "tokens of all sessions at once, at most", f"{found.most_tokens_held:,}"


def _cells(spread: Spread) -> tuple[float, float, float, float]:
    return spread.p50, spread.p90, spread.p99, spread.most


def _range(least: int, most: int | None) -> str:
    return f"from {least // 1024}K" if most is None else f"{least // 1024}K to {most // 1024}K"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"  # noqa: PLR2004 - two figures are enough above


def _milliseconds(value: float) -> str:
    return f"{1000 * value:.1f} ms"


def _tokens(value: float) -> str:
    return f"{value:,.0f}"


def as_json(run: Run, found: Figures, judged: Sequence[Bound], *, url: str, model: str) -> dict[str, Any]:
    """Return everything but the single rounds as JSON values; times in seconds, lengths in tokens."""
    load = run.load
    return {
        "version": 1,
        "url": url,
        "model": model,
        "started": run.started.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 3),
        "ended": run.ended,
        "load": {
            "profile": load.profile.name,
            "source": load.profile.source.title,
            "licence": load.profile.source.licence,
            "sessions": load.sessions,
            "seconds": load.seconds,
            "pauses": load.pauses,
            "seed": load.seed,
            "contextTokens": load.limits.context_tokens,
            "tokensPerWord": round(load.words.tokens_per_word, 4),
        },
        "compactions": run.compactions,
        "figures": camel(asdict(found)),
        "bounds": [camel(asdict(bound)) for bound in judged],
        "within": all_within(judged),
    }
