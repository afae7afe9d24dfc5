"""The pools that the hardware section means, and what is wrong with several of them together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from onprem_agents.catalog import Catalog
from onprem_agents.errors import Problem, nearest_hint
from onprem_agents.plan.maker import share_problems, slice_problems
from onprem_agents.plan.pool import Pool, Share
from onprem_agents.stack.hardware import GpuShare, Hardware, MigStrategy, NodesOfOneKind
from onprem_agents.stack.settings import Platform


def pools_of(settings: Platform, catalog: Catalog) -> tuple[Pool, ...]:
    """Return the pools that the hardware section means. Raises `UnknownFact` for an unknown tier or accelerator."""
    hardware = settings.hardware
    if not hardware.pools:
        return (_pool_of(hardware, None, settings, catalog),)
    pools = [
        replace(
            _pool_of(one, one.name, settings, catalog),
            where=f"platform.hardware.pools[{index}]",
            own_name=one.name is not None,
        )
        for index, one in enumerate(hardware.pools)
    ]
    return tuple(replace(pool, taken=_taken_beside(pool, pools)) for pool in pools)


def _taken_beside(pool: Pool, pools: Sequence[Pool]) -> tuple[str, ...]:
    return tuple(
        other.accelerator.name
        for other in pools
        if other.where != pool.where and not (other.node_names and pool.node_names)
    )


def _pool_of(nodes: NodesOfOneKind, name: str | None, settings: Platform, catalog: Catalog) -> Pool:
    tier = catalog.tier(nodes.tier) if nodes.tier is not None else None
    pool = pool_named(
        name or (tier.name if tier is not None else None),
        namespace=settings.namespace,
        accelerator=tier.accelerator if tier is not None else str(nodes.accelerator),
        gpus_per_node=nodes.gpus_per_node or (tier.gpus_per_node if tier is not None else 1),
        nodes=nodes.nodes or len(nodes.node_names) or (tier.nodes if tier is not None else 1),
        node_names=nodes.node_names,
        mig_strategy=nodes.mig_strategy,
        catalog=catalog,
    )
    pool = replace(pool, taint=nodes.taint, tier=nodes.tier)
    return pool if nodes.share is None else shared(pool, nodes.share, settings.platform, catalog)


def shared(pool: Pool, asked: GpuShare, platform: str, catalog: Catalog) -> Pool:
    """Return the pool with shares of its GPUs, as a cluster of that make counts them, in place of whole ones."""
    found = catalog.platform(platform)
    named = found.shared_resource if found is not None else None
    whole = pool.accelerator
    share = Share(
        resource=named.name if named is not None else pool.device.resource,
        memory_gib=asked.memory_gib,
        core_percent=asked.core_percent,
        whole_gib=whole.total_gib,
    )
    part = share.core_percent / 100
    gets: dict[str, float | None] = {
        "total_gib": float(share.memory_gib),
        "bf16_tflops": whole.bf16_tflops * part,
        "fp8_tflops": whole.fp8_tflops and whole.fp8_tflops * part,
        "fp4_tflops": whole.fp4_tflops and whole.fp4_tflops * part,
    }
    return replace(pool, share=share, accelerator=whole.model_copy(update=gets))


def pool_named(
    name: str | None,
    *,
    namespace: str,
    accelerator: str,
    gpus_per_node: int,
    nodes: int,
    node_names: tuple[str, ...],
    mig_strategy: MigStrategy,
    catalog: Catalog,
) -> Pool:
    """Return a pool; without a name it has that of its accelerator. Raises `UnknownFact` for an unknown one."""
    found = catalog.accelerator(accelerator)
    return Pool(
        name=name or found.name.lower().replace(" ", "-"),
        namespace=namespace,
        accelerator=found,
        gpus_per_node=gpus_per_node,
        nodes=nodes,
        node_names=node_names,
        taint=True,
        mig_profile=found.mig.profile if found.mig is not None and mig_strategy == "mixed" else None,
    )


def roles_named(hardware: Hardware, pools: Sequence[Pool]) -> dict[str, str]:
    """Return the pool of each role that one names."""
    return {role: pool.name for one, pool in zip(hardware.pools, pools, strict=False) for role in one.roles}


def pool_problems(settings: Platform, pools: Sequence[Pool]) -> Iterator[Problem]:
    """Yield pools that cannot be told apart, roles that are not there, and what no pool can be asked for."""
    hardware = settings.hardware
    for pool, nodes in zip(pools, hardware.pools or (hardware,), strict=True):
        yield from slice_problems(pool, nodes.mig_strategy, above=f"{pool.where}.")
        yield from share_problems(pool, above=f"{pool.where}.")
    yield from _alike(pools)
    known = [role.role for role in settings.models]
    for pool, one in zip(pools, hardware.pools, strict=False):
        for role in one.roles:
            if role not in known:
                yield Problem(
                    where=f"{pool.where}.roles",
                    cause="unknown-name",
                    found=f"the role {role!r}",
                    why="no entry of platform.models has that role",
                    fix=f"{nearest_hint(role, known)} (or take it out of {pool.where}.roles)",
                )
    makers = sorted({pool.device.maker for pool in pools})
    if settings.serving.image is not None and len(makers) > 1:
        yield Problem(
            where="platform.serving.image",
            cause="contradiction",
            found=settings.serving.image,
            why=f"the pools have accelerators of {' and '.join(makers)}, which no image serves together",
            fix="leave out platform.serving.image: each pool's servers are then made of their maker's build",
        )


def _alike(pools: Sequence[Pool]) -> Iterator[Problem]:
    """Yield names that two pools have, nodes that two pools name, and pools whose nodes are known by one label."""
    first: dict[str, Pool] = {}
    seen_nodes: set[str] = set()
    for pool in pools:
        if pool.name in first:
            own = "" if pool.own_name else ", which is that of its accelerator or tier"
            yield Problem(
                where=f"{pool.where}.name",
                cause="repeated",
                found=f"the name {pool.name!r}{own}",
                why=f"{first[pool.name].where} has that name too, and nodes and servers go by it",
                fix=f"set {pool.where}.name to another one",
            )
        for node in sorted(seen_nodes.intersection(pool.node_names)):
            yield Problem(
                where=f"{pool.where}.nodeNames",
                cause="repeated",
                found=node,
                why="another pool names the same node, and a node is in one pool",
                fix="name it in one of them",
            )
        first.setdefault(pool.name, pool)
        seen_nodes.update(pool.node_names)
    yield from _of_one_label(pools)


def _of_one_label(pools: Sequence[Pool]) -> Iterator[Problem]:
    """Yield pools of one product of which some do not name their nodes: any pod may then take a GPU of any."""
    products: dict[frozenset[tuple[str, str]], list[Pool]] = {}
    for pool in pools:
        products.setdefault(frozenset(pool.product_labels.items()), []).append(pool)
    for alike in products.values():
        unnamed = [pool for pool in alike if not pool.node_names]
        if len(alike) > 1 and unnamed:
            labels = ", ".join(f"{label}={value}" for label, value in alike[0].product_labels.items())
            yield Problem(
                where=f"{unnamed[0].where}.nodeNames",
                cause="contradiction",
                found=f"no names of nodes in {' and '.join(pool.where for pool in unnamed)}",
                why=f"{' and '.join(pool.name for pool in alike)} are known by the same label of their nodes "
                f"({labels}), so their pods may take each other's GPUs",
                fix=f"name the nodes of each in {' and '.join(f'{pool.where}.nodeNames' for pool in unnamed)}, "
                "or make one pool of them",
            )
