"""What a gateway adds to a request and takes from a stream: each target beside the direct way of the same rounds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from tools.bench.figures import verdict

# The aims of the product: Envoy with the keys of 200 developers.
ADDED_AIM_MS = 1.0
STREAM_AIM_SHARE = 0.05
PACED_TOKENS_PER_SECOND = 100


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """One target at a number of parallel streams, all rounds together.

    `milliseconds` of paced requests; `requests_per_second` without a pause, one for each round;
    `tokens_per_second` of all streams together as fast as they go, one for each round; `paced` of each single
    stream that the server sends at `PACED_TOKENS_PER_SECOND`; `generator_share` of a core that the load generator
    took without a pause.
    """

    milliseconds: list[float] = field(default_factory=list)
    requests_per_second: list[float] = field(default_factory=list)
    tokens_per_second: list[float] = field(default_factory=list)
    paced: list[float] = field(default_factory=list)
    generator_share: list[float] = field(default_factory=list)

    @property
    def p50_ms(self) -> float:
        return statistics.median(self.milliseconds)

    @property
    def p99_ms(self) -> float:
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]


@dataclass(frozen=True, kw_only=True)
class Way:
    """A target beside the direct way, measured in turns; `requests_per_second` of the paced ones, all together."""

    target: str
    streams: int
    requests_per_second: int
    through: Rounds
    direct: Rounds

    @property
    def added_p50_ms(self) -> float:
        return self.through.p50_ms - self.direct.p50_ms

    @property
    def added_p99_ms(self) -> float:
        return self.through.p99_ms - self.direct.p99_ms

    @property
    def stream_cost_share(self) -> float:
        """What a paced stream loses of its speed."""
        return 1 - statistics.median(self.through.paced) / statistics.median(self.direct.paced)


@dataclass(frozen=True, kw_only=True)
class GatewayFigures:
    """Everything that one measurement found. `aimed` is the target that the aims hold for."""

    ways: Sequence[Way]
    aimed: str
    developers: int
    body_kib: int
    left_out: str | None
    cores: int
    load: tuple[float, float]

    @property
    def added_p50_ms(self) -> float:
        """The worse of 1 and many streams."""
        return max(way.added_p50_ms for way in self.ways if way.target == self.aimed)

    @property
    def stream_cost_share(self) -> float:
        """The worse of 1 and many streams."""
        return max(way.stream_cost_share for way in self.ways if way.target == self.aimed)

    def to_wire(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {
            "cores": self.cores,
            "load": list(self.load),
            "developers": self.developers,
            "bodyKib": self.body_kib,
            "leftOut": self.left_out,
            "ways": [
                {
                    "target": way.target,
                    "streams": way.streams,
                    "pacedRequestsPerSecond": way.requests_per_second,
                    "direct": _wire(way.direct),
                    "through": _wire(way.through),
                    "addedP50Ms": round(way.added_p50_ms, 3),
                    "addedP99Ms": round(way.added_p99_ms, 3),
                    "streamCostShare": round(way.stream_cost_share, 4),
                }
                for way in self.ways
            ],
            "aims": [
                _aim("addedP50Ms", self.added_p50_ms, ADDED_AIM_MS),
                _aim("streamCostShare", self.stream_cost_share, STREAM_AIM_SHARE),
            ],
        }


def show_gateway(figures: GatewayFigures, console: Console) -> None:
    """Print the figures as a table with aims and verdicts."""
    table = Table(show_edge=False, title_justify="left")
    table.title = f"requests of {figures.body_kib} KiB; every target beside the direct way of the same rounds"
    table.add_column("")
    columns = ("streams", "p50 ms", "p99 ms", "+ p50", "+ p99", "requests/s", "tokens/s", "of 100/s")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for way in figures.ways:
        table.add_row("direct", *_cells(way.streams, way.direct), style="dim")
        added = (f"{way.added_p50_ms:+.2f}", f"{way.added_p99_ms:+.2f}")
        table.add_row(way.target, *_cells(way.streams, way.through, added))
    console.print(table)
    if figures.left_out is not None:
        console.print(figures.left_out, soft_wrap=True)
    for line in (*_verdicts(figures), *_conditions(figures)):
        console.print(line, soft_wrap=True)


def _verdicts(figures: GatewayFigures) -> tuple[str, str]:
    added, cost = figures.added_p50_ms, figures.stream_cost_share
    adds = f"{figures.aimed} adds {added:.2f} ms at p50, aim ≤ {ADDED_AIM_MS:g} ms: "
    costs = f"{figures.aimed} costs {cost:.1%} of a stream paced at {PACED_TOKENS_PER_SECOND} tokens/s, "
    return (
        adds + verdict(added, ADDED_AIM_MS),
        f"{costs}aim ≤ {STREAM_AIM_SHARE:.0%}: {verdict(cost, STREAM_AIM_SHARE)}",
    )


def _conditions(figures: GatewayFigures) -> tuple[str, ...]:
    share = max(max(way.direct.generator_share) for way in figures.ways)
    paces = {way.target: way.requests_per_second for way in figures.ways}
    told = ", ".join(f"{pace} a second for {target} and its direct way" for target, pace in paces.items())
    columns = (
        f"p50, p99: {told}, all streams together, so that none waits for another; requests/s, "
        "tokens/s: without a pause; of 100/s: what arrives of a stream that the server sends at "
        f"{PACED_TOKENS_PER_SECOND} tokens/s"
    )
    fairness = (
        "direct is plain HTTP; through Envoy (one worker) it is TLS, which the figures hold. Load generator, Envoy "
        f"and server share {figures.cores} cores; the generator takes {share:.0%} of one on the direct way, so "
        "direct requests/s and tokens/s are the least that the server can do"
    )
    return columns, fairness, f"load {figures.load[0]:.1f} before and {figures.load[1]:.1f} after"


def _cells(streams: int, rounds: Rounds, added: tuple[str, str] = ("", "")) -> tuple[str, ...]:
    return (
        str(streams),
        f"{rounds.p50_ms:.2f}",
        f"{rounds.p99_ms:.2f}",
        *added,
        f"{statistics.median(rounds.requests_per_second):,.0f}",
        f"{statistics.median(rounds.tokens_per_second):,.0f}",
        f"{statistics.median(rounds.paced):.1f}",
    )


def _wire(rounds: Rounds) -> dict[str, Any]:
    return {
        "requests": len(rounds.milliseconds),
        "p50Ms": round(rounds.p50_ms, 3),
        "p99Ms": round(rounds.p99_ms, 3),
        "requestsPerSecond": round(statistics.median(rounds.requests_per_second), 1),
        "tokensPerSecond": round(statistics.median(rounds.tokens_per_second), 1),
        "pacedTokensPerSecond": round(statistics.median(rounds.paced), 2),
        "generatorShare": round(max(rounds.generator_share), 2),
    }


def _aim(name: str, value: float, aim: float) -> dict[str, Any]:
    return {"name": name, "value": round(value, 4), "aim": aim, "verdict": verdict(value, aim)}
