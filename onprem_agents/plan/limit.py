"""What keeps a candidate from more: in words, for people who plan hardware."""

from __future__ import annotations

from onprem_agents.plan.choice import Choice


def limit_of(choice: Choice) -> str:
    """Return the limit that bites: the one that stops the server, or that ends the number of sessions."""
    request, fit = choice.request, choice.fit
    memory = fit.memory
    if memory is None:
        return fit.problems[0]
    if not fit.fits:
        if fit.kv_pool_gib <= 0 and memory.weights.gib > request.budget_gib:
            return (
                f"weights: {memory.weights.gib:.1f} GiB do not fit the budget of {request.budget_gib:.1f} GiB"
            )
        return fit.problems[0]
    if fit.sessions >= request.max_num_seqs:
        return f"max_num_seqs: the KV pool would hold more than {request.max_num_seqs} sessions"
    return (
        f"KV cache: {fit.kv_pool_gib:.1f} GiB hold {fit.sessions} sessions of {request.context_tokens} tokens, "
        f"{fit.kv_per_session_gib:.2f} GiB each"
    )
