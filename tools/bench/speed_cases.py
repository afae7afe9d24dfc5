"""Public measurements of how fast vLLM serves, and how far a prediction lies from them.

`speed_cases.csv`: one figure a row, as its source states it. `kind` says what was measured:

    decode   output tokens/s: of each stream (`tokens_per_second_per_user`: 1 / TPOT or a decode rate, no prefill in it
             unless `note` says so), or of all streams (`tokens_per_second_total`: output over the whole time, prefill
             included unless `note` says so)
    prefill  prompt tokens/s (`prefill_tokens_per_second`), or seconds to the first token; no cache holds the prompt
    load     seconds from the start of the server until it answers, or of its weights: `note` says which

`prompt_tokens` empty: short, beside the weights of no account. `nvlink` and `vllm` empty: not told. All GPUs of a row
serve one replica, split by tensor parallel. `speculative_tokens` 0: none, or none told.
"""

from __future__ import annotations

import csv
import hashlib
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal

from onprem_agents.catalog import Catalog
from onprem_agents.sizing.checkpoint import Checkpoint, checkpoint_named

SPEED_CASES = Path(__file__).with_name("speed_cases.csv")

Kind = Literal["decode", "prefill", "load"]
KINDS: tuple[Kind, ...] = ("decode", "prefill", "load")

Unit = Literal[
    "tokens_per_second_per_user",
    "tokens_per_second_total",
    "prefill_tokens_per_second",
    "first_token_seconds",
    "load_seconds",
]
UNITS: Mapping[Kind, tuple[Unit, ...]] = {
    "decode": ("tokens_per_second_per_user", "tokens_per_second_total"),
    "prefill": ("prefill_tokens_per_second", "first_token_seconds"),
    "load": ("load_seconds",),
}

_P90 = 0.9


@dataclass(frozen=True, kw_only=True)
class SpeedCase:
    """One measured figure: `value` in `unit`. Texts are empty and numbers None where the source does not tell."""

    ident: str
    kind: Kind
    model: str
    hf_id: str
    precision: str
    kv_cache_dtype: str
    gpu: str
    tensor_parallel: int
    nvlink: bool | None
    vllm: str
    prompt_tokens: int | None
    output_tokens: int | None
    concurrency: int
    speculative_tokens: int
    value: float
    unit: Unit
    source: str
    read: date
    note: str

    @cached_property
    def kept_aside(self) -> bool:
        """True for the cases that no constant is tuned on: about half of the sources, by a hash of their names."""
        return hashlib.sha256(self.source.encode()).digest()[-1] % 2 == 0

    def checkpoint(self, catalog: Catalog) -> Checkpoint:
        """Return the checkpoint that was served: the catalogue's, or one counted from the model's shape."""
        model = catalog.model(self.model)
        return checkpoint_named(model.hf_id, self.precision, catalog, repository=self.hf_id)


@dataclass(frozen=True, kw_only=True)
class Score:
    """How far predictions lie from measured figures, as shares of these.

    `unpredicted` are cases for which there was no prediction; they count in nothing else.
    """

    count: int
    unpredicted: int
    median_error: float
    p90_error: float
    median_ratio: float
    """Predicted over measured: above 1 predictions are too high."""


Predict = Callable[[SpeedCase], float | None]
"""Returns what is predicted for a case, in its unit; None where nothing can be said."""


def read_speed_cases(path: Path = SPEED_CASES) -> tuple[SpeedCase, ...]:
    """Return the cases of the file, in its order. Raises ValueError, with the row's id, for a row that is malformed."""
    with path.open(newline="", encoding="utf-8") as lines:
        return tuple(_case(row) for row in csv.DictReader(lines))


def score(predict: Predict, cases: Iterable[SpeedCase] | None = None) -> dict[tuple[Kind, bool], Score]:
    """Return the score for each kind, of the cases to tune on (False) and of those kept aside (True).

    Without a prediction in a group there is no score of it.
    """
    groups: dict[tuple[Kind, bool], list[tuple[float | None, float]]] = {}
    for case in read_speed_cases() if cases is None else cases:
        groups.setdefault((case.kind, case.kept_aside), []).append((predict(case), case.value))
    return {
        group: _score(predictions)
        for group, predictions in sorted(groups.items())
        if any(predicted is not None for predicted, _ in predictions)
    }


def _score(predictions: list[tuple[float | None, float]]) -> Score:
    ratios = [predicted / measured for predicted, measured in predictions if predicted is not None]
    errors = sorted(abs(ratio - 1) for ratio in ratios)
    return Score(
        count=len(ratios),
        unpredicted=len(predictions) - len(ratios),
        median_error=statistics.median(errors),
        p90_error=errors[min(len(errors) - 1, int(_P90 * len(errors)))],
        median_ratio=statistics.median(ratios),
    )


def _case(row: Mapping[str, str]) -> SpeedCase:
    ident = row["id"]
    kind = row["kind"]
    if kind not in KINDS:
        raise ValueError(f"{ident}: kind {kind!r} is none of {', '.join(KINDS)}")
    units = UNITS[kind]
    told = [unit for unit in (unit for units in UNITS.values() for unit in units) if row[unit]]
    if len(told) != 1 or told[0] not in units:
        raise ValueError(
            f"{ident}: {kind} needs one figure of {', '.join(units)}, found {', '.join(told) or 'none'}"
        )
    try:
        return SpeedCase(
            ident=ident,
            kind=kind,
            model=row["model"],
            hf_id=row["hf_id"],
            precision=row["precision"],
            kv_cache_dtype=row["kv_cache_dtype"],
            gpu=row["gpu"],
            tensor_parallel=int(row["tensor_parallel"]),
            nvlink={"yes": True, "no": False, "": None}[row["nvlink"]],
            vllm=row["vllm"],
            prompt_tokens=_whole(row["prompt_tokens"]),
            output_tokens=_whole(row["output_tokens"]),
            concurrency=int(row["concurrency"]),
            speculative_tokens=int(row["speculative_tokens"]),
            value=float(row[told[0]]),
            unit=told[0],
            source=row["source"],
            read=date.fromisoformat(row["read"]),
            note=row["note"],
        )
    except (KeyError, ValueError) as error:
        raise ValueError(f"{ident}: {error}") from None


def _whole(text: str) -> int | None:
    return int(text) if text else None
