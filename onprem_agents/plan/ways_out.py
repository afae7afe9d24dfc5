"""Ways out for a role that does not fit: settings of the stack, each planned before it is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, get_args

from onprem_agents.catalog import Accelerator, Catalog, Model, Variant, Vendor
from onprem_agents.plan.choice import Choice, choose
from onprem_agents.plan.pool import Pool
from onprem_agents.sizing import FitRequest, candidate_tensor_parallel, changes_that_fit
from onprem_agents.sizing.changes import ROLE_FIELDS, differing, repaired
from onprem_agents.sizing.refusals import Setting
from onprem_agents.stack.cache import Cache, PvcCache
from onprem_agents.stack.settings import ModelRole
from onprem_agents.vllm import Release

# Precisions that the key takes; other checkpoints are told by their name.
_PRECISIONS = frozenset(
    word for part in get_args(ModelRole.model_fields["precision"].annotation) for word in get_args(part)
)
# Weights of these sources may be kept in a claim.
_DOWNLOADED = ("hf://", "s3://")
# A typical server has no more.
_MOST_GPUS = 8
_MOST_WAYS = 4


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way out: what it changes most, the keys to set in words, and what then is served."""

    setting: Setting
    text: str
    choice: Choice


def key_of(field: str) -> str:
    """Return the stack key of a field of a role."""
    alias = ModelRole.model_fields[field].alias
    return alias or field


def joined(ways: Iterable[Way]) -> str:
    """Return ways out as one sentence, the first few of them; without any, where smaller models are listed."""
    texts = [way.text for way in ways][:_MOST_WAYS]
    return "; or ".join(texts) or "take a smaller model ('onprem-agents catalog' lists them)"


def ways_out(
    role: ModelRole, nearest: Choice, pool: Pool, *, catalog: Catalog, release: Release, where: str
) -> tuple[Way, ...]:
    """Return what makes a role fit that does not, the cheapest first, the least hardware last."""
    ways = {way.text: way for way in _kept(role, nearest, pool, release=release, where=where)}
    for change in changes_that_fit(nearest.request, gpus_per_node=pool.most_together, buying=False):
        updates = _updates(role, nearest, change.request)
        steps = steps_to(where, role, updates)
        changed = role.model_copy(update=updates)
        choice, _ = choose(changed, nearest.model, (change.request.variant,), pool, release=release)
        if steps and choice is not None:
            text = " and ".join(steps)
            ways.setdefault(text, Way(setting=change.headline, text=text, choice=choice))
    if pool.share is not None:  # other GPUs would not enlarge it
        return tuple(ways.values())
    bought = _hardware(role, nearest, pool, catalog=catalog, release=release, where=where)
    if bought is None:
        return tuple(ways.values())
    return (*list(ways.values())[: _MOST_WAYS - 1], bought)


def precisions_that_fit(role: ModelRole, model: Model, pool: Pool, *, release: Release) -> tuple[str, ...]:
    """Return the values of the key `precision` with which the role fits, else all that the model comes in."""
    known = {v.precision: v for v in reversed(model.variants) if v.precision in _PRECISIONS}
    fitting = [
        precision
        for precision, variant in known.items()
        if choose(role, model, (variant,), pool, release=release)[0] is not None
    ]
    return tuple(sorted(fitting or known))


def checkpoint_steps(role: ModelRole, model: Model, variant: Variant, *, where: str) -> str:
    """Return the settings that name another checkpoint of the role's model."""
    return " and ".join(steps_to(where, role, checkpoint_fields(model, variant)))


def checkpoint_fields(model: Model, wanted: Variant) -> dict[str, Any]:
    """Return the fields of a role that name that checkpoint of its model."""
    first = model.variant(wanted.precision)
    if first.hf_id == wanted.hf_id and wanted.precision in _PRECISIONS:
        return {"precision": wanted.precision}
    return {"model": wanted.hf_id, "precision": None}


def _updates(role: ModelRole, nearest: Choice, changed: FitRequest) -> dict[str, Any]:
    """Return the fields of the role that say what was changed; what it leaves open is found by planning it."""
    updates: dict[str, Any] = {}
    for setting in differing(nearest.request, changed):
        if setting == "variant":
            updates |= checkpoint_fields(nearest.model, changed.variant)
        elif setting in ROLE_FIELDS and (setting != "tensor_parallel" or role.tensor_parallel is not None):
            updates[ROLE_FIELDS[setting]] = getattr(changed, setting)
    return updates


def steps_to(where: str, role: ModelRole, updates: dict[str, Any]) -> list[str]:
    """Return in words which keys of the role to set, and which to leave out."""
    steps = []
    for field, value in updates.items():
        key = f"{where}.{key_of(field)}"
        if value is not None:
            steps.append(f"set {key} to {value}")
        elif getattr(role, field) is not None:
            steps.append(f"leave out {key}")
    return steps


def _kept(role: ModelRole, nearest: Choice, pool: Pool, *, release: Release, where: str) -> Iterator[Way]:
    """Yield a claim, where all that is missing is what a cold start takes and a warm one does not."""
    if role.cache is not None or (role.source is not None and not role.source.startswith(_DOWNLOADED)):
        return
    kept = role.model_copy(update={"cache": Cache(pvc=PvcCache())})
    choice, _ = choose(kept, nearest.model, (nearest.variant,), pool, release=release)
    if choice is not None:
        text = f"set {where}.cache to {{pvc: {{}}}}, which keeps what vLLM compiles"
        yield Way(setting="start", text=text, choice=choice)


def _hardware(
    role: ModelRole, nearest: Choice, pool: Pool, *, catalog: Catalog, release: Release, where: str
) -> Way | None:
    """Return the GPUs with the least memory in sum on which the role would fit, its refused figures mended."""
    mended = repaired(nearest.request, pool.gpus_per_node)
    updates = _updates(role, nearest, mended) | {"tensor_parallel": None}
    wide = role.model_copy(update={"context": nearest.request.context_tokens, **updates})
    for gpu, size in offers(nearest.model, nearest.variant, pool.accelerator.vendor, catalog):
        if gpu.name in pool.taken:
            continue
        larger = replace(pool, accelerator=gpu, gpus_per_node=size, mig_profile=None)
        choice, _ = choose(wide, nearest.model, (nearest.variant,), larger, release=release)
        if choice is not None:
            steps = [
                f"set {pool.where}.accelerator to {gpu.name}",
                f"set {pool.where}.gpusPerNode to {size}",
            ]
            if pool.tier is not None:
                steps.append(f"leave out {pool.where}.tier")
            if pool.mig_profile is not None:  # what is offered are whole GPUs
                steps.append(f"leave out {pool.where}.migStrategy")
            text = " and ".join([*steps, *steps_to(where, role, updates)])
            return Way(setting="accelerator", text=text, choice=choice)
    return None


def offers(
    model: Model, variant: Variant, vendor: Vendor, catalog: Catalog
) -> Iterator[tuple[Accelerator, int]]:
    """Yield GPUs of that maker and how many of them in one node could hold the weights, the least memory first."""
    offers = [
        (gpu.total_gib * size, size, gpu)
        for gpu in catalog.accelerators
        if gpu.proposed and gpu.vendor == vendor
        for size in candidate_tensor_parallel(model, gpu, min(_MOST_GPUS, gpu.host.gpus_per_node))
    ]
    for memory_gib, size, gpu in sorted(offers, key=lambda offer: offer[:2]):
        if memory_gib > variant.weights_gib:
            yield gpu, size
