"""One role decided: its checkpoint, its share of the GPUs and its replicas, or what keeps it from fitting."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from onprem_agents.catalog import Catalog, Model, Variant
from onprem_agents.contract.limits import output_cap_tokens
from onprem_agents.errors import Problem, UnknownFact
from onprem_agents.plan.additions import additions
from onprem_agents.plan.choice import Choice, choose, nearest_of, replicas_of, variants_to_try
from onprem_agents.plan.extra_args import extra_flags
from onprem_agents.plan.known_conflicts import Settled, settle
from onprem_agents.plan.maker import release_on
from onprem_agents.plan.own_flags import contradiction, own_flags
from onprem_agents.plan.pool import Pool
from onprem_agents.plan.release_fitness import obstacles, parser_problems, release_problems
from onprem_agents.plan.sampling import sampling_problems
from onprem_agents.plan.substitute import substitutes
from onprem_agents.plan.thinking_problems import thinking_problems
from onprem_agents.plan.ways_out import (
    Way,
    checkpoint_steps,
    joined,
    key_of,
    precisions_that_fit,
    ways_out,
)
from onprem_agents.sizing import fit
from onprem_agents.sizing.changes import ROLE_FIELDS
from onprem_agents.sizing.refusals import Refusal
from onprem_agents.stack.settings import ModelRole
from onprem_agents.vllm import Release, nearest_release

# Contexts that a session may be cut down to where sessions are what is asked for; below, no agent works.
_SHORTER_CONTEXTS_TOKENS = (98_304, 65_536, 49_152, 32_768)
_MOST_REPLICAS = 256


@dataclass(frozen=True, kw_only=True)
class RoleDecision:
    """The outcome for one role: a choice, or problems and the ways out of not fitting.

    `nearest` is the choice, or the candidate that failed least. `judged_by` is the release whose facts were used.
    """

    role: ModelRole
    pool: Pool
    vllm: str
    judged_by: Release
    choice: Choice | None
    replicas: int
    problems: tuple[Problem, ...]
    nearest: Choice | None = None
    ways: tuple[Way, ...] = ()
    notes: tuple[str, ...] = ()
    """What was decided against the letter of the role, or harms although it was asked for."""

    def fitted(self) -> Choice:
        """Return the choice of a role that has one."""
        if self.choice is None:
            raise ValueError(f"role {self.role.role} has no choice that fits")
        return self.choice


def decide_role(
    role: ModelRole,
    *,
    where: str,
    pool: Pool,
    catalog: Catalog,
    vllm: str | None,
    for_agents: bool = True,
) -> RoleDecision:
    """Decide one role. `where` is its config key; `vllm` the release that the stack asks for, if any.

    `for_agents` is False where nobody works with an agent: then a model that calls no tools will do.
    """
    version = release_on(pool.accelerator, vllm)
    release = nearest_release(version)
    decider = _Decider(
        role=role,
        where=where,
        pool=pool,
        catalog=catalog,
        version=version,
        release=release,
        for_agents=for_agents,
    )
    try:
        model, named = catalog.model_and_variant(role.model)
    except UnknownFact as error:
        return decider.refused(error.problem(f"{where}.model"))
    try:
        variants = variants_to_try(model, named, role, pool.accelerator, release)
    except UnknownFact as error:
        return decider.refused(decider.unknown_precision(error, model))
    settled = settle(role, model, catalog=catalog, version=version, where=where)
    return replace(decider, role=settled.role).decide(model, variants, settled)


@dataclass(frozen=True, kw_only=True)
class _Decider:
    role: ModelRole
    where: str
    pool: Pool
    catalog: Catalog
    version: str
    release: Release
    for_agents: bool

    def decide(self, model: Model, variants: Sequence[Variant], settled: Settled) -> RoleDecision:
        """Choose among the checkpoints, and say all that is wrong with the role at once."""
        role, where, pool = self.role, self.where, self.pool
        problems = [
            *self._release_problems(model, variants[0]),
            *parser_problems(role, where=where, version=self.version, release=self.release),
            *self._contradictions(model, variants[0]),
            *settled.problems,
        ]
        asked = _without(role, problems, where)
        choice, tried = choose(asked, model, variants, pool, release=self.release)
        nearest, ways = choice or nearest_of(tried), tuple[Way, ...]()
        given = additions(
            role,
            model,
            own_flags(model, variants[0] if nearest is None else nearest.variant, self.release),
            pool,
            where=where,
            version=self.version,
            release=self.release,
            catalog=self.catalog,
        )
        problems += given.problems
        if choice is not None:
            problems += self._too_few_sessions(asked, choice)
        elif nearest is not None:
            ways = ways_out(asked, nearest, pool, catalog=self.catalog, release=self.release, where=where)
            problems.append(_does_not_fit(nearest, ways, where, pool))
        problems += self._thinking_problems(model, nearest)
        problems += sampling_problems(role, self.release, where=where)
        plugin = extra_flags(role.extra_args, self.release.release).tool_parser_plugin
        if self.for_agents and model.tool_call_parser is None and None in (role.tool_call_parser, plugin):
            problems.append(self._no_tool_calls(model))
        return RoleDecision(
            role=role,
            pool=pool,
            vllm=self.version,
            judged_by=self.release,
            choice=choice,
            replicas=replicas_of(role, choice) if choice is not None else 0,
            problems=tuple(problems),
            nearest=nearest,
            ways=ways,
            notes=(*settled.notes, *given.notes),
        )

    def _release_problems(self, model: Model, variant: Variant) -> list[Problem]:
        others = (
            checkpoint_steps(self.role, model, other, where=self.where)
            for other in model.variants
            if not any(obstacles(model, other, self.release, version=self.version))
            and choose(self.role, model, (other,), self.pool, release=self.release)[0] is not None
        )
        return release_problems(model, variant, version=self.version, release=self.release, others=others)

    def refused(self, problem: Problem) -> RoleDecision:
        """Return the decision on a role whose model or checkpoint is unknown."""
        return RoleDecision(
            role=self.role,
            pool=self.pool,
            vllm=self.version,
            judged_by=self.release,
            choice=None,
            replicas=0,
            problems=(problem,),
        )

    def unknown_precision(self, error: UnknownFact, model: Model) -> Problem:
        """Return what is wrong with a precision that the model does not come in."""
        key = f"{self.where}.precision"
        known = precisions_that_fit(self.role, model, self.pool, release=self.release)
        return replace(
            error.problem(key),
            why=f"{model.name} has no checkpoint in that precision",
            fix="; or ".join([*(f"set {key} to {precision}" for precision in known), f"leave out {key}"]),
        )

    def _contradictions(self, model: Model, variant: Variant) -> Iterator[Problem]:
        """Yield settings of the role that the model itself rules out."""
        role, where = self.role, self.where
        longest = model.architecture.max_context_tokens
        if role.context is not None and role.context > longest:
            yield Problem(
                where=f"{where}.context",
                cause="context-too-long",
                found=f"{role.context} tokens",
                why=f"{model.name} was trained for {longest} tokens; vLLM refuses more",
                fix=f"set {where}.context to {longest}",
            )
        if role.speculative_tokens and model.speculative is None:
            lacks = (
                "has no layers that draft tokens"
                if not model.architecture.mtp_layers
                else "is not known to draft"
            )
            yield Problem(
                where=f"{where}.speculativeTokens",
                cause="no-speculation",
                found=f"{role.speculative_tokens} tokens",
                why=f"{model.name} {lacks}, so nothing would be speculated",
                fix=f"leave out {where}.speculativeTokens",
            )
        if role.vision and not model.multimodal:
            yield Problem(
                where=f"{where}.vision",
                cause="contradiction",
                found="true",
                why=f"{model.name} has no encoder of images",
                fix=f"leave out {where}.vision, or take a model that sees ('onprem-agents catalog' tells)",
            )
        own = own_flags(model, variant, self.release)
        clash = contradiction(own, role.kv_cache_dtype, where=where, model=model)
        if clash is not None:
            yield clash

    def _thinking_problems(self, model: Model, nearest: Choice | None) -> Iterator[Problem]:
        return thinking_problems(
            self.role,
            model,
            self.catalog.thinking_control(model),
            self.release,
            where=self.where,
            max_output_tokens=output_cap_tokens(nearest.request.context_tokens) if nearest else None,
        )

    def _too_few_sessions(self, role: ModelRole, choice: Choice) -> list[Problem]:
        replicas = replicas_of(role, choice)
        held = choice.fit.sessions * replicas
        if role.sessions is None or held >= role.sessions:
            return []
        return [
            Problem(
                where=f"{self.where}.sessions",
                cause="too-few-sessions",
                found=f"{role.sessions} sessions of {choice.request.context_tokens} tokens; "
                f"{replicas} replicas hold {held}",
                why="further sessions would queue behind whole turns or evict each other's cache",
                fix="; or ".join(
                    [*self._more_sessions(role, choice), f"set {self.where}.sessions to {held}"]
                ),
            )
        ]

    def _more_sessions(self, role: ModelRole, choice: Choice) -> Iterator[str]:
        """Yield settings with which the sessions that are asked for are held."""
        wanted = role.sessions or 0
        replicas = math.ceil(wanted / choice.fit.sessions)
        if replicas <= _MOST_REPLICAS:
            yield f"set {self.where}.replicas to {replicas}"
        changes: list[dict[str, Any]] = [
            {"context": tokens}
            for tokens in _SHORTER_CONTEXTS_TOKENS
            if tokens < choice.request.context_tokens
        ]
        if role.kv_cache_dtype == "auto" and choice.own.kv_cache_dtype is None:
            changes.insert(0, {"kv_cache_dtype": "fp8"})
        told: set[str] = set()
        for change in changes:
            ((field, value),) = change.items()
            if field in told:
                continue
            changed = role.model_copy(update=change)
            other, _ = choose(changed, choice.model, (choice.variant,), self.pool, release=self.release)
            if other is not None and other.fit.sessions * replicas_of(changed, other) >= wanted:
                told.add(field)
                yield f"set {self.where}.{key_of(field)} to {value}"

    def _no_tool_calls(self, model: Model) -> Problem:
        others = (other for other in substitutes(model, self.catalog) if self._serves(other))
        instead = next(others, None)
        return Problem(
            where=f"{self.where}.model",
            cause="no-tool-calls",
            found=model.name,
            why="no tool-call parser of vLLM reads its calls: agents could talk to it but not edit files",
            fix=f"set {self.where}.model to {instead.name}"
            if instead is not None
            else "take a model that calls tools ('onprem-agents catalog' lists them)",
        )

    def _serves(self, model: Model) -> bool:
        """Return whether the role would be served by that model, all else as it is."""
        role = self.role.model_copy(update={"model": model.name})
        if role.context is not None and role.context > model.architecture.max_context_tokens:
            return False
        try:
            variants = variants_to_try(model, None, role, self.pool.accelerator, self.release)
        except UnknownFact:
            return False
        choice, _ = choose(role, model, variants, self.pool, release=self.release)
        return choice is not None and not any(
            obstacles(model, choice.variant, self.release, version=self.version)
        )


def _without(role: ModelRole, problems: Sequence[Problem], where: str) -> ModelRole:
    """Return the role without the settings that are refused already, so that the rest of it can be sized."""
    unsaid = ("context", "kv_cache_dtype", "max_num_batched_tokens")
    open_fields = {**dict.fromkeys(unsaid), "speculative_tokens": 0}
    refused = {problem.where for problem in problems}
    return role.model_copy(
        update={field: value for field, value in open_fields.items() if f"{where}.{key_of(field)}" in refused}
    )


def _does_not_fit(nearest: Choice, ways: Sequence[Way], where: str, pool: Pool) -> Problem:
    account, request = nearest.fit, nearest.request
    terms = ", ".join(f"{term.name} {term.gib:.1f}" for term in account.terms)
    key = _key(account.refusals, where)
    told = f": {terms} of {account.gpu_total_gib:.1f} GiB a GPU" if terms else ""
    return Problem(
        where=key,
        cause="does-not-split" if key == f"{where}.tensorParallel" else "does-not-fit",
        found=f"{nearest.variant.hf_id} ({nearest.variant.precision}) with {request.context_tokens} tokens on "
        f"{nearest.tensor_parallel} × {pool.accelerator.name}{told}",
        why="; ".join((*account.problems, *_pipeline(nearest, pool))),
        fix=joined(ways),
    )


def _key(refusals: Sequence[Refusal], where: str) -> str:
    """Return the key at fault: that of a setting which alone is refused, else the model as a whole."""
    first = refusals[0]
    about_memory = first.cause.startswith("no-room") or len({one.setting for one in refusals}) > 1
    field = None if about_memory else ROLE_FIELDS.get(first.setting)
    return f"{where}.{key_of(field)}" if field is not None else f"{where}.model"


def _pipeline(nearest: Choice, pool: Pool) -> tuple[str, ...]:
    """Return that several nodes would hold it together, where they would: a stack gives each replica one node."""
    if nearest.tensor_parallel != pool.gpus_per_node:
        return ()
    for nodes in range(2, pool.nodes + 1):
        if fit(replace(nearest.request, pipeline_parallel=nodes)).fits:
            return (f"{nodes} nodes would hold it as a pipeline, but a stack gives each replica one node",)
    return ()
