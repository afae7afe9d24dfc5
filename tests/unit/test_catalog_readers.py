"""Every fact of the catalogue is read: each field of its types has a module that uses it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import onprem_agents
from onprem_agents.agents import AGENTS
from onprem_agents.catalog import Model, load_catalog
from onprem_agents.catalog.fact import Fact

pytestmark = pytest.mark.unit

PACKAGE = Path(onprem_agents.__file__).parent
# Type, the module that reads it, and the fields that it reads. Sizes and splits are read for each kind of layer in one
# place; what a person alone can use is shown by `onprem-agents catalog NAME`.
READERS = {
    "_Guarded": {
        "plan/server_environment": "setting why instead note",
    },
    "Accelerator": {
        "catalog/loader": "name aliases",
        "sizing/gpu_names": "nominal_gb",
        "sizing/request": "total_gib",
        "cli/catalog_entry": "total_seen total_source source",
        "catalog/accelerator": "vendor compute_capability fp4_tflops product_label memory_label_mib",
        "sizing/throughput": "bandwidth_gb_per_second bf16_tflops fp8_tflops",
        "sizing/links": "nvlink interconnect_gb_per_second",
        "sizing/overhead": "unified_memory",
        "sizing/nearest": "proposed",
        "sizing/divisibility": "mig",
        "plan/derive_serving": "host",
    },
    "AgentCheck": {
        "catalog/agent_check": "agent release wire translation check fault seen",
    },
    "AgentSupport": {
        "catalog/model": "works why",
        "cli/catalog_entry": "source",
    },
    "Architecture": {
        "cli/catalog_entry": "model_type source",
        "catalog/parameters": (
            "hidden_size layers attention_heads vocab_size intermediate_size feed_forward_matrices "
            "attention_gate cache_readers experts tie_word_embeddings vision_params extra_params"
        ),
        "plan/role": "max_context_tokens",
        "catalog/attention": "dense_layers",
        "sizing/kv_cache": "attention",
        "sizing/weights": "mtp_layers rotary_params",
        "plan/derive_serving": "host_params",
    },
    "BuiltInRuntime": {
        "../policy/readers/runtimes": "name of spec",
    },
    "CacheReaders": {
        "sizing/kv_layers": "layers head_dim",
    },
    "ChunkedAttention": {
        "catalog/attention": "kind",
        "sizing/kv_layers": "layers kv_heads head_dim chunk_tokens",
        "catalog/parameters": "shared_key_value",
    },
    "ClusterPlatform": {
        "catalog/loader": "name",
        "cli/catalog_entry": "title",
        "plan/presets": "settings labels annotations",
        "plan/pools": "shared_resource",
    },
    "ClusterSoftware": {
        "catalog/loader": "name least newest tried",
        "stack/kserve": "refused",
        "cluster/preflight/versions": "group deployments namespace definition annotation source",
    },
    "CompressedAttention": {
        "catalog/attention": "kind",
        "sizing/kv_layers": "layers head_dim rope_head_dim window_tokens index_head_dim",
        "catalog/parameters": "ratio query_lora_rank output_lora_rank output_groups index_heads",
    },
    "Conflict": {
        "catalog/conflict": "name sources",
        "vllm/conflicts": "sides families since until",
        "plan/known_conflicts": "symptom advice gives_way",
        "../policy/rules/known_conflicts": "effect",
    },
    "Experts": {
        "catalog/parameters": "count intermediate_size shared_intermediate_size hidden_size",
        "sizing/overhead": "per_token",
        "catalog/attention": "layers",
    },
    "FormerModel": {
        "catalog/former": "names marks cut",
        "catalog/loader": "became instead source",
    },
    "FormerSetting": {
        "catalog/former": "key values",
        "stack/former": "became instead source",
    },
    "FullAttention": {
        "catalog/attention": "kind",
        "sizing/kv_layers": "layers kv_heads head_dim index_head_dim index_ratio",
        "catalog/parameters": "shared_key_value",
    },
    "GatedDeltaNet": {
        "catalog/attention": "kind",
        "sizing/kv_layers": (
            "layers key_heads value_heads key_head_dim value_head_dim conv_kernel state_bytes_per_element"
        ),
    },
    "Host": {
        "plan/derive_serving": "cpus_per_gpu memory_gib_per_gpu",
        "sizing/nearest": "gpus_per_node",
    },
    "KimiDelta": {
        "catalog/attention": "kind",
        "sizing/kv_layers": "layers heads head_dim conv_kernel state_bytes_per_element",
    },
    "KserveRelease": {
        "plan/images": "release",
        "plan/parts": "spelling",
        "plan/remarks": "faults source",
    },
    "LatentAttention": {
        "catalog/attention": "kind",
        "sizing/kv_layers": "layers kv_lora_rank rope_head_dim value_head_dim index_layers index_head_dim",
        "catalog/parameters": "nope_head_dim query_lora_rank index_heads",
    },
    "Mamba2": {
        "catalog/attention": "kind",
        "sizing/kv_layers": "layers heads head_dim groups state_size conv_kernel state_bytes_per_element",
    },
    "Mark": {
        "plan/presets": "name value because",
        "cli/catalog_entry": "source",
    },
    "MigSlice": {
        "cli/catalog_entry": "parent profile compute_slices",
    },
    "Marks": {
        "plan/thinking": "start end closing",
    },
    "Model": {
        "catalog/loader": "name hf_id aliases",
        "plan/substitute": "family",
        "plan/remarks": "license gated notes",
        "plan/thinking": "thinking",
        "plan/sampling": "sampling sampling_off",
        "cli/catalog_entry": "license_source serving_source unrated",
        "advice/quality": "quality",
        "sizing/weights": "total_params",
        "catalog/resembling": "same_shape active_params_b",
        "sizing/overhead": "architecture",
        "plan/derive_serving": "tool_call_parser reasoning_parser chat_template speculative",
        "plan/references": "reasoning",
        "plan/release_fitness": "min_vllm",
        "catalog/model": "extra_args agents",
        "plan/choice": "variants multimodal image_batch_tokens",
    },
    "Preset": {
        "plan/presets": "setting value because",
        "cli/catalog_entry": "source",
    },
    "Quality": {
        "advice/quality": "benchmark score by",
        "catalog/quality": "harness",
        "cli/catalog_entry": "source",
    },
    "Sampling": {
        "catalog/model": "temperature top_p top_k min_p presence_penalty repetition_penalty",
        "plan/sampling": "configured",
        "cli/catalog_entry": "source",
    },
    "ServerOption": {
        "catalog/server_option": "option",
        "plan/extra_args": "setting why instead note harmless free_with secret",
        "../policy/memory": "unsized",
    },
    "ServerVariable": {
        "catalog/server_option": "variable",
        "plan/server_environment": "setting why instead note",
    },
    "ServingImage": {
        "catalog/serving_image": "repository tags releases source",
        "../policy/readers/commands": "starts",
    },
    "Side": {
        "vllm/conflicts": "option switch method below",
    },
    "SlidingWindow": {
        "catalog/attention": "kind",
        "sizing/kv_layers": "layers kv_heads head_dim window_tokens",
        "catalog/parameters": "shared_key_value",
    },
    "Source": {
        "cli/catalog": "where read",
    },
    "ThinkingControl": {
        "catalog/thinking": "reasoning_parser models budget_argument",
        "plan/thinking": ("switch switched_on switched_off always_told efforts efforts_by_server marks"),
        "plan/thinking_problems": "calls_while_thinking",
        "cli/catalog_entry": "source",
    },
    "SharedResource": {
        "cli/catalog_entry": "name because source",
    },
    "Tier": {
        "catalog/loader": "name aliases",
        "cli/catalog_entry": (
            "title model variant tensor_parallel expert_parallel context_tokens max_num_seqs "
            "max_num_batched_tokens kv_cache_dtype corrects source"
        ),
        "cli/catalog": "accelerator gpus_per_node nodes",
    },
    "Variant": {
        "plan/derive_serving": "hf_id quantization",
        "sizing/precision": "precision kept_bf16 fp8_parts quantized_parts",
        "sizing/weights": "weights_gib measured loaded_gib_per_gpu measured_tower",
        "sizing/divisibility": "weight_block",
        "sizing/request": "kv_cache_dtype",
        "catalog/model": "extra_args native_compute_capability",
        "catalog/accelerator": "min_compute_capability",
        "plan/release_fitness": "min_vllm",
        "plan/remarks": "notes",
        "cli/catalog_entry": "source",
    },
}


def types(base: type[Fact] = Fact) -> Iterator[type[Fact]]:
    """Yield the catalogue's types."""
    for one in base.__subclasses__():
        if one.__module__.startswith("onprem_agents."):
            yield one
        yield from types(one)


@cache
def read_in(module: str) -> frozenset[str]:
    """Return the attributes that a module reads."""
    tree = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
    return frozenset(
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    )


@pytest.mark.parametrize("kind", tuple(types()), ids=lambda kind: kind.__name__)
def test_each_field_has_a_reader_and_the_reader_reads_it(kind: type[Fact]) -> None:
    told = {field: module for module, names in READERS[kind.__name__].items() for field in names.split()}

    assert set(told) == set(kind.model_fields), "a fact that nobody reads is used where it belongs, or goes"
    for field, module in told.items():
        assert field in read_in(module), f"{module}.py does not read {kind.__name__}.{field}"


def test_the_table_names_no_type_that_is_gone() -> None:
    assert set(READERS) == {kind.__name__ for kind in types()}


@pytest.mark.parametrize("model", load_catalog().models, ids=lambda model: model.name)
def test_agents_are_those_that_are_set_up_and_each_entry_adds_a_fact(model: Model) -> None:
    assert set(model.agents) <= {agent.name for agent in AGENTS}
    for support in model.agents.values():
        assert support.works != "unproven" or "no public run found" not in support.why
