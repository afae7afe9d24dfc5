"""Which of the known conflicts a server meets, told by its flags: the plan asks of ours, the policies of anybody's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from onprem_agents.catalog import Conflict, Model, Side
from onprem_agents.vllm.argv import UNREADABLE
from onprem_agents.vllm.flags import field_of, option_of
from onprem_agents.vllm.release import Release, nearest_release, version_key

Read = Callable[[str], Any]
"""A field of ServeFlags → its value, None where it is not given, UNREADABLE where that cannot be told."""


def conflicts_met(
    conflicts: Iterable[Conflict], model: Model, version: str | None, read: Read
) -> Iterator[Conflict]:
    """Yield the conflicts that a server of that model and release meets; None is the newest release.

    What is only known at run time meets nothing here: that it is unreadable is told elsewhere.
    """
    facts = nearest_release(version)
    release = version_key(version or "") or version_key(facts.release)
    for conflict in conflicts:
        of_model = not conflict.families or model.family in conflict.families
        begun = release >= version_key(conflict.since)
        ended = conflict.until is not None and release >= version_key(conflict.until)
        if (
            of_model
            and begun
            and not ended
            and all(_holds(side, model, facts, read) for side in conflict.sides)
        ):
            yield conflict


def takes_no_items(limits: object) -> bool:
    """Return whether no kind of item may stand in a prompt: vLLM then loads no encoder (0.9.2 to 0.33.0)."""
    return isinstance(limits, Mapping) and bool(limits) and not any(limits.values())


def _holds(side: Side, model: Model, facts: Release, read: Read) -> bool:
    field = field_of(side.option)
    if field is None:
        raise ValueError(f"{side.option} is no option that is modelled")
    value = read(field)
    if value == UNREADABLE:
        return False
    if side.switch is not None:
        return _switched(field, value, model, facts, read) is side.switch
    if side.method is not None:
        return _speculates(value) and str(value.get("method")).endswith(side.method)
    least = model.image_batch_tokens if side.below == "one-image" else None
    return least is not None and value is not None and value < least


def _switched(field: str, value: bool | None, model: Model, facts: Release, read: Read) -> bool:
    """Return what a switch is set to, by hand or by default."""
    if field == "language_model_only" and not value:
        return not model.multimodal or takes_no_items(read("limit_mm_per_prompt"))
    if value is not None:
        return value
    if field == "async_scheduling":
        return False  # left to itself, vLLM leaves it off beside what does not go with it (0.12 to 0.33.0)
    default = facts.default(option_of(field))
    # vLLM decides at start (engine arguments, 0.12 to 0.33.0, read 2026-11): both are on for models that answer, but
    # prefix caching of models with a state, which is since 0.26.
    cached = facts.memory.hybrid_prefix_caching or not model.architecture.is_hybrid
    return bool(default) if default is not None else field != "enable_prefix_caching" or cached


def _speculates(value: object) -> bool:
    return isinstance(value, Mapping) and value.get("num_speculative_tokens") != 0
