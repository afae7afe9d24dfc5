"""The figures of a run beside what the contract and the plan promise: within, or why not and what to change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from onprem_agents.contract.connection import Timeouts
from onprem_agents.plan import ServingPlan
from onprem_agents.plan.timeouts import KEEP_ALIVE_SECONDS
from onprem_agents.probes.bench.figures import Figures
from onprem_agents.probes.bench.load import Run
from onprem_agents.probes.bench.sample import UNFINISHED
from onprem_agents.probes.long_prompts import LEAST_SHARE
from onprem_agents.sizing.throughput import bounds_of

# A comment of the server every so many seconds, and what the way adds.
_SILENCE_SECONDS = KEEP_ALIVE_SECONDS + 5


@dataclass(frozen=True, kw_only=True)
class Bound:
    """One figure and its bound, both in words; `within` is None where the bound is told and not judged by.

    `why` and `change` are empty where it is within.
    """

    name: str
    measured: str
    bound: str
    by: str
    within: bool | None
    why: str = ""
    change: str = ""


@dataclass(frozen=True, kw_only=True)
class Promised:
    """Who promises what: the contract of the platform, the plan of its stack, either or none."""

    timeouts: Timeouts | None = None
    serving: ServingPlan | None = None


def all_within(judged: Sequence[Bound]) -> bool:
    """Return whether no bound is missed."""
    return all(bound.within is not False for bound in judged)


def bounds(run: Run, found: Figures, promised: Promised) -> tuple[Bound, ...]:
    """Return each bound that is known, with what was measured."""
    return (
        *_failures(run, found),
        *_of_cache(found),
        *(_of_contract(found, promised.timeouts) if promised.timeouts is not None else ()),
        *(_of_plan(run, found, promised.serving) if promised.serving is not None else ()),
        *(_speed(found, promised.serving) if promised.serving is not None else ()),
    )


def _judged(name: str, measured: str, bound: str, by: str, *, within: bool, why: str, change: str) -> Bound:
    """Return a bound that tells why and what to change only where it is missed."""
    return Bound(
        name=name,
        measured=measured,
        bound=bound,
        by=by,
        within=within,
        why="" if within else why,
        change="" if within else change,
    )


def _failures(run: Run, found: Figures) -> Iterator[Bound]:
    failed = (one.answer for one in run.samples if not one.answer.ok and one.answer.cause != UNFINISHED)
    first = next(failed, None)
    if not found.rounds:
        yield _judged(
            "rounds answered",
            "none",
            "at least one",
            "the load",
            within=False,
            why="without an answer nothing was measured",
            change=first.fix if first is not None else "let it run longer (--minutes)",
        )
    causes = ", ".join(f"{cause} {number}" for cause, number in found.causes.items() if cause != UNFINISHED)
    yield _judged(
        "rounds that failed",
        f"{found.failed} of {found.rounds + found.failed}",
        "none",
        "the load",
        within=not found.failed,
        why=f"an agent's turn ends there ({causes}); the first: {first.evidence if first else ''}",
        change=first.fix if first is not None else "",
    )
    yield _judged(
        "rounds told to come again",
        f"{found.refusals}",
        "none",
        "the load",
        within=not found.refusals,
        why="a quota or the server was full, and agents stood still meanwhile",
        change="ask for a larger quota, or run fewer sessions (--sessions)",
    )


def _of_cache(found: Figures) -> Iterator[Bound]:
    if found.reusable_share is None:
        return
    least = LEAST_SHARE * found.reusable_share
    told = found.cached_share is not None
    yield _judged(
        "prompt tokens from the prefix cache",
        f"{found.cached_share:.0%}" if found.cached_share is not None else "not told",
        f"at least {least:.0%}",
        f"{LEAST_SHARE:.0%} of what sessions repeat, {found.reusable_share:.0%}",
        within=found.cached_share is not None and found.cached_share >= least,
        why="prompts are computed anew: the cache forgot them, or another replica has them"
        if told
        else "usage has no prompt_tokens_details.cached_tokens",
        change="fewer sessions, a larger KV cache, or routing that keeps a session on its replica"
        if told
        else "start vLLM with --enable-prompt-tokens-details, as the stack does",
    )


def _of_contract(found: Figures, timeouts: Timeouts) -> Iterator[Bound]:
    if found.round_seconds is not None:
        longest, most = found.round_seconds.most, timeouts.longest_turn_seconds
        yield _judged(
            "longest round",
            f"{longest:.1f} s",
            f"at most {most} s",
            "the contract's longest turn",
            within=longest <= most,
            why="the platform cuts turns that take longer",
            change="fewer sessions, or a longer turn in the stack (timeouts.longestTurnSeconds)",
        )
    if found.silence_seconds is not None:
        silence, most = found.silence_seconds.most, timeouts.stream_idle_seconds
        yield _judged(
            "longest silence of a stream",
            f"{silence:.1f} s",
            f"at most {most} s",
            "the contract's idle limit",
            within=silence <= most,
            why="agents give a silent stream up",
            change="look at what stands between here and the server (onprem-agents doctor --slow)",
        )


def _of_plan(run: Run, found: Figures, serving: ServingPlan) -> Iterator[Bound]:
    sessions, held = run.load.sessions, serving.sessions
    yield _judged(
        "sessions at once",
        f"{sessions}",
        f"at most {held}",
        f"the plan: full contexts of {serving.context_tokens:,} tokens that {serving.role} holds",
        within=sessions <= held,
        why="with full contexts, the rest would wait or evict each other's prompts",
        change=f"run {held} (--sessions), or plan more replicas",
    )
    most = held * serving.context_tokens
    yield _judged(
        "tokens of all sessions at once",
        f"{found.most_tokens_held:,}",
        f"at most {most:,}",
        "the plan: what the KV cache holds",
        within=found.most_tokens_held <= most,
        why="the cache forgets prompts that come again",
        change="fewer sessions, or more replicas",
    )
    if found.silence_seconds is not None:
        silence = found.silence_seconds.most
        yield _judged(
            "longest silence, with the server's comments",
            f"{silence:.1f} s",
            f"at most {_SILENCE_SECONDS} s",
            f"the plan: a comment every {KEEP_ALIVE_SECONDS} s",
            within=silence <= _SILENCE_SECONDS,
            why="comments do not come through, so idle limits on the way cut long prompts",
            change="look for a proxy that buffers (onprem-agents doctor)",
        )


def _speed(found: Figures, serving: ServingPlan) -> Iterator[Bound]:
    """Yield how near the run came to what memory and arithmetic of the GPUs allow; drafted tokens may pass that."""
    if serving.fit.memory is None:
        return
    most, replicas = bounds_of(serving.fit.memory, serving.fit.sessions), serving.replicas
    by = f"the plan: what the GPUs allow at {most.context_tokens:,} tokens a session, without losses"
    stream = found.stream_tokens_per_second
    rates = (
        ("one stream while it runs, p50", stream.p50 if stream else None, most.decode_tokens_per_second_one),
        (
            "answers, all sessions together",
            found.output_tokens_per_second,
            most.decode_tokens_per_second_all * replicas,
        ),
        (
            "prompts without what was cached",
            found.computed_tokens_per_second,
            most.prefill_tokens_per_second * replicas,
        ),
    )
    for name, rate, limit in rates:
        if rate is not None:
            yield Bound(
                name=name,
                measured=f"{rate:,.1f} tokens/s, {rate / limit:.0%} of it",
                bound=f"at most {limit:,.0f} tokens/s",
                by=by,
                within=None,
            )
