"""A role and the known conflicts of vLLM's options: what gives way where the stack leaves it open, and what is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onprem_agents.catalog import Catalog, Conflict, Model
from onprem_agents.errors import Problem
from onprem_agents.plan.ways_out import key_of
from onprem_agents.stack.settings import ModelRole
from onprem_agents.vllm import conflicts_met

# The field of a role behind an option that a conflict names, and its value that switches the option off.
_FIELDS: dict[str, tuple[str, Any]] = {
    "--enable-prefix-caching": ("prefix_caching", False),
    "--speculative-config": ("speculative_tokens", 0),
    "--max-num-batched-tokens": ("max_num_batched_tokens", None),
    "--language-model-only": ("vision", False),
}


@dataclass(frozen=True, kw_only=True)
class Settled:
    """The role without what gave way, and what the reader of the plan must know."""

    role: ModelRole
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]


def settle(role: ModelRole, model: Model, *, catalog: Catalog, version: str, where: str) -> Settled:
    """Return the role as it can be served: of what harms together, what the stack leaves open gives way.

    What the stack says both of is kept with a note, as the reports may not hold for its release; what vLLM itself
    refuses is a problem.
    """
    notes, problems = [], []
    for conflict in conflicts_met(catalog.conflicts, model, version, _reader(role, model)):
        if conflict.gives_way is None:
            problems.append(_refused(role, conflict, where))
            continue
        told = f"{conflict.symptom} ({model.name}, vLLM {version}; {conflict.told_by})"
        if all(_is_said(role, side.option) for side in conflict.sides):
            notes.append(f"{_both(role, conflict, where)} are both kept, as the stack says both: {told}")
            continue
        field, off = _FIELDS[conflict.gives_way]
        given_up = f"{where}.{key_of(field)} {getattr(role, field)} is left out"
        notes.append(f"{given_up}: beside {_kept(conflict, told, where)}")
        role = role.model_copy(update={field: off})
    return Settled(role=role, notes=tuple(notes), problems=tuple(problems))


def _reader(role: ModelRole, model: Model) -> Any:
    drafted = role.speculative_tokens if model.speculative is not None else 0
    flags: dict[str, Any] = {
        "enable_prefix_caching": role.prefix_caching is not False,
        "enable_chunked_prefill": True,
        "speculative_config": {**(model.speculative or {}), "num_speculative_tokens": drafted},
        "language_model_only": not role.vision,
        "max_num_batched_tokens": role.max_num_batched_tokens,
    }
    return flags.get


def _is_said(role: ModelRole, option: str) -> bool:
    return getattr(role, _FIELDS[option][0]) is not None


def _kept(conflict: Conflict, told: str, where: str) -> str:
    """Return what is served instead, why, and how the stack has it the other way round."""
    others = [_FIELDS[side.option] for side in conflict.sides if side.option != conflict.gives_way]
    keys = " and ".join(f"{where}.{key_of(field)}" for field, _ in others)
    instead = " and ".join(f"{where}.{key_of(field)} to {str(off).lower()}" for field, off in others)
    return f"{keys}, {told}; {conflict.advice}; set {instead} to have it the other way round"


def _both(role: ModelRole, conflict: Conflict, where: str) -> str:
    said = [_FIELDS[side.option][0] for side in conflict.sides]
    return " and ".join(f"{where}.{key_of(field)} {str(getattr(role, field)).lower()}" for field in said)


def _refused(role: ModelRole, conflict: Conflict, where: str) -> Problem:
    fields = [_FIELDS[side.option][0] for side in conflict.sides]
    first = next(field for field in reversed(fields) if getattr(role, field) is not None)
    return Problem(
        where=f"{where}.{key_of(first)}",
        cause="contradiction",
        found=_both(role, conflict, where),
        why=f"{conflict.symptom} ({conflict.told_by})",
        fix=f"leave out {where}.{key_of(first)}: {conflict.advice}",
    )
