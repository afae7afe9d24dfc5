"""What `./dev bench gateway` makes of measured rounds: what a target adds, what a stream loses, verdicts."""

from __future__ import annotations

import io

from rich.console import Console

from tools.bench.gateway_figures import GatewayFigures, Rounds, Way, show_gateway


def rounds(*milliseconds: float, paced: float = 100.0) -> Rounds:
    return Rounds(
        milliseconds=list(milliseconds),
        requests_per_second=[900.0, 1000.0, 5000.0],
        tokens_per_second=[10_000.0, 20_000.0, 20_000.0],
        paced=[paced, paced, 1.0],
        generator_share=[0.4, 0.5],
    )


def way(streams: int, *milliseconds: float, paced: float = 99.0, target: str = "Envoy") -> Way:
    return Way(
        target=target,
        streams=streams,
        requests_per_second=64,
        through=rounds(*milliseconds, paced=paced),
        direct=rounds(0.3, 0.4, 0.5),
    )


def figures(*ways: Way, left_out: str | None = None) -> GatewayFigures:
    return GatewayFigures(
        ways=ways,
        aimed="Envoy",
        developers=200,
        body_kib=48,
        left_out=left_out,
        cores=2,
        load=(0.5, 1.5),
    )


def shown(found: GatewayFigures) -> str:
    text = io.StringIO()
    show_gateway(found, Console(file=text, width=130))
    return text.getvalue()


def test_what_a_target_adds_is_its_median_less_that_of_the_direct_way() -> None:
    found = way(1, 0.9, 1.0, 7.0)

    assert round(found.added_p50_ms, 3) == 0.6, "1.0 less 0.4"
    assert round(found.added_p99_ms, 3) == 6.5, "7.0 less 0.5"
    assert round(found.stream_cost_share, 3) == 0.01, "99 of 100 tokens a second"


def test_the_aims_hold_for_the_worse_of_one_and_many_streams_and_for_envoy_alone() -> None:
    met = figures(way(1, 0.9), way(16, 1.3), way(1, 40.0, paced=60.0, target="Envoy + LiteLLM"))
    missed = figures(way(1, 0.9), way(16, 1.5, paced=94.0))

    assert [aim["verdict"] for aim in met.to_wire()["aims"]] == ["met", "met"]
    assert [aim["verdict"] for aim in missed.to_wire()["aims"]] == ["missed", "missed"]
    assert met.to_wire()["aims"][0] == {"name": "addedP50Ms", "value": 0.9, "aim": 1.0, "verdict": "met"}


def test_the_text_has_every_row_both_verdicts_and_the_conditions() -> None:
    text = shown(figures(way(1, 0.9), way(16, 1.3)))

    assert sum(line.split()[:1] == ["direct"] for line in text.splitlines()[:8]) == 2
    assert "Envoy adds 0.90 ms at p50, aim ≤ 1 ms: met" in text
    assert "Envoy costs 1.0% of a stream paced at 100 tokens/s, aim ≤ 5%: met" in text
    assert "direct is plain HTTP; through Envoy (one worker) it is TLS" in text
    assert "share 2 cores; the generator takes 50% of one" in text
    assert "load 0.5 before and 1.5 after" in text


def test_what_was_not_measured_is_told() -> None:
    assert "LiteLLM was not measured: no network" in shown(
        figures(way(1, 0.9), left_out="LiteLLM was not measured: no network")
    )
