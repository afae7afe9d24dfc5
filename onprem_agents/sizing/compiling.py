"""What a start that compiles takes of the GPU: vLLM profiles its memory in that very run.

A start whose compile cache is there takes nothing of it, and has that room for its KV cache.
"""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.catalog import Accelerator
from onprem_agents.sizing.constants import Constants
from onprem_agents.sizing.request import FitRequest
from onprem_agents.units import GIB

# A cold start measures, kernel by kernel, whether Inductor's combined ones are faster, on random tensors as large as
# the kernel's own: the one that looks tokens up gets a second table of embeddings (vllm 0.12.0 to 0.33.0,
# config/compilation.py, benchmark_combo_kernel; torch 2.13.0, _inductor/codegen/triton.py, benchmark_codegened_module).
# It is done before the forward pass, so the larger of the two counts (vllm 0.29.0, compilation/decorators.py). Peaks of
# cold starts less the table: 0.02 (Qwen2.5-3B, RTX 3060), 0.02 (Qwen2.5-7B, L4), 0.01 (Qwen3-32B, RTX 5090), 0.05 GiB
# (Qwen3.6-35B-A3B, RTX 5090).
_TABLE_BYTES = 2  # BF16
COMPILE_DOUBT_GIB = 0.05

# GPUs for which little is built in, so that much is compiled on the spot (vllm-project/vllm#49892; 0.6 and 1.2 GiB of
# context on RTX 5090 and RTX PRO 4000 after starts that were cold by their peak).
_DESKTOP_BLACKWELL = 12


@dataclass(frozen=True, kw_only=True)
class Compiling:
    """GiB that the profile run takes at its peak while it compiles, and what kernels compiled on the spot leave in the
    context: of a warm start (`low`) and of a cold one (`high`), both alike where it is told which it is.

    The cold one is the estimate: of nine public logs that do not tell how they started, eight show a cold start.
    """

    low_gib: float
    high_gib: float
    left_low_gib: float
    left_high_gib: float


_NOTHING = Compiling(low_gib=0.0, high_gib=0.0, left_low_gib=0.0, left_high_gib=0.0)


def compiles_much(accelerator: Accelerator) -> bool:
    """Return whether a cold start compiles many kernels on the spot for that GPU."""
    return int(accelerator.compute_capability) == _DESKTOP_BLACKWELL


def compiling_of(request: FitRequest, constants: Constants) -> Compiling:
    """Return what compiling takes. Where images are taken, tokens are looked up before the compiled part: no peak."""
    if request.enforce_eager or request.start == "warm":
        return _NOTHING
    peak_gib = left_gib = 0.0
    if request.rules.measures_kernels and not request.has_encoder:
        shape = request.model.architecture
        table = shape.vocab_size * shape.hidden_size / request.tensor_parallel
        peak_gib = (table + request.batch_tokens * shape.hidden_size) * _TABLE_BYTES / GIB
    if request.rules.graphs_are_counted:
        much = compiles_much(request.accelerator)
        left_gib = constants.kernels_desktop_blackwell_gib if much else constants.kernels_gib
    told = request.start == "cold"
    return Compiling(
        low_gib=peak_gib if told else 0.0,
        high_gib=peak_gib,
        left_low_gib=left_gib if told else 0.0,
        left_high_gib=left_gib,
    )
