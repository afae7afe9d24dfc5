"""`tools.verify_gpu` on the vLLM for the CPU: one tiny model is really started, and its log is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded.gateway.tiny_model import write_tiny_model
from embedded.ports import LOOPBACK
from onprem_agents.vllm import COMMAND, ServeFlags, nearest_release, to_argv
from tools.verify_gpu.run import _free_port
from tools.verify_gpu.start import start

pytestmark = pytest.mark.planner

_CONTEXT_TOKENS = 4096
# Importing PyTorch and vLLM takes most of it: 31 to 84 s on two shared cores.
_LIMIT_SECONDS = 900.0


def test_a_server_is_started_read_and_stopped(vllm_python: str, vllm_version: str, tmp_path: Path) -> None:
    model, cache, log = tmp_path / "model", tmp_path / "cache", tmp_path / "cold.log"
    cache.mkdir()
    write_tiny_model(model, context_tokens=_CONTEXT_TOKENS)
    port = _free_port()
    flags = ServeFlags(
        model=str(model),
        host=LOOPBACK,
        port=port,
        load_format="dummy",
        enforce_eager=True,
        max_model_len=_CONTEXT_TOKENS,
        max_num_seqs=4,
        max_num_batched_tokens=2048,
    )
    argv = to_argv(flags, nearest_release(vllm_version).release)
    result = start(
        (vllm_python, *COMMAND[1:], *argv),
        port=port,
        cache=cache,
        log=log,
        seconds=_LIMIT_SECONDS,
        more={"VLLM_CPU_KVCACHE_SPACE": "1"},
    )
    assert result.outcome == "ready", log.read_text()[-2000:]
    assert result.printed.kv_cache_tokens is not None
    # 1 GiB of cache at 2 layers x 1 head x 32 x 2 x 2 bytes a token.
    assert result.printed.kv_cache_tokens == pytest.approx(2**30 / 256, rel=0.01)
    assert result.printed.max_concurrency == pytest.approx(2**30 / 256 / _CONTEXT_TOKENS, rel=0.01)
    assert result.printed.engine_seconds is not None
    assert result.error is None
