"""Settings and catalogue → `PlatformPlan`, or every problem at once.

Nothing is declared here and nothing is guessed twice: each value that two places need is decided once and
stands in the plan.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic.alias_generators import to_camel

from onprem_agents.catalog import Catalog, load_catalog
from onprem_agents.errors import InvalidInput, Problem, UnknownFact
from onprem_agents.plan.derive_connection import connection_of, stack_name_problems
from onprem_agents.plan.derive_serving import serving_plan
from onprem_agents.plan.platform import PlatformPlan
from onprem_agents.plan.pool import Placement, Pool, place
from onprem_agents.plan.role import RoleDecision, decide_role
from onprem_agents.plan.rollout import choose_rollout
from onprem_agents.plan.serving import ServingPlan
from onprem_agents.plan.timeouts import TimeoutChain, derive_timeouts
from onprem_agents.stack.settings import Hardware, ModelRole, Platform
from onprem_agents.stack.settings_reader import parse_platform

# A token of source code is 3 to 4 bytes; JSON escapes, tool schemas and resent history multiply it.
_BODY_BYTES_PER_TOKEN = 32
# One label of a DNS name (RFC 1035); KServe's domainTemplate puts name and namespace into one (v0.20.0, 2026-08).
_MOST_LABEL_CHARS = 63
# Rules of an HTTPRoute (Gateway API 1.6.1, CRD of the standard channel, read 2026-11).
_MOST_ROUTE_RULES = 16
# Name of the translation proxy's objects (`manifests.endpoints`; a test compares them).
_PROXY_OBJECT = "translation-proxy"
_LEAST_BODY_MIB, _MOST_BODY_MIB = 8, 64


def plan_stack(
    raw: object, *, stack: str, source: str | None = None, catalog: Catalog | None = None
) -> PlatformPlan:
    """Plan the stack from the raw value of `onprem-coding-agents:platform`.

    `source` names the file or stack in errors. Raises `InvalidInput` with all problems: of form, of names the
    catalogue does not know, and of models that do not fit.
    """
    source = source or f"stack {stack}"
    catalog = catalog or load_catalog()
    names = _unknown_names(raw, catalog)
    try:
        settings = parse_platform(raw, source)
    except InvalidInput as error:
        raise InvalidInput(source, [*error.problems, *names, *stack_name_problems(stack)]) from None
    if any(problem.where.startswith("platform.hardware") for problem in names):
        raise InvalidInput(
            source, [*names, *stack_name_problems(stack)]
        )  # without the GPUs nothing else can be judged
    return _Derivation(settings=settings, stack=stack, source=source, catalog=catalog).plan()


@dataclass(frozen=True, kw_only=True)
class _Derivation:
    settings: Platform
    stack: str
    source: str
    catalog: Catalog

    def plan(self) -> PlatformPlan:
        problems = [*stack_name_problems(self.stack), *self._long_names(), *self._clashes()]
        pool = pool_of(self.settings.hardware, self.catalog)
        decisions = self._decisions(pool, problems)
        placement = self._placement(pool, decisions, problems)
        timeouts = derive_timeouts(
            longest_turn_seconds=self.settings.timeouts.longest_turn_seconds,
            load_budget_seconds=self.settings.timeouts.load_budget_seconds,
        )
        serving = self._served(decisions, placement, timeouts, problems)
        if problems:
            raise InvalidInput(self.source, problems)
        return PlatformPlan(
            stack=self.stack,
            settings=self.settings,
            pool=pool,
            placement=placement,
            serving=serving,
            timeouts=timeouts,
            connection=connection_of(
                self.settings, stack=self.stack, serving=serving, timeouts=timeouts, source=self.source
            ),
            request_body_mib=_request_body_mib(max(role.context_tokens for role in serving)),
        )

    def _long_names(self) -> list[Problem]:
        namespace = self.settings.namespace
        return [
            Problem(
                where=f"platform.models[{index}].role",
                cause="name-too-long",
                found=f"{role.role} in the namespace {namespace}",
                why=f"KServe calls the server {role.role}-predictor-{namespace} in its host name, where "
                f"{_MOST_LABEL_CHARS} characters may stand together",
                fix=f"shorten one of them by {excess} characters",
            )
            for index, role in enumerate(self.settings.models)
            if (excess := len(f"{role.role}-predictor-{namespace}") - _MOST_LABEL_CHARS) > 0
        ]

    def _clashes(self) -> Iterator[Problem]:
        """Yield what the stack's own objects leave no room for."""
        settings, most = self.settings, _MOST_ROUTE_RULES
        if settings.translation == "native":
            return
        if settings.translation == "claude-code-router" and len(settings.models) >= most:
            yield Problem(
                where="platform.models",
                cause="contradiction",
                found=f"{len(settings.models)} roles beside the translation claude-code-router",
                why=f"each role and the proxy take a rule of one HTTPRoute, which has room for {most}",
                fix=f"leave out all but {most - 1} roles, or set platform.translation to litellm or native",
            )
        for index, role in enumerate(settings.models):
            if role.role == _PROXY_OBJECT:
                yield Problem(
                    where=f"platform.models[{index}].role",
                    cause="contradiction",
                    found=role.role,
                    why="the proxy's own objects have that name",
                    fix="give the role another name, such as coder",
                )

    def _decisions(self, pool: Pool, problems: list[Problem]) -> list[RoleDecision]:
        decisions = []
        for index, role in enumerate(self.settings.models):
            decision = decide_role(
                role,
                where=f"platform.models[{index}]",
                pool=pool,
                catalog=self.catalog,
                vllm=self.settings.serving.vllm,
            )
            problems.extend(decision.problems)
            decisions.append(decision)
        return decisions

    def _placement(self, pool: Pool, decisions: Sequence[RoleDecision], problems: list[Problem]) -> Placement:
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
            try:
                serving.append(self._serving(decision, placement, timeouts))
            except InvalidInput as error:
                problems += [_at_setting(problem, decision.role, index) for problem in error.problems]
        return tuple(serving)

    def _serving(self, decision: RoleDecision, placement: Placement, timeouts: TimeoutChain) -> ServingPlan:
        choice = decision.fitted()
        rollout = choose_rollout(
            replicas=decision.replicas,
            gpus_per_replica=choice.tensor_parallel,
            free_gpus=placement.largest_free,
        )
        return serving_plan(
            decision.role,
            choice=choice,
            replicas=decision.replicas,
            rollout=rollout,
            timeouts=timeouts,
            settings=self.settings.serving,
            release=decision.vllm,
        )


