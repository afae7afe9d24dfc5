"""The GPUs, the models and how they are run → model servers, or every problem with them at once.

One role that stands alone and all roles of a platform are decided here. Problems name the keys of a stack file;
`wording` says them as a component's arguments.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter

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
from onprem_agents.stack.settings import ModelRole, Serving, Timeouts

# One label of a DNS name (RFC 1035); KServe's domainTemplate puts name and namespace into one (v0.20.0, 2026-08).
_MOST_LABEL_CHARS = 63


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What came of it. A role with a problem has no entry in `serving`, a placement is that of the pool beside it."""

    placements: tuple[Placement, ...]
    timeouts: TimeoutChain
    serving: tuple[ServingPlan, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Model servers as they are asked for."""

    namespace: str
    pools: tuple[Pool, ...]
    models: tuple[ModelRole, ...]
    serving: Serving
    timeouts: Timeouts
    images: Images
    catalog: Catalog
    named: Mapping[str, str] = field(default_factory=dict)
    """The pool of each role that one names."""
    for_agents: bool = True
    """Whether developers' agents work with them; False lets models serve that call no tools."""
    remembered: dict[Hashable, RoleDecision] = field(default_factory=dict, compare=False, repr=False)
    """What was decided of a role before, where the same servers are planned again with one role changed."""

    def decide(self) -> Decided:
        """Decide all of them."""
        problems = self._long_names()
        for pool in self.pools:
            problems += maker_problems(pool, self.serving)
        decisions = self.role_decisions()
        problems += (problem for decision in decisions for problem in decision.problems)
        placements = {pool.name: self._placement(pool, decisions, problems) for pool in self.pools}
        timeouts = timeouts_of(self.timeouts)
        serving = self._served(decisions, placements, timeouts, problems)
        return Decided(
            placements=tuple(placements.values()),
            timeouts=timeouts,
            serving=serving,
            problems=tuple(dict.fromkeys(problems)),
        )

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

    def role_decisions(self) -> list[RoleDecision]:
        """Decide each role with its pool, those that pools name first; return them in the order of the models."""
        decided: dict[int, RoleDecision] = {}
        for index, role in sorted(enumerate(self.models), key=lambda each: each[1].role not in self.named):
            decided[index] = self._decision(role, f"platform.models[{index}]", tuple(decided.values()))
        return [decision for _, decision in sorted(decided.items())]

    def _decision(self, role: ModelRole, where: str, before: Sequence[RoleDecision]) -> RoleDecision:
        """Decide a role in the pool that names it, else in the first that holds it beside those decided before.

        One that no pool holds is decided where it fits but for the others, else in the first pool.
        """
        named = self.named.get(role.role)
        pools = [pool for pool in self.pools if named in (None, pool.name)]
        found = []
        for pool in pools:
            decision = self._decided(role, where, pool)
            fits = decision.choice is not None and not decision.problems
            found.append((not fits, decision))
            if fits and not place(pool, _demands((*before, decision), pool)).unplaced:
                break
        else:
            found.sort(key=itemgetter(0))
            return found[0][1]
        if len(pools) == 1:
            return decision
        told = f"served in the pool {decision.pool.name}, the first that holds it"
        return replace(decision, notes=(*decision.notes, told))

    def _decided(self, role: ModelRole, where: str, pool: Pool) -> RoleDecision:
        """Decide a role in a pool, or tell what was decided of the same one before."""
        told = (role.model_dump_json(), frozenset(role.model_fields_set))
        key = (told, where, pool, self.serving.vllm, self.for_agents)
        if key not in self.remembered:
            self.remembered[key] = decide_role(
                role,
                where=where,
                pool=pool,
                catalog=self.catalog,
                vllm=self.serving.vllm,
                for_agents=self.for_agents,
            )
        return self.remembered[key]

    def _placement(self, pool: Pool, decisions: Sequence[RoleDecision], problems: list[Problem]) -> Placement:
        demands = _demands(decisions, pool)
        placement = place(pool, demands)
        if placement.unplaced:
            wanted = sum(replicas * gpus for _, replicas, gpus in demands)
            asked = ", ".join(f"{role}: {replicas} × {gpus}" for role, replicas, gpus in demands)
            problems.append(
                Problem(
                    where=pool.where,
                    cause="no-room",
                    found=f"{pool.nodes} × {pool.gpus_per_node} {pool.accelerator.name} = {pool.gpus} GPUs; "
                    f"the models ask for {wanted} ({asked})",
                    why=f"no node has room for {len(placement.unplaced)} of the replicas "
                    f"({', '.join(sorted(set(placement.unplaced)))}); they would stay Pending",
                    fix=f"raise {pool.where}.nodes or gpusPerNode, or lower replicas, sessions or tensorParallel "
                    "of the models",
                )
            )
        return placement

    def _served(
        self,
        decisions: Sequence[RoleDecision],
        placements: Mapping[str, Placement],
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
                pool=decision.pool,
                replicas=decision.replicas,
                weights_gib=stored_gib(decision.choice),
            )
            try:
                serving.append(self._serving(decision, placements[decision.pool.name], timeouts, cache))
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
            pool=decision.pool,
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
            one_node=on_one_node(cache, decision.pool),
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


def _demands(decisions: Iterable[RoleDecision], pool: Pool) -> list[tuple[str, int, int]]:
    """Return what the roles of a pool ask of it: role, replicas and GPUs of each."""
    return [
        (decision.role.role, decision.replicas, decision.choice.tensor_parallel)
        for decision in decisions
        if decision.choice is not None and decision.pool.name == pool.name
    ]


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


def unknown_names(raw: object, catalog: Catalog) -> list[Problem]:
    """Look up whatever names a malformed config still holds, so that they are reported in the same go."""
    if not isinstance(raw, Mapping):
        return []
    problems = []
    hardware = raw.get("hardware")
    if isinstance(hardware, Mapping):
        pools = {f"platform.hardware.pools[{index}]": pool for index, pool in _entries(hardware.get("pools"))}
        for where, nodes in {"platform.hardware": hardware, **pools}.items():
            for key, look_up in (("tier", catalog.tier), ("accelerator", catalog.accelerator)):
                problems += _look_up(look_up, nodes.get(key), f"{where}.{key}")
    for index, entry in _entries(raw.get("models")):
        problems += _look_up(catalog.model, entry.get("model"), f"platform.models[{index}].model")
    return problems


def _entries(given: object) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Yield the maps of a list with their numbers, whatever else is given."""
    if isinstance(given, Sequence) and not isinstance(given, str):
        yield from ((index, entry) for index, entry in enumerate(given) if isinstance(entry, Mapping))


def _look_up(look_up: object, name: object, where: str) -> list[Problem]:
    if not isinstance(name, str) or not name or not callable(look_up):
        return []
    try:
        look_up(name)
    except UnknownFact as error:
        return [error.problem(where)]
    return []
