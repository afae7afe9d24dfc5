"""What the rounds of a run say in figures: percentiles, rates, the prefix cache, failures."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from onprem_agents.probes.bench.load import Run
from onprem_agents.probes.bench.sample import UNFINISHED, Sample

# Upper ends of the groups of prompt lengths, in tokens.
_LENGTHS = (16_384, 32_768, 65_536, 131_072)
_HUNDRED = 100


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How values are spread; in the unit of the values."""

    count: int
    mean: float
    p50: float
    p90: float
    p99: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """Return the spread of values, None where there are none."""
        listed = sorted(values)
        if not listed:
            return None
        cuts = (
            statistics.quantiles(listed, n=_HUNDRED, method="inclusive") if len(listed) > 1 else listed * 99
        )
        return cls(
            count=len(listed),
            mean=statistics.fmean(listed),
            p50=cuts[49],
            p90=cuts[89],
            p99=cuts[98],
            most=listed[-1],
        )


@dataclass(frozen=True, kw_only=True)
class OfLength:
    """The time to the first token of prompts of some length; `most_tokens` None for the longest."""

    least_tokens: int
    most_tokens: int | None
    first_seconds: Spread


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of a run. Rates are over the time of the load, without the wait for its last rounds.

    None is what could not be told.
    """

    rounds: int
    failed: int
    unfinished: int
    refusals: int
    sessions_begun: int
    causes: dict[str, int]
    first_seconds: Spread | None
    token_seconds: Spread | None
    round_seconds: Spread | None
    silence_seconds: Spread | None
    prompt_tokens: Spread | None
    output_tokens: Spread | None
    output_tokens_per_second: float | None
    prompt_tokens_per_second: float | None
    computed_tokens_per_second: float | None
    """Prompt tokens that were not cached, of a server that tells."""
    stream_tokens_per_second: Spread | None
    """Of one stream while it runs: what a developer sees."""
    cached_share: float | None
    """Of all prompt tokens, those that the server took from its prefix cache."""
    reusable_share: float | None
    """Of the same tokens, those that the session had sent before: what a cache that forgets nothing gives."""
    most_tokens_held: int
    """Prompts and answers of all sessions at once, at most: what the KV cache must hold to forget nothing."""
    by_length: tuple[OfLength, ...]


def figures(run: Run) -> Figures:
    """Return the figures of a run."""
    good = [sample for sample in run.samples if sample.answer.ok]
    told = [sample for sample in good if sample.answer.usage.prompt_tokens is not None]
    causes = Counter(sample.answer.cause for sample in run.samples)
    cached = [sample for sample in told if sample.answer.usage.cached_tokens is not None]
    token_seconds = [value for sample in good if (value := sample.token_seconds) is not None]
    loaded = run.loaded_seconds

    def within(samples: Iterable[Sample]) -> list[Sample]:
        return [one for one in samples if one.at_seconds + (one.answer.first_seconds or 0.0) <= loaded]

    return Figures(
        rounds=len(good),
        failed=sum(number for cause, number in causes.items() if cause not in ("ok", UNFINISHED)),
        unfinished=causes[UNFINISHED],
        refusals=sum(sample.refusals for sample in run.samples),
        sessions_begun=len({sample.session for sample in run.samples}),
        causes={cause: number for cause, number in sorted(causes.items()) if cause != "ok"},
        first_seconds=Spread.of(_first(good)),
        token_seconds=Spread.of(token_seconds),
        round_seconds=Spread.of(sample.answer.seconds for sample in good),
        silence_seconds=Spread.of(sample.answer.silence_seconds for sample in good),
        prompt_tokens=Spread.of(map(_prompt, told)),
        output_tokens=Spread.of(map(_output, told)),
        output_tokens_per_second=sum(_output(one) * _part(one, loaded) for one in told) / loaded
        if told
        else None,
        prompt_tokens_per_second=sum(map(_prompt, within(told))) / loaded if told else None,
        computed_tokens_per_second=sum(map(_computed, within(cached))) / loaded if cached else None,
        stream_tokens_per_second=Spread.of(1 / value for value in token_seconds if value > 0),
        cached_share=_share(cached, [sample.answer.usage.cached_tokens or 0 for sample in cached]),
        reusable_share=_share(told, [min(sample.reusable_tokens, _prompt(sample)) for sample in told]),
        most_tokens_held=_most_held(told),
        by_length=tuple(_by_length(told)),
    )


def _first(samples: Iterable[Sample]) -> list[float]:
    return [sample.answer.first_seconds for sample in samples if sample.answer.first_seconds is not None]


def _prompt(sample: Sample) -> int:
    return sample.answer.usage.prompt_tokens or 0


def _part(sample: Sample, loaded: float) -> float:
    """Return which part of an answer came in so many seconds since the start; its tokens come evenly."""
    first = sample.at_seconds + (sample.answer.first_seconds or 0.0)
    if sample.end_seconds <= loaded:
        return 1.0
    return max(0.0, loaded - first) / max(sample.end_seconds - first, 1e-9)


def _computed(sample: Sample) -> int:
    return _prompt(sample) - (sample.answer.usage.cached_tokens or 0)


def _output(sample: Sample) -> int:
    return sample.answer.usage.output_tokens or 0


def _share(samples: Sequence[Sample], parts: Sequence[int]) -> float | None:
    whole = sum(map(_prompt, samples))
    return sum(parts) / whole if whole else None


def _most_held(samples: Sequence[Sample]) -> int:
    held: dict[int, int] = {}
    last = {sample.session: sample.end_seconds for sample in samples}
    most = 0
    for sample in sorted(samples, key=lambda one: one.end_seconds):
        held = {session: tokens for session, tokens in held.items() if last[session] >= sample.at_seconds}
        held[sample.session] = _prompt(sample) + _output(sample)
        most = max(most, sum(held.values()))
    return most


def _by_length(samples: Sequence[Sample]) -> Iterable[OfLength]:
    ends = (*_LENGTHS, None)
    for least, most in zip((0, *_LENGTHS), ends, strict=True):
        within = [one for one in samples if least <= _prompt(one) and (most is None or _prompt(one) < most)]
        spread = Spread.of(_first(within))
        if spread is not None:
            yield OfLength(least_tokens=least, most_tokens=most, first_seconds=spread)
