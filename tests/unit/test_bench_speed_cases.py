"""The public measurements of speed: well-formed, named, enough on both sides, and physically possible."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from onprem_agents.catalog import Catalog, load_catalog
from tools.bench.speed_cases import (
    SPEED_CASES,
    SpeedCase,
    read_speed_cases,
    score,
)

CASES = read_speed_cases()
# The fewest bytes that a weight takes: a stream reads each active one once per token.
BYTES = {"bf16": 2.0, "fp8": 1.0, "int8": 1.0, "int4": 0.5, "nvfp4": 0.5, "mxfp4": 0.5}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def test_there_are_enough_cases_from_enough_sources_on_both_sides() -> None:
    served = [case for case in CASES if case.kind != "load"]
    aside = sum(case.kept_aside for case in served)

    assert len(served) >= 30
    assert len({case.source for case in served}) >= 20
    assert min(aside, len(served) - aside) >= len(served) / 3


def test_a_source_is_on_one_side_as_a_whole() -> None:
    sides = {(case.source, case.kept_aside) for case in CASES}

    assert len(sides) == len({case.source for case in CASES})


def test_no_case_is_there_twice() -> None:
    idents = Counter(case.ident for case in CASES)
    figures = Counter(
        (
            case.kind, case.hf_id, case.gpu, case.tensor_parallel, case.kv_cache_dtype, case.prompt_tokens,
            case.concurrency, case.speculative_tokens, case.unit, case.value,
        )
        for case in CASES
    )  # fmt: skip

    assert [ident for ident, count in idents.items() if count > 1] == []
    assert [figure for figure, count in figures.items() if count > 1] == []


def test_every_model_and_gpu_is_known(catalog: Catalog) -> None:
    models, gpus = {model.name for model in catalog.models}, {gpu.name for gpu in catalog.accelerators}

    assert {case.model for case in CASES} <= models
    assert {case.gpu for case in CASES} <= gpus


def test_every_case_has_a_checkpoint_of_its_model_and_precision(catalog: Catalog) -> None:
    for case in CASES:
        served = case.checkpoint(catalog)
        assert (case.ident, served.model.name, served.variant.precision) == (
            case.ident,
            case.model,
            case.precision,
        )


def test_every_case_was_read_and_names_no_registry() -> None:
    for case in CASES:
        assert date(2026, 1, 1) <= case.read <= date(2026, 12, 31), case.ident
        assert not any(word in case.source for word in ("://", "huggingface")), case.ident


def test_no_single_stream_reads_faster_than_its_gpus_memory(catalog: Catalog) -> None:
    """A figure above is no measurement of that machine: some pages publish invented ones."""
    for case in CASES:
        alone = case.unit == "tokens_per_second_per_user" and case.concurrency == 1
        if not alone or case.speculative_tokens:
            continue
        read_gb = catalog.model(case.model).active_params_b * BYTES[case.precision]
        bandwidth = catalog.accelerator(case.gpu).bandwidth_gb_per_second * case.tensor_parallel
        assert case.value * read_gb <= bandwidth, case.ident


def test_a_row_with_two_figures_is_refused_with_its_id(tmp_path: Path) -> None:
    with SPEED_CASES.open(newline="", encoding="utf-8") as lines:
        row = next(csv.DictReader(lines))
    row |= {"id": "both", "tokens_per_second_per_user": "40", "tokens_per_second_total": "40"}
    path = tmp_path / "cases.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)

    with pytest.raises(ValueError, match=r"both: decode needs one figure of .* found .*user, .*total"):
        read_speed_cases(path)


def _case(value: float, source: str) -> SpeedCase:
    return SpeedCase(
        ident=f"{source}-{value}", kind="decode", model="m", hf_id="o/m", precision="bf16", kv_cache_dtype="",
        gpu="H100", tensor_parallel=1, nvlink=None, vllm="", prompt_tokens=None, output_tokens=None,
        concurrency=1, speculative_tokens=0, value=value, unit="tokens_per_second_per_user", source=source,
        read=date(2026, 11, 29), note="",
    )  # fmt: skip


def test_a_score_is_taken_per_kind_and_side_and_counts_what_was_not_predicted() -> None:
    # sha256 of "a" ends in 0xbb, an odd number, that of "c" in 0xc6, an even one.
    tuned, aside = "a", "c"
    assert (_case(1, tuned).kept_aside, _case(1, aside).kept_aside) == (False, True)
    cases = [_case(10, tuned), _case(20, tuned), _case(100, tuned), _case(50, aside), _case(1, aside)]

    scores = score(lambda case: None if case.value == 1 else min(case.value * 1.1, 55), cases)

    assert {group: (one.count, one.unpredicted) for group, one in scores.items()} == {
        ("decode", False): (3, 0),
        ("decode", True): (1, 1),
    }
    # 10 and 20 are predicted a tenth too high, 100 as 55.
    tuned_on = scores["decode", False]
    assert (tuned_on.median_error, tuned_on.p90_error, tuned_on.median_ratio) == pytest.approx(
        (0.1, 0.45, 1.1)
    )
    assert scores["decode", True].median_ratio == pytest.approx(1.1)
