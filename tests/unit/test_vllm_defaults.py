"""What vLLM takes for a server that does not say it, by the size of its GPU."""

from __future__ import annotations

import pytest

from onprem_agents.vllm import default_max_num_batched_tokens, default_max_num_seqs

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("gpu", "total_gib", "sequences", "batched_tokens"),
    [
        ("L40S", 44.3, 256, 2048),
        ("H100", 79.1, 1024, 8192),
        ("A100-80GB", 79.2, 256, 2048),  # large by memory, treated as small
        ("GB10", 121.6, 256, 2048),  # the same
        ("H200", 139.8, 1024, 8192),
        ("B200", 178.4, 1024, 16384),
    ],
)
def test_defaults_follow_the_gpu(gpu: str, total_gib: float, sequences: int, batched_tokens: int) -> None:
    assert default_max_num_seqs(gpu, total_gib) == sequences
    assert default_max_num_batched_tokens(gpu, total_gib) == batched_tokens
