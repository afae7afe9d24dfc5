"""Every field of a release's files has a reader: a fact that nobody reads is kept for nobody."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from onprem_agents.vllm import release as release_module
from onprem_agents.vllm.history import History, Removed
from onprem_agents.vllm.release import Facts, Image, MemoryRules, Options, Release

pytestmark = pytest.mark.unit

PACKAGE = Path(release_module.__file__).parents[1]

# The module that reads each field to answer a user; `release.py` itself only where a method of it answers.
READERS: dict[type[Facts], dict[str, str]] = {
    Release: {
        "release": "vllm/argv.py",
        "source": "cli/catalog.py",
        "read": "cli/catalog.py",
        "switches": "vllm/options.py",
        "one_way_switches": "vllm/options.py",
        "values": "vllm/options.py",
        "lists": "vllm/options.py",
        "optional_values": "vllm/options.py",
        "aliases": "vllm/options.py",
        "choices": "vllm/argv.py",
        "tool_parsers": "vllm/argv.py",
        "reasoning_parsers": "vllm/argv.py",
        "quantization_methods": "vllm/argv.py",
        "endpoints": "vllm/history.py",
        "image": "vllm/argv.py",
        "memory": "sizing/release.py",
    },
    Image: {
        "repository": "vllm/release.py",
        "tag": "vllm/release.py",
        "digest": "vllm/release.py",
        "cuda": "vllm/cuda.py",
        "compat_libraries_first": "cluster/preflight/driver.py",
        "template_folder": "cli/catalog.py",
        "templates": "vllm/argv.py",
        "source": "cli/catalog.py",
        "read": "cli/catalog.py",
    },
    MemoryRules: {
        "graphs_are_counted": "sizing/release.py",
        "batches_in_flight": "sizing/kv_cache.py",
        "hybrid_prefix_caching": "sizing/kv_cache.py",
        "prefill_checkpoints": "sizing/kv_cache.py",
        "delta_checkpoints": "sizing/kv_cache.py",
        "hybrid_latent_tokens": "sizing/kv_cache.py",
        "compressed_layout": "sizing/kv_cache.py",
        "item_raises_batch": "sizing/request.py",
        "batch_holds_one_block": "sizing/refusals.py",
        "tokens_are_concurrency": "sizing/printed.py",
        "sampler_sorts": "sizing/runner.py",
        "declared_kv_cache": "sizing/request.py",
        "reads_device_memory": "sizing/overhead.py",
        "v2_runner": "sizing/runner.py",
        "v2_runner_bf16_only": "sizing/runner.py",
        "v2_copies_logits": "sizing/runner.py",
        "v2_counts_graphs": "sizing/overhead.py",
        "largest_graph_blackwell": "sizing/overhead.py",
        "source": "cli/catalog.py",
        "read": "cli/catalog.py",
    },
    History: {
        "source": "cli/catalog.py",
        "read": "cli/catalog.py",
        "removed": "vllm/history.py",
        "one_tool_parser": "vllm/history.py",
        "endpoints_since": "vllm/history.py",
    },
    Removed: {"takes_value": "vllm/reader.py", "hint": "vllm/history.py"},
}


def _attributes(module: str) -> set[str]:
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }


def test_every_type_that_a_release_is_read_into_is_in_the_table() -> None:
    def below(kind: type[Facts]) -> set[type[Facts]]:
        return {kind, *(found for child in kind.__subclasses__() for found in below(child))}

    assert below(Facts) - {Facts, Options} == set(READERS), "Options is read as part of Release"


@pytest.mark.parametrize("kind", READERS, ids=lambda kind: kind.__name__)
def test_every_field_is_in_the_table_and_its_reader_reads_it(kind: type[Facts]) -> None:
    assert set(kind.model_fields) == set(READERS[kind])
    unread = {field for field, module in READERS[kind].items() if field not in _attributes(module)}
    assert unread == set(), "the module named beside it does not read it"
