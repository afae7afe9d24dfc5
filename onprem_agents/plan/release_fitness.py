"""Whether a vLLM release can serve a checkpoint: its age, its parsers, its quantisation and the options it needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from onprem_agents.catalog import Model, Variant
from onprem_agents.errors import Problem, nearest_hint
from onprem_agents.plan.extra_args import extra_flags
from onprem_agents.plan.own_flags import own_flags
from onprem_agents.stack.settings import ModelRole
from onprem_agents.vllm import Release, known_releases, load_release, version_key


def obstacles(
    model: Model, variant: Variant, release: Release, *, version: str | None = None
) -> Iterator[str]:
    """Yield why that release does not serve the checkpoint; `version` is its own where the facts are its nearest's."""
    asked = version or release.release
    needed = oldest_release(model, variant)
    if version_key(asked) < version_key(needed):
        yield f"{model.name} needs vLLM {needed} or newer"
    if model.tool_call_parser is not None and model.tool_call_parser not in release.tool_parsers:
        yield f"vLLM {asked} has no tool-call parser {model.tool_call_parser}"
    if model.reasoning_parser is not None and model.reasoning_parser not in release.reasoning_parsers:
        yield f"vLLM {asked} has no reasoning parser {model.reasoning_parser}"
    if variant.quantization is not None and variant.quantization not in release.quantization_methods:
        yield f"vLLM {asked} does not load {variant.quantization} checkpoints"
    if model.chat_template is not None and release.image.lacks(model.chat_template):
        yield f"the image of vLLM {asked} has no {model.chat_template}"
    yield from own_flags(model, variant, release).obstacles


def oldest_release(model: Model, variant: Variant) -> str:
    """Return the oldest release that is said to serve the checkpoint."""
    return max(model.min_vllm, variant.min_vllm or "0", key=version_key)


def release_problems(
    model: Model, variant: Variant, *, version: str, release: Release, others: Iterable[str]
) -> list[Problem]:
    """Return what keeps that release from serving the checkpoint, with a release that does.

    `others` are ways to take another checkpoint of the model; they are looked for only where there is a problem.
    """
    found = list(obstacles(model, variant, release, version=version))
    if not found:
        return []
    able = [known for known in known_releases() if not any(obstacles(model, variant, load_release(known)))]
    newer = [known for known in able if version_key(known) > version_key(version)]
    nearest = newer[:1] or able[-1:]
    ways = [*(f"set platform.serving.vllm to {known}" for known in nearest), *list(others)[:1]]
    return [
        Problem(
            where="platform.serving.vllm",
            cause="release-too-old" if newer else "release-refuses",
            found=f"vLLM {version} for {variant.hf_id}",
            why="; ".join(found),
            fix="; or ".join(ways) or "take another model ('onprem-agents catalog' lists them)",
        )
    ]


def parser_problems(role: ModelRole, *, where: str, version: str, release: Release) -> list[Problem]:
    """Return the parsers that the role asks for, and that neither the release nor a plugin has."""
    extra = extra_flags(role.extra_args, release.release)
    return [
        Problem(
            where=f"{where}.{key}",
            cause="release-refuses",
            found=repr(value),
            why=f"vLLM {version} has no such parser and would stop at start ({nearest_hint(value, known)})",
            fix=f"leave out {where}.{key}",
        )
        for key, value, known, plugin in (
            ("toolCallParser", role.tool_call_parser, release.tool_parsers, extra.tool_parser_plugin),
            (
                "reasoningParser",
                role.reasoning_parser,
                release.reasoning_parsers,
                extra.reasoning_parser_plugin,
            ),
        )
        if value is not None and value not in known and plugin is None
    ]
