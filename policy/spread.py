"""Whether one model is spread over several pods, told by the server's own words.

vLLM 0.12 to 0.33 (engine/arg_utils.py and entrypoints/cli/serve.py, read 2026-11-29): Ray's executor takes GPUs of
other nodes, and these options give a process its part of the ranks. The pod of such a server holds no more than its
part, so the shards of the whole say nothing against its GPUs.
"""

from __future__ import annotations

from collections.abc import Sequence

from onprem_agents.vllm import ParsedServe

_PARTS = (
    *("--nnodes", "--node-rank", "--headless", "--data-parallel-rank", "--data-parallel-start-rank"),
    *("--data-parallel-size-local", "--data-parallel-address", "--data-parallel-hybrid-lb"),
    "--data-parallel-external-lb",
)
_RAY = "ray"


def is_spread(parsed: ParsedServe, argv: Sequence[str]) -> bool:
    """Whether a server shares its model with other pods."""
    by_ray = parsed.flags.distributed_executor_backend == _RAY or any("ray start" in word for word in argv)
    return by_ray or any(option in parsed.other for option in _PARTS)
