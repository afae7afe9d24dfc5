"""What GPUs that share a model lose by talking to each other: messages of each layer, their latency and their bytes."""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.catalog import Accelerator, Architecture
from onprem_agents.sizing.request import FitRequest
from onprem_agents.units import GB

# Each layer sums its output over the ranks twice: after attention and after the feed-forward part (vLLM 0.33.0,
# `RowParallelLinear`, read November 2026).
_SUMS_PER_LAYER = 2
_ACTIVATION_BYTES = 2

# One all-reduce of a few KiB: over NVLink about 10 us by vLLM's own kernel, over PCI Express about 8 us for each of the
# 2 (n - 1) steps of NCCL's ring (usual listings of nccl-tests, read November 2026).
_NVLINK_SECONDS, _PCIE_STEP_SECONDS = 10e-6, 8e-6
# Of the bytes that a data sheet promises in one direction, what an all-reduce of many MiB reaches.
_LINK_SHARE = 0.6
# Between nodes: 400 Gbit/s of InfiniBand or RoCE for each GPU, as HGX servers have it.
_NODE_GB_PER_SECOND, _HOP_SECONDS = 50.0, 30e-6
_GPUS_OF_A_NODE = 8


@dataclass(frozen=True, kw_only=True)
class Links:
    """Seconds of a step on the links of one stage: for each step, and for each token in it; both 0 for one GPU."""

    step_seconds: float
    token_seconds: float


_NO_LINKS = Links(step_seconds=0.0, token_seconds=0.0)


def tensor_links(architecture: Architecture, gpu: Accelerator, ranks: int) -> Links:
    """Return what a step of all layers loses on links with tensor parallelism over so many GPUs, and nothing else."""
    if ranks == 1:
        return _NO_LINKS
    sums = _SUMS_PER_LAYER * architecture.layers
    moved = _ACTIVATION_BYTES * architecture.hidden_size * 2 * (ranks - 1) / ranks
    return Links(
        step_seconds=sums * latency_seconds(gpu, ranks),
        token_seconds=sums * moved / _bytes_per_second(gpu, ranks),
    )


def links_of(request: FitRequest) -> Links:
    """Return what a step of one stage loses on links, with tensor parallelism, expert parallelism and pipeline."""
    architecture, gpu = request.model.architecture, request.accelerator
    ranks, stages = request.tensor_parallel, request.pipeline_parallel
    shared = tensor_links(architecture, gpu, ranks)
    step, token = shared.step_seconds / stages, shared.token_seconds / stages
    if request.data_parallel > 1 and architecture.experts is not None:
        # Tokens travel to the ranks of their experts and back.
        spread = ranks * request.data_parallel
        exchanges = _SUMS_PER_LAYER * architecture.expert_layers / stages
        moved = _ACTIVATION_BYTES * architecture.hidden_size * min(spread - 1, architecture.experts.per_token)
        step += exchanges * latency_seconds(gpu, spread)
        token += exchanges * moved / _bytes_per_second(gpu, spread)
    if stages > 1:
        step += _HOP_SECONDS
        token += _ACTIVATION_BYTES * architecture.hidden_size / _bytes_per_second(gpu, _GPUS_OF_A_NODE + 1)
    return Links(step_seconds=step, token_seconds=token)


def latency_seconds(gpu: Accelerator, ranks: int) -> float:
    """Return what one small all-reduce takes over so many GPUs."""
    if gpu.nvlink and ranks <= _GPUS_OF_A_NODE:
        return _NVLINK_SECONDS
    return _PCIE_STEP_SECONDS * 2 * (ranks - 1)


def _bytes_per_second(gpu: Accelerator, ranks: int) -> float:
    # The catalogue has both directions together.
    one_way = gpu.interconnect_gb_per_second / 2
    if ranks > _GPUS_OF_A_NODE:
        one_way = min(one_way, _NODE_GB_PER_SECOND)
    return one_way * GB * _LINK_SHARE
