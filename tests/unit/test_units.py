"""Units: what an API server stores, what the Gateway API accepts, what vLLM reads."""

from __future__ import annotations

import pytest

from onprem_agents.units import (
    BadUnit,
    canonical_quantity,
    format_bytes,
    format_cpu,
    format_duration,
    format_gib,
    format_tokens,
    parse_duration,
    parse_quantity,
    parse_tokens,
)

pytestmark = pytest.mark.unit


# Pairs as the API server's resource.Quantity writes them back (apimachinery, quantity_test.go).
@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("0", "0"),
        ("8", "8"),
        ("0.5", "500m"),
        ("500m", "500m"),
        ("1000m", "1"),
        ("2000", "2k"),
        ("1e3", "1k"),
        ("32Gi", "32Gi"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1000Mi", "1000Mi"),
        ("512", "512"),
        ("1024", "1024"),
        ("1Ki", "1Ki"),
    ],
)
def test_a_quantity_takes_the_form_in_which_it_is_stored(written: str, stored: str) -> None:
    assert canonical_quantity(written) == stored
    assert canonical_quantity(stored) == stored, (
        "a stored quantity must not change again, or it shows as drift"
    )
    assert parse_quantity(written) == parse_quantity(stored)


@pytest.mark.parametrize("text", ["", "-1", "1 Gi", "1GiB", "Gi", "1.2.3", "ten", "1e", "0x10"])
def test_what_is_no_quantity_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadUnit, match='write it like "8", "500m" or "32Gi"'):
        parse_quantity(text)


def test_cpu_and_memory_round_up_so_that_a_request_never_shrinks() -> None:
    assert format_cpu(8) == "8"
    assert format_cpu(0.1 * 3) == "300m"
    assert format_cpu(0.0001) == "1m"
    assert format_gib(32) == "32Gi"
    assert format_gib(29.6) == "30311Mi"
    assert format_bytes(2**35) == "32Gi"
    assert format_bytes(1000) == "1k"
    assert format_bytes(1025) == "1025"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("600s", 600), ("10m", 600), ("1h30m", 5400), ("500ms", 0.5), ("1m0s", 60)],
)
def test_a_gateway_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (600, "10m"), (90, "1m30s"), (5400, "1h30m"), (0.25, "250ms"), (1800, "30m")],
)
def test_seconds_are_written_in_the_shortest_gateway_duration(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "1.5h", "-1s", "100000s", "1d", "1h1m1s1ms1s"])
def test_what_the_gateway_api_would_refuse_is_refused(text: str) -> None:
    with pytest.raises(BadUnit):
        parse_duration(text)


def test_a_negative_time_is_refused() -> None:
    with pytest.raises(BadUnit):
        format_duration(-1)


# vLLM 0.33.0, --max-model-len: 128k is 128000 and 128K is 131072 (seen on a live server).
def test_tokens_follow_the_shorthand_of_vllm() -> None:
    assert parse_tokens("128k") == 128_000
    assert parse_tokens("128K") == 131_072
    assert parse_tokens("65536") == parse_tokens(65_536) == 65_536
    assert format_tokens(131_072) == "128K"
    assert format_tokens(128_000) == "125K", "125 x 1024 is as exact and no longer"
    assert format_tokens(1_000) == "1k"
    assert format_tokens(5) == "5"


@pytest.mark.parametrize("text", ["", "k", "1.0001k", "-5", "12q", "1 K"])
def test_what_is_no_token_count_is_refused(text: str) -> None:
    with pytest.raises(BadUnit, match="token count"):
        parse_tokens(text)


def test_a_bad_unit_is_a_value_error_so_that_pydantic_reports_it() -> None:
    assert issubclass(BadUnit, ValueError)
