"""Settings of thinking that a model or a vLLM release rules out: what was found, why, and what to do instead."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.catalog import Model, ThinkingControl
from onprem_agents.errors import Problem
from onprem_agents.plan.thinking import (
    BUDGETS_SINCE,
    DEFAULTS_SINCE,
    no_budget,
    takes_defaults,
    takes_effort,
)
from onprem_agents.stack.settings import ModelRole
from onprem_agents.vllm import Release


def thinking_problems(
    role: ModelRole,
    model: Model,
    control: ThinkingControl | None,
    release: Release,
    *,
    where: str,
    max_output_tokens: int | None,
) -> Iterator[Problem]:
    """Yield settings that the model or the release rules out; the limit of an answer is None where it is open."""
    asked, key = role.thinking, f"{where}.thinking"
    wanted = [name for name in ("default", "budgetTokens", "effort") if _said(role, name)]
    if not wanted:
        return
    if not model.reasoning:
        yield from _of_one_that_never_thinks(asked.default, wanted, model, key)
        return
    if control is None:
        yield Problem(
            where=key,
            cause="not-supported",
            found=", ".join(wanted),
            why=f"nothing is known of what steers the thinking of {model.name}",
            fix=f"leave out {key}",
        )
        return
    yield from _of_the_switch(asked.default, model, control, release, key)
    if asked.default != "off" and not control.calls_while_thinking:
        yield Problem(
            where=f"{key}.{wanted[0]}",
            cause="no-tool-calls",
            found=", ".join(wanted),
            why=f"{model.name} calls tools only while it does not think, and agents work by calling tools",
            fix=f"leave out {key}",
        )
        return
    if asked.effort is not None:
        yield from _of_the_effort(asked.effort, model, control, release, key)
    if asked.budget_tokens is not None:
        yield from _of_the_budget(asked.budget_tokens, model, control, release, key, max_output_tokens)


def _said(role: ModelRole, name: str) -> bool:
    values = {
        "default": role.thinking.default if role.thinking.default != "auto" else None,
        "budgetTokens": role.thinking.budget_tokens,
        "effort": role.thinking.effort,
    }
    return values[name] is not None


def _of_one_that_never_thinks(default: str, wanted: list[str], model: Model, key: str) -> Iterator[Problem]:
    if default == "off":
        return
    yield Problem(
        where=f"{key}.{wanted[0]}",
        cause="not-supported",
        found=", ".join(wanted),
        why=f"{model.name} does not think: it answers at once",
        fix=f"leave out {key}, or take a model that thinks ('onprem-agents catalog' lists them)",
    )


def _of_the_switch(
    default: str, model: Model, control: ThinkingControl, release: Release, key: str
) -> Iterator[Problem]:
    where = f"{key}.default"
    if default == "off" and control.switch is None:
        little = (
            f"set {key}.effort to {control.efforts[0]}"
            if control.efforts
            else f"set {key}.budgetTokens to 1024"
            if no_budget(control, release) is None
            else "take another model"
        )
        yield Problem(
            where=where,
            cause="not-supported",
            found="off",
            why=f"{model.name} always thinks: neither its template nor vLLM can switch that off",
            fix=f"leave it out, or {little}",
        )
    elif default != "auto" and (default == "on") != (model.thinking != "off") and not takes_defaults(release):
        yield _too_old(where, default, "--default-chat-template-kwargs", DEFAULTS_SINCE, release)


def _of_the_effort(
    effort: str, model: Model, control: ThinkingControl, release: Release, key: str
) -> Iterator[Problem]:
    where = f"{key}.effort"
    if effort not in control.efforts:
        known = ", ".join(control.efforts)
        budget = f"set {key}.budgetTokens instead" if no_budget(control, release) is None else "leave it out"
        yield Problem(
            where=where,
            cause="not-supported",
            found=effort,
            why=f"{model.name} tells {f'these efforts apart: {known}' if known else 'no efforts apart'}",
            fix=f"set it to one of them, such as {control.efforts[0]}" if known else budget,
        )
    elif not takes_effort(control, release):
        yield _too_old(where, effort, "--default-chat-template-kwargs", DEFAULTS_SINCE, release)


def _of_the_budget(
    budget: int,
    model: Model,
    control: ThinkingControl,
    release: Release,
    key: str,
    max_output_tokens: int | None,
) -> Iterator[Problem]:
    where, obstacle = f"{key}.budgetTokens", no_budget(control, release)
    if not control.takes_budgets:
        yield Problem(
            where=where,
            cause="not-supported",
            found=str(budget),
            why=f"{model.name}: {obstacle}",
            fix=f"set {key}.effort to {control.efforts[0]} instead"
            if control.efforts
            else "leave it out" + (f", or set {key}.default to off" if control.switch is not None else ""),
        )
    elif obstacle is not None:
        yield _too_old(where, str(budget), "--reasoning-config", BUDGETS_SINCE, release)
    elif max_output_tokens is not None and budget >= max_output_tokens:
        yield Problem(
            where=where,
            cause="contradiction",
            found=f"{budget} of an answer of at most {max_output_tokens} tokens",
            why="thoughts are part of the answer, and vLLM refuses a budget that leaves no room for the rest",
            fix=f"set it to {max(1024, max_output_tokens // 2)}, or raise the context",
        )


def _too_old(where: str, found: str, option: str, since: str, release: Release) -> Problem:
    return Problem(
        where=where,
        cause="release-too-old",
        found=found,
        why=f"vLLM {release.release} has no {option}",
        fix=f"leave it out, or set platform.serving.vllm to {since} or newer",
    )
