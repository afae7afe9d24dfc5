"""What a server loses beside data sheets: shares of bandwidth and arithmetic, and times that no data sheet has.

Round values, each set before any of the measurements in `tools/bench/speed_cases.csv` was read (November 2026). To fit
them to the half that is not kept aside gained nothing: with a source left out at a time the median error of decode
was 26 %, of prefill 23 %. What they reach is told by `./dev bench speed`; docs/sizing.md has the table.
"""

from __future__ import annotations

BANDWIDTH_SHARE = 0.75
"""Of the memory's bandwidth, what the kernels of a decode step reach."""

DENSE_COMPUTE_SHARE, EXPERTS_COMPUTE_SHARE = 0.5, 0.3
"""Of the arithmetic rate, what prefill reaches: dense models, mixtures of experts."""

LAYER_SECONDS, EXPERT_LAYER_SECONDS = 20e-6, 40e-6
"""What a decode step takes for each layer whatever it reads: kernels that wait for each other; more with experts."""

STEP_SECONDS = 1e-3
"""What a step takes beside the model: scheduling, sampling, sending the tokens out."""

# Prompts of 1,024 tokens, all cached: half of their first tokens after 42 ms, none before 41 ms (Qwen3-Coder-30B-A3B on
# an H20, vLLM 0.18.1; agentic-kvc, exp_a_tier_latency/results/gpu.json, read November 2026). A bound, added to nothing.
FIRST_TOKEN_SECONDS = 0.04
"""No first token comes sooner: HTTP, tokenizer, scheduler and one step take that, however little is computed."""
