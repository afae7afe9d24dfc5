"""How much a role thinks where a request says nothing: from the setting, the model's family and the release.

Coding agents make many short turns, so where nothing is said a model thinks little: the least effort that it tells
apart, else a budget of tokens. What the server can be told goes into its flags; the rest the agents send.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from onprem_agents.catalog import Effort, Model, ThinkingControl
from onprem_agents.stack.settings import ModelRole
from onprem_agents.vllm import Release, version_key

DEFAULT_BUDGET_TOKENS = 2048
"""A page or two. Qwen3.6-27B scored 48.9 without a budget and 76.1 with one in ds4-eval-92, 72.8 without thinking
(entropy-exchange.synaptiq.ai, "Controlling Qwen thinking mode", read 2026-11-28)."""

# vLLM read in its wheels, 2026-11: 0.19 must be told a parser's marks, 0.20 knows them; from 0.28 on the words that
# end a thought may be others than the mark by which the model ends it itself.
_MARKS_KNOWN_SINCE = (0, 20)
_CLOSING_SINCE = (0, 28)
DEFAULTS_SINCE, BUDGETS_SINCE = "0.14.1", "0.19.1"
"""The first of the known releases with defaults of the template's arguments, and with budgets."""

_SHORT_TURNS = "many short turns serve agents better than long thoughts"


@dataclass(frozen=True, kw_only=True)
class Thinking:
    """What holds where a request says nothing. `control` is None for a model that nobody has looked into."""

    on: bool
    budget_tokens: int | None
    effort: Effort | None
    because: str
    control: ThinkingControl | None

    @property
    def default(self) -> Literal["on", "off"]:
        """The word for it, as settings and contract say it."""
        return "on" if self.on else "off"

    def said(self) -> str:
        """Return it in words: `on, budget 2,048 tokens`."""
        parts: list[str] = [self.default]
        if self.effort is not None:
            parts.append(f"effort {self.effort}")
        if self.budget_tokens is not None:
            parts.append(f"budget {self.budget_tokens:,} tokens")
        return ", ".join(parts)


def thinking_of(
    role: ModelRole,
    model: Model,
    control: ThinkingControl | None,
    release: Release,
    *,
    max_output_tokens: int,
) -> Thinking | None:
    """Return how much a role thinks, None for a model that never does; its settings are taken as they stand."""
    if not model.reasoning:
        return None
    asked, on = role.thinking, model.thinking != "off"
    if control is None:
        because = "nothing is known of what steers it"
        return Thinking(on=on, budget_tokens=None, effort=None, because=because, control=None)
    because = "the stack says so"
    effort, budget = asked.effort, asked.budget_tokens
    if asked.default != "auto":
        on = asked.default == "on"
    elif effort is not None or budget is not None:
        on = True
    elif not on:
        because = f"it thinks only where that is asked for, and {_SHORT_TURNS}"
    elif control.efforts and takes_effort(control, release):
        effort = control.efforts[0]
        because = f"{effort} is the least effort that it tells apart, and {_SHORT_TURNS}"
    elif (obstacle := no_budget(control, release)) is not None:
        because = f"nothing bounds its thoughts: {obstacle}"
    elif max_output_tokens < 2 * DEFAULT_BUDGET_TOKENS:
        because = f"a budget leaves no room for the answer within {max_output_tokens} tokens"
    else:
        budget = DEFAULT_BUDGET_TOKENS
        because = f"it knows no efforts, and {_SHORT_TURNS}"
    return Thinking(on=on, budget_tokens=budget, effort=effort, because=because, control=control)


def template_arguments(thinking: Thinking | None, model: Model, release: Release) -> dict[str, Any] | None:
    """Return the value of `--default-chat-template-kwargs`, None where the model's own defaults do."""
    if thinking is None or thinking.control is None or not takes_defaults(release):
        return None
    control, arguments = thinking.control, dict[str, Any]()
    if control.switch is not None and (control.always_told or thinking.on != (model.thinking != "off")):
        arguments[control.switch] = control.switched_on if thinking.on else control.switched_off
    if thinking.effort is not None and control.efforts_by_server:
        arguments["reasoning_effort"] = thinking.effort
    if thinking.budget_tokens is not None and control.budget_argument is not None:
        arguments[control.budget_argument] = thinking.budget_tokens
    return arguments or None


def reasoning_config(thinking: Thinking | None, release: Release) -> dict[str, str] | None:
    """Return the value of `--reasoning-config`, None where the parser's own marks do."""
    if thinking is None or thinking.control is None or thinking.budget_tokens is None:
        return None
    marks = thinking.control.marks
    if marks is None or "--reasoning-config" not in release.options():
        return None
    version = version_key(release.release)
    if version < _MARKS_KNOWN_SINCE:
        return {"reasoning_start_str": marks.start, "reasoning_end_str": marks.end}
    if marks.closing and version >= _CLOSING_SINCE:
        return {"reasoning_end_str": f"{marks.closing}{marks.end}"}
    return None


def takes_defaults(release: Release) -> bool:
    """Return whether a server of that release can be told defaults of the template's arguments."""
    return "--default-chat-template-kwargs" in release.options()


def takes_effort(control: ThinkingControl, release: Release) -> bool:
    """Return whether an effort reaches the model: by the server's defaults, or by what agents send."""
    return not control.efforts_by_server or takes_defaults(release)


def no_budget(control: ThinkingControl, release: Release) -> str | None:
    """Return why no budget can be kept, None where one can."""
    if not control.takes_budgets:
        return "vLLM cannot tell where its thoughts begin and end"
    if control.budget_argument is not None and takes_defaults(release):
        return None
    if "--reasoning-config" not in release.options():
        return f"vLLM {release.release} keeps no budgets, {BUDGETS_SINCE} does"
    return None
