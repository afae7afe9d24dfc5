"""What a server would print at its start: load, pool, concurrency and longest context, as JSON values."""

from __future__ import annotations

from typing import Any

from onprem_agents.sizing.memory import Memory


def prediction(memory: Memory, pool_gib: float | None = None) -> dict[str, Any]:
    """Return what vLLM would print, GiB per GPU; with `pool_gib`, what it would print from that pool as well."""
    request, layout = memory.request, memory.layout
    limit = request.model.architecture.max_context_tokens
    limit = max(limit, request.context_tokens)
    concurrency = layout.concurrency(max(0.0, memory.pool_gib), request.context_tokens)
    answer: dict[str, Any] = {
        "reason": _reason(memory),
        "model_load_gib": round(memory.weights.gib, 4),
        "available_kv_gib": round(memory.pool_gib, 3),
        "available_kv_gib_low": round(memory.careful_pool_gib, 3),
        "available_kv_gib_high": round(memory.hopeful_pool_gib, 3),
        "kv_gib_per_request": round(layout.gib_per_request(request.context_tokens), 4),
        "kv_cache_tokens": layout.printed_tokens(
            max(0.0, memory.pool_gib), request.context_tokens, request.rules.tokens_are_concurrency
        ),
        "max_concurrency": round(concurrency, 3),
        "est_max_len": layout.largest_context_tokens(max(0.0, memory.pool_gib), limit),
    }
    if pool_gib is not None:
        answer["max_concurrency_given_kv"] = round(
            layout.concurrency(max(0.0, pool_gib), request.context_tokens), 3
        )
        answer["est_max_len_given_kv"] = layout.largest_context_tokens(max(0.0, pool_gib), limit)
    return answer


def _reason(memory: Memory) -> str:
    request, layout = memory.request, memory.layout
    needed_gib = layout.gib_per_request(request.context_tokens)
    text = (
        f"one request of {request.context_tokens} tokens needs {needed_gib:.2f} GiB, the pool is "
        f"{memory.pool_gib:.2f} GiB ({memory.careful_pool_gib:.2f} to {memory.hopeful_pool_gib:.2f})"
    )
    if memory.most_states is not None:
        text += (
            f"; {request.max_num_seqs} sequences need a state block each, there may be no more than "
            f"{memory.most_states}"
        )
    return text
