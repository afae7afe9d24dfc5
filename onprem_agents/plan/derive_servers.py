"""The GPUs, the models and how they are run → model servers, or every problem with them at once.

One role that stands alone and all roles of a platform are decided here. Problems name the keys of a stack file;
`wording` says them as a component's arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from onprem_agents.catalog import Catalog
from onprem_agents.errors import InvalidInput, Problem, UnknownFact
from onprem_agents.plan.cache import Cache, cache_of, cache_problems, on_one_node
from onprem_agents.plan.derive_serving import serving_plan, source_of, stored_gib
from onprem_agents.plan.maker import maker_problems
from onprem_agents.plan.pool import Placement, Pool, place
from onprem_agents.plan.role import RoleDecision, decide_role
from onprem_agents.plan.rollout import choose_rollout
from onprem_agents.plan.serving import ServingPlan
from onprem_agents.plan.timeouts import TimeoutChain, derive_timeouts
from onprem_agents.stack.images import Images
from onprem_agents.stack.settings import Hardware, ModelRole, Serving, Timeouts

# One label of a DNS name (RFC 1035); KServe's domainTemplate puts name and namespace into one (v0.20.0, 2026-08).
_MOST_LABEL_CHARS = 63


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What came of it. A role with a problem has no entry in `serving`."""

    placement: Placement
    timeouts: TimeoutChain
    serving: tuple[ServingPlan, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Model servers as they are asked for."""

    namespace: str
    pool: Pool
    models: tuple[ModelRole, ...]
    serving: Serving
    timeouts: Timeouts
    images: Images
    catalog: Catalog
    for_agents: bool = True
    """Whether developers' agents work with them; False lets models serve that call no tools."""

    def decide(self) -> Decided:
        """Decide all of them."""
        problems = [*self._long_names(), *maker_problems(self.pool, self.serving)]
        decisions = self._decisions(problems)
        placement = self._placement(decisions, problems)
        timeouts = timeouts_of(self.timeouts)
        serving = self._served(decisions, placement, timeouts, problems)
        return Decided(placement=placement, timeouts=timeouts, serving=serving, problems=tuple(problems))

    def _long_names(self) -> list[Problem]:
        namespace = self.namespace
        return [
            Problem(
                where=f"platform.models[{index}].role",
                cause="name-too-long",
                found=f"{role.role} in the namespace {namespace}",
                why=f"KServe calls the server {role.role}-predictor-{namespace} in its host name, where "
                f"{_MOST_LABEL_CHARS} characters may stand together",
                fix=f"shorten one of them by {excess} characters",
            )
            for index, role in enumerate(self.models)
            if (excess := len(f"{role.role}-predictor-{namespace}") - _MOST_LABEL_CHARS) > 0
        ]

    def _decisions(self, problems: list[Problem]) -> list[RoleDecision]:
        decisions = []
        for index, role in enumerate(self.models):
            decision = decide_role(
                role,
                where=f"platform.models[{index}]",
                pool=self.pool,
                catalog=self.catalog,
                vllm=self.serving.vllm,
                for_agents=self.for_agents,
            )
            problems.extend(decision.problems)
            decisions.append(decision)
        return decisions

    def _placement(self, decisions: Sequence[RoleDecision], problems: list[Problem]) -> Placement:
        pool = self.pool
        demands = [
            (d.role.role, d.replicas, d.choice.tensor_parallel) for d in decisions if d.choice is not None
        ]
        placement = place(pool, demands)
        if placement.unplaced:
            wanted = sum(replicas * gpus for _, replicas, gpus in demands)
            asked = ", ".join(f"{role}: {replicas} × {gpus}" for role, replicas, gpus in demands)
            problems.append(
                Problem(
                    where="platform.hardware",
                    cause="no-room",
                    found=f"{pool.nodes} × {pool.gpus_per_node} {pool.accelerator.name} = {pool.gpus} GPUs; "
                    f"the models ask for {wanted} ({asked})",
                    why=f"no node has room for {len(placement.unplaced)} of the replicas "
                    f"({', '.join(sorted(set(placement.unplaced)))}); they would stay Pending",
                    fix="raise platform.hardware.nodes or gpusPerNode, or lower replicas, sessions or tensorParallel "
                    "of the models",
                )
            )
        return placement

    def _served(
        self,
        decisions: Sequence[RoleDecision],
        placement: Placement,
        timeouts: TimeoutChain,
        problems: list[Problem],
    ) -> tuple[ServingPlan, ...]:
        serving = []
        for index, decision in enumerate(decisions):
            if decision.choice is None or decision.problems:
                continue
            cache = self._cache(decision)
            problems += cache_problems(
                cache,
                where=f"platform.models[{index}]",
                pool=self.pool,
                replicas=decision.replicas,
                weights_gib=stored_gib(decision.choice),
            )
            try:
                serving.append(self._serving(decision, placement, timeouts, cache))
            except InvalidInput as error:
                problems += [
                    _at_setting(problem, decision.role, index, self.catalog) for problem in error.problems
                ]
        return tuple(serving)

    def _cache(self, decision: RoleDecision) -> Cache | None:
        choice = decision.fitted()
        return cache_of(
            decision.role,
            source_of(decision.role, choice).pinned_uri,
            namespace=self.namespace,
            pool=self.pool,
            replicas=decision.replicas,
            weights_gib=stored_gib(choice),
        )

    def _serving(
        self, decision: RoleDecision, placement: Placement, timeouts: TimeoutChain, cache: Cache | None
    ) -> ServingPlan:
        choice = decision.fitted()
        rollout = choose_rollout(
            replicas=decision.replicas,
            gpus_per_replica=choice.tensor_parallel,
            free_gpus=placement.largest_free,
            one_node=on_one_node(cache, self.pool),
        )
        planned = serving_plan(
            decision.role,
            choice=choice,
            replicas=decision.replicas,
            rollout=rollout,
            timeouts=timeouts,
            settings=self.serving,
            release=decision.vllm,
            cache=cache,
        )
        named = self.images.reference if self.serving.image is None else self.images.said
        return replace(planned, image=named(planned.image), notes=(*decision.notes, *planned.notes))


def _at_setting(problem: Problem, role: ModelRole, index: int, catalog: Catalog) -> Problem:
    """Return the problem of an option of vLLM as that of the setting that it comes from, or of the model."""
    entry = catalog.server_option(problem.where)
    setting = entry.setting if entry is not None else None
    said = setting in {
        info.alias for name, info in type(role).model_fields.items() if name in role.model_fields_set
    }
    key = setting if said else "model"
    found = problem.found if said else f"{role.model}, which is served with {problem.where} {problem.found}"
    fix = (
        "leave it out"
        if said
        else "set platform.serving.vllm to a release that knows it, or take another model"
    )
    return replace(problem, where=f"platform.models[{index}].{key}", found=found, fix=f"{problem.fix}; {fix}")


def timeouts_of(settings: Timeouts) -> TimeoutChain:
    """Return every limit that follows from the longest turn and the longest load."""
    return derive_timeouts(
        longest_turn_seconds=settings.longest_turn_seconds,
        load_budget_seconds=settings.load_budget_seconds,
    )


def pool_of(hardware: Hardware, namespace: str, catalog: Catalog) -> Pool:
    """Return the pool that the hardware section means. Raises `UnknownFact` for an unknown tier or accelerator."""
    tier = catalog.tier(hardware.tier) if hardware.tier is not None else None
    return pool_named(
        tier.name if tier is not None else None,
        namespace=namespace,
        accelerator=tier.accelerator if tier is not None else str(hardware.accelerator),
        gpus_per_node=hardware.gpus_per_node or (tier.gpus_per_node if tier is not None else 1),
        nodes=hardware.nodes or len(hardware.node_names) or (tier.nodes if tier is not None else 1),
        node_names=hardware.node_names,
        taint=hardware.taint,
        catalog=catalog,
    )


def pool_named(
    name: str | None,
    *,
    namespace: str,
    accelerator: str,
    gpus_per_node: int,
    nodes: int,
    node_names: tuple[str, ...],
    taint: bool,
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
        taint=taint,
    )


def unknown_names(raw: object, catalog: Catalog) -> list[Problem]:
    """Look up whatever names a malformed config still holds, so that they are reported in the same go."""
    if not isinstance(raw, Mapping):
        return []
    problems = []
    hardware = raw.get("hardware")
    if isinstance(hardware, Mapping):
        for key, look_up in (("tier", catalog.tier), ("accelerator", catalog.accelerator)):
            problems += _look_up(look_up, hardware.get(key), f"platform.hardware.{key}")
    models = raw.get("models")
    for index, entry in enumerate(
        models if isinstance(models, Sequence) and not isinstance(models, str) else ()
    ):
        if isinstance(entry, Mapping):
            problems += _look_up(catalog.model, entry.get("model"), f"platform.models[{index}].model")
    return problems


def _look_up(look_up: object, name: object, where: str) -> list[Problem]:
    if not isinstance(name, str) or not name or not callable(look_up):
        return []
    try:
        look_up(name)
    except UnknownFact as error:
        return [error.problem(where)]
    return []
