"""One role decided: its checkpoint, its share of the GPUs and its replicas, or what keeps it from fitting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from onprem_agents.catalog import Catalog, Model, Variant
from onprem_agents.errors import Problem, UnknownFact, nearest_hint
from onprem_agents.plan.choice import Choice, candidates, variants_to_try
from onprem_agents.plan.pool import Pool
from onprem_agents.sizing import fit, nearest_tier_that_fits
from onprem_agents.sizing.divisibility import most_gpus_together
from onprem_agents.stack.domain import LEAST_CONTEXT_TOKENS
from onprem_agents.stack.settings import ModelRole
from onprem_agents.vllm import load_release, version_key

# An agent that finds no second slot waits for the whole turn of the first one.
_COMFORTABLE_SESSIONS = 2


@dataclass(frozen=True, kw_only=True)
class RoleDecision:
    """The outcome for one role: a choice, or problems. `nearest` is the choice, or the candidate that failed least."""

    role: ModelRole
    vllm: str
    choice: Choice | None
    replicas: int
    problems: tuple[Problem, ...]
    nearest: Choice | None = None

    def fitted(self) -> Choice:
        """Return the choice of a role that has one."""
        if self.choice is None:
            raise ValueError(f"role {self.role.role} has no choice that fits")
        return self.choice


def decide_role(
    role: ModelRole, *, where: str, pool: Pool, catalog: Catalog, vllm: str | None
) -> RoleDecision:
    """Decide one role. `where` is its config key; `vllm` the release that the stack asks for, if any."""
    release = vllm or catalog.vllm().version
    try:
        model, named = catalog.model_and_variant(role.model)
        variants = variants_to_try(model, named, role, pool.accelerator)
    except UnknownFact as error:
        return RoleDecision(
            role=role,
            vllm=release,
            choice=None,
            replicas=0,
            problems=(error.problem(f"{where}.{_key_of(error)}"),),
        )
    problems = [*_release_problems(role, model, variants[0], where=where, release=release)]
    if role.context is not None and role.context > model.architecture.max_context_tokens:
        problems.append(_beyond_the_model(role.context, model, where))
    tried: list[Choice] = []
    choice = _choose(role, model, variants, pool, tried)
    if choice is None and not any(problem.where == f"{where}.context" for problem in problems):
        problems.append(_does_not_fit(role, tried, where, pool))
    replicas = _replicas(role, choice) if choice is not None else 0
    if choice is not None:
        problems += _too_few_sessions(role, choice, replicas, where)
    return RoleDecision(
        role=role,
        vllm=release,
        choice=choice,
        replicas=replicas,
        problems=tuple(problems),
        nearest=choice or _nearest(tried),
    )


def _choose(
    role: ModelRole, model: Model, variants: Sequence[Variant], pool: Pool, tried: list[Choice]
) -> Choice | None:
    """Return the best candidate of the first checkpoint that fits, or None; `tried` takes all that were looked at.

    With sessions asked for and replicas open, the best is the one that needs the fewest GPUs for them; otherwise
    the first that holds the sessions of a replica, else the first that fits.
    """
    for variant in variants:
        found = list(candidates(model, variant, role, pool))
        tried += found
        fitting = [candidate for candidate in found if candidate.fit.fits]
        if not fitting:
            continue
        if role.sessions is not None and role.replicas is None:
            return min(fitting, key=lambda choice: _replicas(role, choice) * choice.tensor_parallel)
        wanted = _sessions_per_replica(role)
        return next((choice for choice in fitting if choice.fit.sessions >= wanted), fitting[0])
    return None


def _sessions_per_replica(role: ModelRole) -> int:
    if role.sessions is None or role.replicas is None:
        return _COMFORTABLE_SESSIONS
    return math.ceil(role.sessions / role.replicas)


def _replicas(role: ModelRole, choice: Choice) -> int:
    if role.replicas is not None:
        return role.replicas
    if role.sessions is None:
        return 1
    return math.ceil(role.sessions / choice.fit.sessions)


def _too_few_sessions(role: ModelRole, choice: Choice, replicas: int, where: str) -> list[Problem]:
    held = choice.fit.sessions * replicas
    if role.sessions is None or held >= role.sessions:
        return []
    return [
        Problem(
            where=f"{where}.sessions",
            cause="too-few-sessions",
            found=f"{role.sessions} sessions of {choice.request.context_tokens} tokens; "
            f"{replicas} replicas hold {held}",
            why="further sessions would queue behind whole turns or evict each other's cache",
            fix=f"set {where}.replicas to {math.ceil(role.sessions / choice.fit.sessions)}, lower {where}.context "
            f"or set {where}.kvCacheDtype to fp8",
        )
    ]


def _release_problems(
    role: ModelRole, model: Model, variant: Variant, *, where: str, release: str
) -> list[Problem]:
    problems = []
    needed = max(model.min_vllm, variant.min_vllm or "0", key=version_key)
    if version_key(release) < version_key(needed):
        problems.append(
            Problem(
                where="platform.serving.vllm",
                cause="release-too-old",
                found=f"vLLM {release} for {variant.hf_id}",
                why=f"{model.name} needs vLLM {needed} or newer",
                fix=f"set platform.serving.vllm to {needed} or newer, or leave it out",
            )
        )
    try:
        facts = load_release(release)
    except UnknownFact as error:
        return [
            *problems,
            Problem(
                where="platform.serving.vllm",
                cause="unknown-release",
                found=release,
                why="the flags and parsers of that release are not in the catalogue, so they cannot be checked",
                fix=error.hint,
            ),
        ]
    for key, value, known in (
        ("toolCallParser", role.tool_call_parser, facts.tool_parsers),
        ("reasoningParser", role.reasoning_parser, facts.reasoning_parsers),
    ):
        if value is not None and value not in known:
            problems.append(
                Problem(
                    where=f"{where}.{key}",
                    cause="release-refuses",
                    found=repr(value),
                    why=f"vLLM {release} has no such parser and would stop at start",
                    fix=f"{nearest_hint(value, known)} or leave it out: the model's own is derived",
                )
            )
    return problems


def _beyond_the_model(context: int, model: Model, where: str) -> Problem:
    longest = model.architecture.max_context_tokens
    return Problem(
        where=f"{where}.context",
        cause="context-too-long",
        found=f"{context} tokens",
        why=f"{model.name} was trained for {longest} tokens; vLLM refuses more",
        fix=f"set {where}.context to {longest} or less",
    )


def _does_not_fit(role: ModelRole, tried: Sequence[Choice], where: str, pool: Pool) -> Problem:
    if not tried:
        return Problem(
            where=f"{where}.tensorParallel",
            cause="does-not-split",
            found=f"{pool.gpus_per_node} × {pool.accelerator.name} per node",
            why=f"{role.model} cannot be split over that many GPUs",
            fix="change platform.hardware.gpusPerNode or choose another model",
        )
    nearest = _nearest(tried) or tried[0]
    account = nearest.fit
    terms = ", ".join(f"{term.name} {term.gib:.1f}" for term in account.terms)
    missing = account.problems or ("no room is left for the KV cache of one session",)
    request = nearest.request
    return Problem(
        where=f"{where}.model",
        cause="does-not-fit",
        found=f"{nearest.variant.hf_id} ({nearest.variant.precision}) with {request.context_tokens} tokens on "
        f"{nearest.tensor_parallel} × {pool.accelerator.name}: {terms} of {account.gpu_total_gib:.1f} GiB a GPU",
        why="; ".join((*missing, *_pipeline(nearest, pool))),
        fix=_way_out(nearest, where),
    )


def _pipeline(nearest: Choice, pool: Pool) -> tuple[str, ...]:
    """Return that several nodes would hold it together, where they would: a stack gives each replica one node."""
    if nearest.tensor_parallel != pool.gpus_per_node:
        return ()
    for nodes in range(2, pool.nodes + 1):
        if fit(replace(nearest.request, pipeline_parallel=nodes)).fits:
            return (f"{nodes} nodes would hold it as a pipeline, but a stack gives each replica one node",)
    return ()


def _nearest(tried: Sequence[Choice]) -> Choice | None:
    def nearness(choice: Choice) -> tuple[int, float, int]:
        return choice.fit.largest_context_tokens, choice.fit.kv_pool_gib, choice.tensor_parallel

    return max(tried, key=nearness, default=None)


def _way_out(nearest: Choice, where: str) -> str:
    request = nearest.request
    if most_gpus_together(request.accelerator, request.tensor_parallel) < request.tensor_parallel:
        return f"set {where}.tensorParallel to 1, or leave it out"
    longest = nearest.fit.largest_context_tokens
    if LEAST_CONTEXT_TOKENS <= longest < request.context_tokens:
        return f"lower {where}.context to {longest} or less, or set {where}.kvCacheDtype to fp8"
    smaller = sorted(
        v.precision for v in nearest.model.variants if v.weights_gib < nearest.variant.weights_gib
    )
    hardware = nearest_tier_that_fits(request)
    ways = [f"set {where}.precision to {' or '.join(dict.fromkeys(smaller))}"] if smaller else []
    if hardware is not None:
        ways.append(f"use {hardware.gpus} × {hardware.accelerator.name}, the least that holds it")
    return ", or ".join(ways) or "take a smaller model ('onprem-agents catalog' lists them)"


def _key_of(error: UnknownFact) -> str:
    return "precision" if error.kind.startswith("variant") else "model"
