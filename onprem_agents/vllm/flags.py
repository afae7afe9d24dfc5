"""ServeFlags: the options of `vllm serve` that the plan sets and the policies read, typed.

The dataclass is the table: a field `max_num_seqs` is the option `--max-num-seqs`, and its type says how the
value is written. Which releases know an option stands in `releases`, not here. `--api-key` is left out on
purpose: a secret never belongs in argv.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_type_hints

Kind = Literal["switch", "text", "texts", "integer", "tokens", "context", "decimal", "object"]
JsonObject = Mapping[str, Any]

# How a field's value is written in argv stands in its type.
Switch = Annotated[bool | None, "switch"]
Text = Annotated[str | None, "text"]
Texts = Annotated[tuple[str, ...] | None, "texts"]
Integer = Annotated[int | None, "integer"]
Tokens = Annotated[int | None, "tokens"]
Context = Annotated[int | Literal["auto"] | None, "context"]
Decimal = Annotated[float | None, "decimal"]
Object = Annotated[JsonObject | None, "object"]


@dataclass(frozen=True, kw_only=True)
class ServeFlags:
    """Options of `vllm serve`; None means: not given, vLLM's default applies.

    `model` is the positional argument: a Hugging Face id or a path. Times are whole seconds, lengths tokens;
    `gpu_memory_utilization` is a share of the whole GPU, `kv_offloading_size` GiB over all ranks.
    `max_model_len` "auto" lets the server take the longest context that fits.
    """

    model: Text = None
    served_model_name: Texts = None
    tokenizer: Text = None
    revision: Text = None
    trust_remote_code: Switch = None
    tokenizer_mode: Text = None
    config_format: Text = None
    load_format: Text = None
    download_dir: Text = None
    dtype: Text = None
    quantization: Text = None
    hf_overrides: Object = None
    runner: Text = None
    convert: Text = None
    seed: Integer = None

    host: Text = None
    port: Integer = None
    root_path: Text = None
    api_server_count: Integer = None
    shutdown_timeout: Integer = None
    middleware: Text = None
    max_num_queued_reqs: Integer = None
    max_num_queued_tokens: Integer = None
    disable_fastapi_docs: Switch = None
    disable_access_log_for_endpoints: Text = None
    disable_uvicorn_access_log: Switch = None
    uvicorn_log_level: Text = None
    enable_log_requests: Switch = None
    enable_request_id_headers: Switch = None
    enable_force_include_usage: Switch = None
    enable_prompt_tokens_details: Switch = None
    ssl_certfile: Text = None
    ssl_keyfile: Text = None

    tensor_parallel_size: Integer = None
    pipeline_parallel_size: Integer = None
    data_parallel_size: Integer = None
    enable_expert_parallel: Switch = None
    distributed_executor_backend: Text = None

    max_model_len: Context = None
    max_num_seqs: Integer = None
    max_num_batched_tokens: Tokens = None
    gpu_memory_utilization: Decimal = None
    kv_cache_memory_bytes: Tokens = None
    kv_cache_dtype: Text = None
    kv_offloading_size: Decimal = None
    kv_offloading_backend: Text = None
    block_size: Integer = None
    prefix_match_unit: Integer = None
    enable_prefix_caching: Switch = None
    enable_chunked_prefill: Switch = None
    async_scheduling: Switch = None
    enforce_eager: Switch = None
    disable_cascade_attn: Switch = None
    performance_mode: Text = None
    speculative_config: Object = None
    compilation_config: Object = None

    enable_auto_tool_choice: Switch = None
    tool_call_parser: Text = None
    tool_parser_plugin: Text = None
    tool_strict_level: Text = None
    reasoning_parser: Text = None
    reasoning_parser_plugin: Text = None
    reasoning_config: Object = None
    reasoning_effort_map: Object = None
    anthropic_disabled_thinking_effort: Text = None
    chat_template: Text = None
    chat_template_content_format: Text = None
    default_chat_template_kwargs: Object = None
    structured_outputs_config: Object = None
    generation_config: Text = None
    override_generation_config: Object = None

    language_model_only: Switch = None
    allowed_media_domains: Texts = None
    limit_mm_per_prompt: Object = None
    skip_mm_profiling: Switch = None

    def given(self) -> dict[str, Any]:
        """Return the fields that are set, by field name, in the order of declaration."""
        return {name: value for name in kinds() if (value := getattr(self, name)) is not None}


@cache
def kinds() -> Mapping[str, Kind]:
    """Return how each field's value is written, by field name, in the order of declaration."""
    hints = get_type_hints(ServeFlags, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}


def option_of(name: str) -> str:
    """Return the option of a field: "max_num_seqs" is "--max-num-seqs"."""
    return "--" + name.replace("_", "-")


def field_of(option: str) -> str | None:
    """Return the field of an option, or None when ServeFlags does not model it."""
    name = option.removeprefix("--").replace("-", "_")
    return name if name in kinds() else None