# Options of vLLM whose settings go by another name; all others go by their own.
_SETTING_OF = {
    "max_model_len": "context",
    "tensor_parallel_size": "tensor_parallel",
    "speculative_config": "speculative_tokens",
    "override_generation_config": "temperature",
}


def _at_setting(problem: Problem, role: ModelRole, index: int) -> Problem:
    """Return the problem of an option of vLLM as that of the setting that it comes from, or of the model."""
    option = problem.where.removeprefix("--").replace("-", "_")
    option = _SETTING_OF.get(option, option)
    said = option in role.model_fields_set
    key = to_camel(option) if said else "model"
    found = problem.found if said else f"{role.model}, which is served with {problem.where} {problem.found}"
    fix = (
        "leave it out"
        if said
        else "set platform.serving.vllm to a release that knows it, or take another model"
    )
    return replace(problem, where=f"platform.models[{index}].{key}", found=found, fix=f"{problem.fix}; {fix}")


def pool_of(hardware: Hardware, catalog: Catalog) -> Pool:
    """Return the pool that the hardware section means. Raises `UnknownFact` for an unknown tier or accelerator."""
    tier = catalog.tier(hardware.tier) if hardware.tier is not None else None
    accelerator = catalog.accelerator(tier.accelerator if tier is not None else str(hardware.accelerator))
    nodes = hardware.nodes or len(hardware.node_names) or (tier.nodes if tier is not None else 1)
    return Pool(
        name=tier.name if tier is not None else accelerator.name.lower().replace(" ", "-"),
        accelerator=accelerator,
        gpus_per_node=hardware.gpus_per_node or (tier.gpus_per_node if tier is not None else 1),
        nodes=nodes,
        node_names=hardware.node_names,
        taint=hardware.taint,
    )


def _request_body_mib(context_tokens: int) -> int:
    mib = math.ceil(context_tokens * _BODY_BYTES_PER_TOKEN / 2**20)
    return min(max(mib, _LEAST_BODY_MIB), _MOST_BODY_MIB)


def _unknown_names(raw: object, catalog: Catalog) -> list[Problem]:
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
