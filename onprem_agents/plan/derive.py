"""Settings and catalogue → `PlatformPlan`, or every problem at once.

Nothing is declared here and nothing is guessed twice: each value that two places need is decided once and
stands in the plan.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

from onprem_agents.catalog import Catalog, load_catalog
from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.plan.affinity import with_affinity
from onprem_agents.plan.agents_served import behind
from onprem_agents.plan.agents_used import agents_used, unknown_agents, unserved_stack, with_notes
from onprem_agents.plan.costs import cost_problems
from onprem_agents.plan.derive_connection import connection_of, stack_key, stack_name_problems
from onprem_agents.plan.derive_ingress import request_body_mib, too_many_rules
from onprem_agents.plan.derive_servers import Servers, unknown_names
from onprem_agents.plan.images import digests_of_others
from onprem_agents.plan.names import PROXY_NAME
from onprem_agents.plan.operator import operator_problems
from onprem_agents.plan.platform import PlatformPlan, images_of, references_of
from onprem_agents.plan.pool import Pool
from onprem_agents.plan.pools import pool_problems, pools_of, roles_named
from onprem_agents.plan.presets import marks_of, told_presets, with_presets
from onprem_agents.plan.role import RoleDecision
from onprem_agents.plan.serving import ServingPlan
from onprem_agents.plan.site import folders_of_nobody, ways_in
from onprem_agents.plan.slow import with_speed_notes
from onprem_agents.stack.settings import Platform
from onprem_agents.stack.settings_reader import parse_platform


def plan_stack(
    raw: object, *, stack: str, source: str | None = None, catalog: Catalog | None = None
) -> PlatformPlan:
    """Plan the stack from the raw value of `onprem-coding-agents:platform`.

    `source` names the file or stack in errors. Raises `InvalidInput` with all problems: of form, of names the
    catalogue does not know, and of models that do not fit.
    """
    source = source or f"stack {stack}"
    catalog = catalog or load_catalog()
    site: tuple[str, ...] = ()
    if isinstance(raw, Mapping):
        site, raw = told_presets(raw, catalog), with_presets(raw, catalog)
    names = unknown_names(raw, catalog)
    try:
        settings = parse_platform(raw, source)
    except InvalidInput as error:
        raise InvalidInput(source, [*error.problems, *names, *stack_name_problems(stack)]) from None
    if any(problem.where.startswith("platform.hardware") for problem in names):
        raise InvalidInput(
            source, [*names, *stack_name_problems(stack)]
        )  # without the GPUs nothing else can be judged
    return _planned(settings, stack=stack, source=source, catalog=catalog, site=site)


def _planned(
    settings: Platform, *, stack: str, source: str, catalog: Catalog, site: tuple[str, ...]
) -> PlatformPlan:
    pools = pools_of(settings, catalog)
    of_pools = [
        *stack_name_problems(stack),
        *pool_problems(settings, pools),
        *cost_problems(settings.cost, pools, catalog),
    ]
    if len({pool.name for pool in pools}) < len(pools):
        raise InvalidInput(source, of_pools)  # without their names nothing else can be told apart
    remembered: dict[Hashable, RoleDecision] = {}
    decided = servers_of(settings, pools, catalog, remembered).decide()

    def plans(changed: Platform) -> tuple[ServingPlan, ...]:
        pools = pools_of(changed, catalog)
        if any(pool_problems(changed, pools)):
            return ()
        found = servers_of(changed, pools, catalog, remembered).decide()
        return () if found.problems or any(_clashes(changed)) else found.serving

    problems = [*of_pools, *_clashes(settings), *decided.problems]
    if not decided.problems:
        images = images_of(settings, decided.serving)
        problems += digests_of_others(settings.images, images, where="platform.images")
        problems += unserved_stack(settings, decided.serving, plans, catalog=catalog)
    if problems:
        raise InvalidInput(source, problems)
    behind_it = [behind(role, settings.translation) for role in decided.serving]
    kept = with_affinity(settings, behind_it)
    serving = with_speed_notes(settings, with_notes(settings, kept, plans), plans)
    servers = references_of(settings, serving)
    return PlatformPlan(
        stack=stack,
        settings=settings,
        pools=pools,
        placements=decided.placements,
        serving=serving,
        timeouts=decided.timeouts,
        connection=connection_of(
            settings.access,
            stack=stack,
            translation=settings.translation,
            servers=servers,
            timeouts=decided.timeouts,
            support=settings.support,
            source=source,
            key_of=stack_key,
        ).model_copy(update={"agents": settings.access.agents}),
        request_body_mib=request_body_mib(servers),
        site=(*site, *ways_in(settings.access)),
        marks=tuple(marks_of(settings.platform, role, settings.namespace, catalog) for role in serving),
    )


def servers_of(
    settings: Platform,
    pools: tuple[Pool, ...],
    catalog: Catalog,
    remembered: dict[Hashable, RoleDecision] | None = None,
) -> Servers:
    """Return the model servers that a stack asks for; `remembered` is shared by those with the same catalogue."""
    return Servers(
        remembered={} if remembered is None else remembered,
        namespace=settings.namespace,
        pools=pools,
        named=roles_named(settings.hardware, pools),
        models=settings.models,
        serving=settings.serving,
        timeouts=settings.timeouts,
        images=settings.images,
        catalog=catalog,
        for_agents=bool(agents_used(settings)),
    )


def _clashes(settings: Platform) -> Iterator[Problem]:
    """Yield what the stack's own objects leave no room for."""
    yield from folders_of_nobody(settings.models, settings.pod_ids)
    yield from operator_problems(settings)
    yield from unknown_agents(settings)
    if settings.translation == "native":
        return
    yield from too_many_rules(
        len(settings.models),
        settings.translation,
        where="platform.models",
        entries="roles",
        otherwise="set platform.translation to litellm or native",
    )
    for index, role in enumerate(settings.models):
        if role.role == PROXY_NAME:
            yield Problem(
                where=f"platform.models[{index}].role",
                cause="contradiction",
                found=role.role,
                why="the proxy's own objects have that name",
                fix="give the role another name, such as coder",
            )
