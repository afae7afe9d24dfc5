"""All starts of one run within its time, and what each printed beside what was said."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded.ports import LOOPBACK
from onprem_agents.plan import ServingPlan
from onprem_agents.sizing import Memory, memory_of, prediction
from onprem_agents.vllm import COMMAND
from tools.verify_gpu.command import Temperature, argv_here, changed_words, flags_here, request_of
from tools.verify_gpu.folder import write_model
from tools.verify_gpu.machine import SETTLE_SECONDS, Machine
from tools.verify_gpu.record import Record
from tools.verify_gpu.row import Row
from tools.verify_gpu.start import STOP_SECONDS, start

STARTS: tuple[Temperature, ...] = ("cold", "warm")
# With less time than this left no start is begun: importing PyTorch and vLLM alone takes half of it.
LEAST_SECONDS = 45.0
# A server is asked to end, then told to, and the GPU must let go of its memory.
ENDING_SECONDS = 2 * STOP_SECONDS + SETTLE_SECONDS


@dataclass(frozen=True, kw_only=True)
class Results:
    """The rows, and the starts for which no time was left."""

    rows: tuple[Row, ...]
    not_reached: tuple[str, ...]

    @property
    def failed(self) -> tuple[Row, ...]:
        """Rows that did not start, or whose pool lies outside the band."""
        return tuple(row for row in self.rows if row.start.outcome != "ready" or row.inside is False)


def run(
    plans: Sequence[ServingPlan],
    machine: Machine,
    folder: Path,
    *,
    until: float,
    most_seconds: float,
    tell: Callable[[str], None] = lambda _text: None,
    settle: Callable[[], None] = lambda: None,
) -> Results:
    """Start each plan cold and then warm until `time.monotonic()` is `until`; logs, caches and record lie in `folder`.

    Small and large ones take turns, so that a run that ends early has seen both. No start has more than `most_seconds`,
    nor more than leaves time to end it. What the record has of this machine is not started again. `settle` waits until
    the GPU has let go of the last server's memory.
    """
    record = Record(folder=folder, machine=machine)
    known = {(row.model, row.temperature): row for row in record.rows()}
    rows: list[Row] = []
    not_reached: list[str] = []
    for plan, temperature in _steps(plans):
        name = f"{plan.variant.hf_id} {temperature}"
        row = known.get((plan.variant.hf_id, temperature))
        if row is not None and _holds(row, folder, known):
            rows.append(row)
            continue
        left = min(most_seconds, until - time.monotonic() - ENDING_SECONDS)
        if left < LEAST_SECONDS or (temperature == "warm" and not _started(rows, plan)):
            not_reached.append(name)
            continue
        tell(f"{name}: starting, at most {left:.0f} s")
        row = _row(plan, machine, folder, temperature, left)
        record.add(row)
        rows.append(row)
        settle()
    return Results(rows=tuple(rows), not_reached=tuple(not_reached))


def _holds(row: Row, folder: Path, known: Mapping[tuple[str, Temperature], Row]) -> bool:
    """Return whether a recorded start need not be made again: a cold one only where its warm one can follow."""
    kept = any((_place(folder, row.model) / "cache").glob("*"))
    return row.temperature == "warm" or kept or row.start.outcome != "ready" or (row.model, "warm") in known


def _steps(plans: Sequence[ServingPlan]) -> Iterator[tuple[ServingPlan, Temperature]]:
    waiting = list(plans)
    while waiting:
        plan = waiting.pop(0)
        waiting.reverse()
        for temperature in STARTS:
            yield plan, temperature


def _started(rows: Sequence[Row], plan: ServingPlan) -> bool:
    """Return whether its cold start filled the cache: what never started cold is not warm the second time."""
    return any(row.model == plan.variant.hf_id and row.start.outcome == "ready" for row in rows)


def _place(folder: Path, hf_id: str) -> Path:
    return folder / hf_id.replace("/", "--")


def _row(plan: ServingPlan, machine: Machine, folder: Path, temperature: Temperature, seconds: float) -> Row:
    place = _place(folder, plan.variant.hf_id)
    model, cache = place / "model", place / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    write_model(model, plan.model, plan.variant)
    port = _free_port()
    flags = flags_here(plan, model, port)
    argv = argv_here(flags, machine.vllm.version)
    result = start(
        (machine.vllm.python, *COMMAND[1:], *argv),
        port=port,
        cache=cache,
        log=place / f"{temperature}.log",
        seconds=seconds,
    )
    memory = memory_of(request_of(plan, machine, temperature))
    return Row(
        model=plan.variant.hf_id,
        precision=plan.variant.precision,
        tensor_parallel=memory.request.tensor_parallel,
        temperature=temperature,
        said=said_of(memory),
        start=result,
        argv=argv,
        changed=changed_words(plan, flags),
    )


def said_of(memory: Memory) -> dict[str, Any]:
    """Return what the engine says of a start, under the names of what vLLM prints."""
    rest = memory.overhead
    return {
        **prediction(memory),
        "graph_gib": round(rest.counted_graphs_gib, 3),
        "activation_peak_gib": round(rest.activation_gib, 3),
        "non_torch_gib": round(rest.non_torch_gib, 3),
        "batched_tokens": memory.request.batch_tokens,
    }


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])
