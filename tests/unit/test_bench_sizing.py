"""`./dev bench sizing`: every row of the file is compared, or named with the reason why it is not."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.console import Console

from embedded.progress import Progress
from onprem_agents.catalog import load_catalog
from onprem_agents.errors import InvalidInput
from onprem_agents.sizing.constants import CONSTANTS
from tools.bench.sizing import measure_sizing
from tools.bench.sizing_aims import aims_of
from tools.bench.sizing_fit import constants_without
from tools.bench.sizing_rows import read_runs

pytestmark = pytest.mark.unit

# A benchmark's log on 4 x A100 80 GB, vLLM 0.10.1.1.
RUN = {
    "id": "a",
    "hf_id": "openai/gpt-oss-120b",
    "precision": "mxfp4",
    "gpu": "NVIDIA A100 80GB",
    "gpu_count": "4",
    "tp": "4",
    "vllm_version": "0.10.1.1",
    "max_model_len": "16384",
    "gpu_memory_utilization": "0.8",
    "max_num_batched_tokens": "2048",
    "available_kv_gib": "45.32",
    "patched": "",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "runs.csv"


def write(file: Path, *rows: Mapping[str, str]) -> None:
    with file.open("w", newline="", encoding="utf-8") as sink:
        table = csv.DictWriter(sink, fieldnames=list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def test_a_row_that_cannot_be_compared_is_named_with_its_reason(file: Path) -> None:
    write(
        file,
        RUN,
        {**RUN, "id": "b", "hf_id": ""},
        {**RUN, "id": "c", "gpu": "some card"},
        {**RUN, "id": "d", "available_kv_gib": ""},
        {**RUN, "id": "e", "patched": "yes"},
    )

    runs, unread = read_runs(file, load_catalog())

    assert [run.ident for run in runs] == ["a"]
    assert [(row.line, row.ident) for row in unread] == [(3, "b"), (4, "c"), (5, "d"), (6, "e")]
    for row, why in zip(
        unread, ("hf_id is empty", "some card", "none of the figures", "patched"), strict=True
    ):
        assert why in row.why


def test_a_file_without_one_comparable_row_is_an_error_that_names_its_rows(file: Path) -> None:
    write(file, {"name": "x", "memory": "3"}, {"name": "y", "memory": "4"})

    with pytest.raises(InvalidInput) as refusal:
        read_runs(file, load_catalog())

    text = str(refusal.value)
    assert "0 of 2 rows can be compared" in text
    assert "line 2 (no id): hf_id is empty" in text
    assert "line 3 (no id): hf_id is empty" in text
    assert "model_load_gib, available_kv_gib, max_concurrency" in text, "what to give instead"


@pytest.mark.parametrize("text", ["", "id,hf_id\n"])
def test_a_file_without_rows_is_an_error(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidInput, match="no rows below its header"):
        read_runs(file, load_catalog())


def test_what_is_left_out_is_said_beside_the_figures(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(file, RUN, {**RUN, "id": "b", "hf_id": ""})
    notes = io.StringIO()

    measure_sizing(file, Progress(console=Console(file=notes, width=200)))

    assert "1 of 2 rows compared" in capsys.readouterr().out
    assert "left out: line 3 (b): hf_id is empty" in notes.getvalue()


def test_the_aims_tell_a_pool_outside_its_band_and_a_verdict_against_its_outcome(file: Path) -> None:
    # 45.32 GiB were printed; 70 and 20 lie far above and below what any band reaches.
    write(
        file,
        {**RUN, "source": "one", "outcome": "ok"},
        {**RUN, "id": "b", "source": "two", "outcome": "ok", "available_kv_gib": "70"},
        {**RUN, "id": "c", "source": "three", "outcome": "kv_too_small", "available_kv_gib": "20"},
    )
    runs, _ = read_runs(file, load_catalog())

    aims = {aim.name: aim for aim in aims_of(runs, {"one": CONSTANTS})}

    below, inside = aims["pool below the careful end"], aims["pool inside the band"]
    assert below.value == pytest.approx(1 / 3)
    assert inside.value == pytest.approx(1 / 3)
    assert not below.is_met
    assert not inside.is_met
    assert (below.left_out, inside.left_out) == (0.0, 1.0), "of the one source with constants of others"
    assert aims["refused but said to fit"].value == 1.0
    assert not aims["refused but said to fit"].is_met
    assert aims["started but said not to"].is_met


def test_with_one_source_alone_nothing_is_left_out(file: Path) -> None:
    write(file, {**RUN, "source": "one"}, {**RUN, "id": "b", "source": "one"})
    runs, _ = read_runs(file, load_catalog())
    assert constants_without(runs) == {}
    assert all(aim.left_out is None for aim in aims_of(runs, {}))
