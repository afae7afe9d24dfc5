"""Which checkpoints are started: small and large ones, of unlike attention, that the plan puts on this machine."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from onprem_agents.catalog import Model, load_catalog
from onprem_agents.plan import ServingPlan
from tools.verify_gpu.command import planned
from tools.verify_gpu.folder import can_be_made
from tools.verify_gpu.machine import Machine

COUNT = 6
# A kind of attention that was not seen yet is worth a checkpoint this many times as large or small.
_UNLIKE = 4.0


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Plans to start, the smallest checkpoint first, and why named models are not among them."""

    plans: tuple[ServingPlan, ...]
    left_out: tuple[str, ...] = ()


def chosen(machine: Machine, names: Sequence[str] = ()) -> Chosen:
    """Return the plans of the named models, or six spread over size and kind of attention.

    Raises `UnknownFact` for a name that the catalogue does not have.
    """
    if names:
        return _named(machine, names)
    found = sorted(_all(machine), key=lambda plan: plan.variant.weights_gib)
    return Chosen(plans=_spread(found))


def _named(machine: Machine, names: Sequence[str]) -> Chosen:
    plans, left_out = [], []
    for name in names:
        model, variant = load_catalog().model_and_variant(name)
        plan = next(_plans(model, machine, None if variant is None else variant.hf_id), None)
        if plan is None:
            left_out.append(
                f"{name}: no checkpoint in bf16, fp8 or mxfp4 that the plan puts on {machine.gpus} x "
                f"{machine.printed} with vLLM {machine.vllm.version}"
            )
        else:
            plans.append(plan)
    return Chosen(
        plans=tuple(sorted(plans, key=lambda plan: plan.variant.weights_gib)), left_out=tuple(left_out)
    )


def _all(machine: Machine) -> Iterator[ServingPlan]:
    for model in load_catalog().models:
        yield from _plans(model, machine)


def _plans(model: Model, machine: Machine, hf_id: str | None = None) -> Iterator[ServingPlan]:
    for variant in model.variants:
        room = variant.weights_gib < machine.gpus * machine.accelerator.total_gib
        if room and hf_id in (None, variant.hf_id) and can_be_made(model, variant):
            plan = planned(model, variant, machine)
            if plan is not None:
                yield plan


def _spread(found: Sequence[ServingPlan]) -> tuple[ServingPlan, ...]:
    """Return plans at even steps of size, each of a kind of attention that no other has where there is one."""
    if len(found) <= COUNT:
        return tuple(found)
    sizes = [math.log(plan.variant.weights_gib) for plan in found]
    taken: list[ServingPlan] = []
    for step in range(COUNT):
        wanted = sizes[0] + (sizes[-1] - sizes[0]) * step / (COUNT - 1)
        kinds = {_kind(plan) for plan in taken}
        models = {plan.model.name for plan in taken}

        def distance(plan: ServingPlan, wanted: float = wanted, kinds: set[str] = kinds) -> float:
            away = abs(math.log(plan.variant.weights_gib) - wanted)
            return away + (math.log(_UNLIKE) if _kind(plan) in kinds else 0.0)

        taken.append(min((plan for plan in found if plan.model.name not in models), key=distance))
    return tuple(sorted(taken, key=lambda plan: plan.variant.weights_gib))


def _kind(plan: ServingPlan) -> str:
    """Return the kinds of attention of a model and whether it has experts, in one word."""
    architecture = plan.model.architecture
    kinds = sorted({group.kind for group in architecture.attention})
    return " ".join([*kinds, *(["experts"] if architecture.experts else [])])
