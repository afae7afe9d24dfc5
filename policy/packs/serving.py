"""The pack `serving`: what keeps a model server from answering agents."""

from __future__ import annotations

from ..entry import Policy

POLICIES = (
    Policy(
        name="tool-calling-is-on",
        description="A model server for agents turns tool calling on, with a parser its vLLM release knows.",
        pack="serving",
        level="mandatory",
        tags=("vllm", "tools"),
        module="tool_calling",
        function="tool_calling_is_on",
        bad="args: [--model, Qwen/Qwen3.6-27B-FP8]",
        good="""args: [--model, Qwen/Qwen3.6-27B-FP8, --enable-auto-tool-choice, --tool-call-parser, qwen3_coder]""",
    ),
    Policy(
        name="parser-fits-the-model",
        description="Tool and reasoning parser are those of the model's family.",
        pack="serving",
        level="mandatory",
        tags=("vllm", "tools", "reasoning"),
        module="parser_family",
        function="parser_fits_the_model",
        bad="args: [--model, Qwen/Qwen3.6-27B-FP8, --tool-call-parser, hermes]",
        good="args: [--model, Qwen/Qwen3.6-27B-FP8, --tool-call-parser, qwen3_coder, --reasoning-parser, qwen3]",
    ),
    Policy(
        name="memory-headroom-is-left",
        description="Weights, overhead and one full-context request fit the GPUs, with headroom.",
        pack="serving",
        level="mandatory",
        tags=("vllm", "memory"),
        module="memory_headroom",
        function="memory_headroom_is_left",
        bad="args: [--gpu-memory-utilization, '0.98']",
        good="args: [--gpu-memory-utilization, '0.92']",
    ),
    Policy(
        name="options-start-together",
        description="A model server has no options that its vLLM release refuses together at start.",
        pack="serving",
        level="mandatory",
        tags=("vllm",),
        module="known_conflicts",
        function="options_start_together",
        bad="args: [--no-enable-chunked-prefill]  # prefix caching is on by default and needs it",
        good="args: [--enable-prefix-caching, --enable-chunked-prefill]",
    ),
    Policy(
        name="options-work-together",
        description="A model server has no options that are reported to spoil its answers together.",
        pack="serving",
        level="advisory",
        tags=("vllm",),
        module="known_conflicts",
        function="options_work_together",
        bad="""args: [--speculative-config, '{"method":"mtp","num_speculative_tokens":3}']  # on Qwen3.6, cache on""",
        good="""args: [--no-enable-prefix-caching, --speculative-config, '{"method":"mtp",…}']""",
    ),
    Policy(
        name="serving-can-be-checked",
        description="The catalogue knows the model, checkpoint and GPU of every server.",
        pack="serving",
        level="advisory",
        tags=("vllm", "catalogue"),
        module="checkable",
        function="serving_can_be_checked",
        bad="nodeSelector: {}  # nothing tells the kind of GPU",
        good="nodeSelector: {nvidia.com/gpu.product: NVIDIA-L40S}",
    ),
)
