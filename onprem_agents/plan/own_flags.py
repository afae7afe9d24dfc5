"""The options of `vllm serve` that a model needs of its own, next to those that the plan derives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from onprem_agents.catalog import Model, Variant
from onprem_agents.errors import Problem
from onprem_agents.vllm import ParsedServe, Release, ServeFlags, option_of, parse_argv, unknown_option_hint

# Of what the plan decides, a model may prescribe these: a stack can only agree.
_PRESCRIBED = ("kv_cache_dtype",)
# Options that a model's files and code need; no other part of the plan sets them.
_FREE = (
    "trust_remote_code",
    "tokenizer_mode",
    "config_format",
    "load_format",
    "chat_template_content_format",
    "block_size",
    "disable_cascade_attn",
    "hf_overrides",
    "dtype",
)
# Of these, how a checkpoint's files are read: a copy from another source may be written otherwise.
_OF_FILES = (
    "trust_remote_code",
    "tokenizer_mode",
    "config_format",
    "load_format",
    "chat_template_content_format",
)
# Two spellings of one type: vLLM's fp8 is e4m3 on NVIDIA GPUs (0.33.0, `--kv-cache-dtype`, read 2026-11).
SAME_CACHE = {"fp8_e4m3": "fp8"}


@dataclass(frozen=True, kw_only=True)
class OwnFlags:
    """What one checkpoint needs on one release: typed, and sentences on what that release cannot give it."""

    flags: ServeFlags
    obstacles: tuple[str, ...]

    @property
    def kv_cache_dtype(self) -> str | None:
        """The KV cache's type that the model works with alone, None where it takes any."""
        return self.flags.kv_cache_dtype

    def merged_into(self, derived: ServeFlags) -> ServeFlags:
        """Return the derived flags with the model's own. Raises ValueError where both say something else."""
        own = self.flags.given()
        clash = [name for name, value in own.items() if getattr(derived, name) not in (None, value)]
        if clash:
            raise ValueError(f"the model and the plan disagree on {', '.join(map(option_of, clash))}")
        return replace(derived, **own)


def own_flags(model: Model, variant: Variant, release: Release) -> OwnFlags:
    """Return the options that this checkpoint needs, as that release reads them."""
    parsed = parse_argv(model.extra_args_of(variant), release=release.release)
    return OwnFlags(flags=parsed.flags, obstacles=tuple(_obstacles(parsed, release)))


def overridable(name: str) -> bool:
    """Return whether a stack may say an option anew that a model is known to need."""
    return name in _OF_FILES


def same_cache(one: str, other: str) -> bool:
    """Return whether two values of `--kv-cache-dtype` mean one type."""
    return SAME_CACHE.get(one, one) == SAME_CACHE.get(other, other)


def _obstacles(parsed: ParsedServe, release: Release) -> Iterator[str]:
    for unknown in parsed.unknown:
        hint = unknown_option_hint(unknown.name, release.release, release.options())
        yield f"vLLM {release.release} does not know {unknown.name}: {hint}"
    yield from parsed.problems
    for option in parsed.other:
        yield f"{option} is not an option that a plan can hold; leave it out of extra_args"
    for name in parsed.flags.given():
        if name not in (*_FREE, *_PRESCRIBED):
            yield f"{option_of(name)} is the plan's to decide; say it in the stack, not in extra_args"


def contradiction(own: OwnFlags, asked: str | None, *, where: str, model: Model) -> Problem | None:
    """Return what is wrong with the KV cache's type that a stack asks for, None where the model agrees."""
    needed = own.kv_cache_dtype
    if needed is None or asked is None or same_cache(asked, needed):
        return None
    return Problem(
        where=f"{where}.kvCacheDtype",
        cause="contradiction",
        found=asked,
        why=f"{model.name} works with {option_of('kv_cache_dtype')} {needed} alone",
        fix=f"leave out {where}.kvCacheDtype",
    )
