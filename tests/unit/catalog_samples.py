"""What the plan renders for each checkpoint of the catalogue, on each vLLM release that serves it."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.catalog import Model, Variant, load_catalog
from onprem_agents.plan.choice import Choice, request_of
from onprem_agents.plan.derive_serving import serving_plan
from onprem_agents.plan.own_flags import own_flags
from onprem_agents.plan.pools import pool_named
from onprem_agents.plan.release_fitness import oldest_release
from onprem_agents.plan.rollout import choose_rollout
from onprem_agents.plan.timeouts import derive_timeouts
from onprem_agents.sizing import fit
from onprem_agents.stack.settings import ModelRole, Serving
from onprem_agents.vllm import ServeFlags, known_releases, load_release, version_key

CATALOG = load_catalog()
# Checkpoints that only older releases load: their quantisation is gone.
ONLY_ON_OLDER = {
    "unsloth/Llama-3.2-11B-Vision-Instruct-bnb-4bit",
    "unsloth/meta-llama-3.1-8b-instruct-bnb-4bit",
    "unsloth/phi-4-bnb-4bit",
}

FOUR = pool_named(
    None,
    namespace="agents",
    accelerator="H200",
    gpus_per_node=4,
    nodes=1,
    node_names=(),
    mig_strategy="single",
    catalog=CATALOG,
)


def planned(model: Model, variant: Variant, version: str, **settings: object) -> ServeFlags:
    """Return the flags of a role on four H200, whether or not the memory would do."""
    role = ModelRole.model_validate({"role": "coder", "model": variant.hf_id, **settings})
    own = own_flags(model, variant, load_release(version))
    request = request_of(
        role,
        model,
        variant,
        CATALOG.accelerator("H200"),
        tensor_parallel=4,
        context_tokens=min(32_768, model.architecture.max_context_tokens),
        kv_cache_dtype=own.kv_cache_dtype or "auto",
    )
    choice = Choice(
        pool=FOUR, model=model, variant=variant, own=own, tensor_parallel=4, request=request, fit=fit(request)
    )
    return serving_plan(
        role,
        choice=choice,
        replicas=1,
        rollout=choose_rollout(replicas=1, gpus_per_replica=4, free_gpus=4),
        timeouts=derive_timeouts(longest_turn_seconds=600, load_budget_seconds=2700),
        settings=Serving(),
        release=version,
        cache=None,
    ).flags


def serving_releases(model: Model, variant: Variant) -> tuple[str, ...]:
    """Return the known releases that are said to serve a checkpoint, the oldest first."""
    least = version_key(oldest_release(model, variant))
    return tuple(version for version in known_releases() if version_key(version) >= least)


def served_by(version: str) -> Iterator[tuple[Variant, ServeFlags]]:
    """Yield every checkpoint that a release serves, with the flags that the plan gives it there."""
    release = load_release(version)
    for model in CATALOG.models:
        for variant in model.variants:
            if version not in serving_releases(model, variant) or (
                variant.hf_id in ONLY_ON_OLDER and variant.quantization not in release.quantization_methods
            ):
                continue
            yield variant, planned(model, variant, version)
