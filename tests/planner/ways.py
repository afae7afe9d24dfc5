"""Runs in vLLM's Python: what the planner is asked, in the words of the release that is imported.

vLLM moved and renamed these functions: `attn_utils` and `kv_cache_utils` of 0.20 to 0.32, `kv_cache_planning` of 0.33,
read November 2026. The answers mean the same in all of them.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Callable
from typing import Any


def _planner() -> Any:
    names = ("vllm.v1.core.kv_cache_planning", "vllm.v1.core.kv_cache_utils")
    found = [importlib.import_module(name) for name in names if importlib.util.find_spec(name)]
    return next(module for module in found if hasattr(module, "get_kv_cache_configs"))


def prepare(config: Any, specs: dict[str, Any]) -> None:
    """Let a release that wants it learn the kinds of caches, and how a block lies in memory."""
    from vllm.v1.attention.backends import utils
    from vllm.v1.core import single_type_kv_cache_manager as managers

    if hasattr(managers, "register_all_kvcache_specs"):
        managers.register_all_kvcache_specs(config)
    if hasattr(utils, "resolve_kv_cache_layout"):
        from vllm.distributed.kv_transfer.kv_connector.utils import get_current_attn_backends

        backends = get_current_attn_backends(config)
        layouts = [layout.name for layout in utils.get_supported_kv_cache_layouts(backends)]
        utils.resolve_kv_cache_layout(config, [layouts], list(specs.values()))


def forget() -> None:
    """Forget which attention kernels were chosen: a server has one model, here one follows another in a process."""
    from vllm.v1.attention import selector

    for name in ("_cached_get_attn_backend", "_cached_get_mamba_attn_backend"):
        if hasattr(selector, name):
            getattr(selector, name).cache_clear()


def groups_of(config: Any, specs: dict[str, Any]) -> Any:
    """Return the groups of layers into which the planner puts them."""
    planner = _planner()
    if hasattr(planner, "get_global_kv_cache_groups"):
        return planner.get_global_kv_cache_groups(config, [dict(specs)])
    return planner.get_kv_cache_groups(config, dict(specs))


def request_bytes(config: Any, groups: Any) -> int:
    """Return the bytes of one request of `max_model_len` tokens."""
    return int(_called(_planner()._max_memory_usage_bytes_from_groups, config, groups))


def longest(config: Any, groups: Any, pool_bytes: int) -> int:
    """Return the longest context that starts in a pool of that size, of which one block is kept back."""
    planner = _planner()
    usable = pool_bytes - int(_called(planner._pool_bytes_per_block, config, groups))
    return int(_called(planner._estimate_max_model_len_from_groups, config, groups, usable))


def printed_tokens(config: Any, specs: dict[str, Any], pool_bytes: int) -> int | None:
    """Return the "GPU KV cache size" that is printed for a pool of that size, None where vLLM would not start."""
    from vllm.v1.core import kv_cache_utils

    planner = _planner()
    groups = [groups_of(config, specs)] if hasattr(planner, "get_global_kv_cache_groups") else []
    try:
        cache = planner.get_kv_cache_configs(config, [dict(specs)], [pool_bytes], *groups)[0]
    except ValueError:
        return None
    if hasattr(kv_cache_utils, "get_kv_cache_capacity"):
        return int(kv_cache_utils.get_kv_cache_capacity(config, cache)[0])
    return _said(lambda: kv_cache_utils._report_kv_cache_config(config, cache), kv_cache_utils)


def runs_v2(config: Any) -> bool:
    """Return whether the release runs this model with its Model Runner V2."""
    return bool(getattr(config, "use_v2_model_runner", False))


def _called(function: Callable[..., Any], config: Any, *arguments: Any) -> Any:
    """Call a function of the planner: some releases want the configuration first, some a builder before it."""
    names = list(inspect.signature(function).parameters)
    before = [config] if "vllm_config" in names else []
    if names[0] == "builder":
        from vllm.v1.core.kv_cache_config_builder import get_kv_cache_config_builder

        before.insert(0, get_kv_cache_config_builder(config))
    return function(*before, *arguments)


def _said(report: Callable[[], None], module: Any) -> int:
    """Return the tokens that a report of the release prints."""
    lines: list[tuple[Any, ...]] = []

    class Listener:
        def __getattr__(self, _name: str) -> Callable[..., None]:
            return lambda *words, **_named: lines.append(words)

    own, module.logger = module.logger, Listener()
    try:
        report()
    finally:
        module.logger = own
    said = next(words for words in lines if str(words[0]).startswith("GPU KV cache size"))
    return int(str(said[1]).replace(",", ""))
