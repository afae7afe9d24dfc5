"""How much a served model thinks where a request says nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from onprem_agents.catalog import Effort
from onprem_agents.stack.section import Section, contradiction

# vLLM's Messages API takes no smaller budget (0.33.0, entrypoints/anthropic/protocol.py, read 2026-11).
BudgetTokens = Annotated[int, Field(strict=True, ge=1024, le=1_048_576)]

TemplateArgument = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,40}\z")]


def _word(value: Any) -> Any:
    """YAML 1.1 reads a bare on as true and off as false, and so does the reader of stack files."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


class Thinking(Section):
    """How much a model thinks before it answers, where a request says nothing; agents are set up alike."""

    default: Annotated[Literal["on", "off", "auto"], BeforeValidator(_word)] = Field(
        default="auto",
        description="on: as long as the model likes; off: not at all; auto: little, as suits agents: the least effort "
        "that the model knows, else a budget of tokens.",
    )
    budget_tokens: BudgetTokens | None = Field(
        default=None,
        description="Most tokens of thought in one answer. Left out: 2048 where 'default' is auto and the model knows "
        "no efforts, else no limit.",
    )
    effort: Effort | None = Field(
        default=None,
        description="Effort of reasoning, of those that the model tells apart. Left out: the least of them where "
        "'default' is auto, else the model's own.",
    )

    @model_validator(mode="after")
    def _agreed(self) -> Thinking:
        beside = [
            name
            for name, value in (("budgetTokens", self.budget_tokens), ("effort", self.effort))
            if value is not None
        ]
        if self.default == "off" and beside:
            raise contradiction(
                f"default off beside {' and '.join(beside)}",
                "a model that does not think uses up neither tokens nor effort",
                f"remove {' and '.join(beside)}, or set default to on",
            )
        return self


class ServedThinking(Section):
    """How much a server's model thinks where a request says nothing; agents and proxies ask for the same."""

    default: Literal["on", "off"] = Field(description="Whether it thinks where a request says nothing.")
    budget_tokens: BudgetTokens | None = Field(
        default=None, description="Most tokens of thought that agents ask for. Left out: they set no limit."
    )
    effort: Effort | None = Field(
        default=None, description="Effort that agents ask for. Left out: they ask for none."
    )
    efforts: tuple[Effort, ...] = Field(
        default=(), description="Efforts that the model tells apart. Left out: none."
    )
    switch: TemplateArgument | None = Field(
        default=None,
        description="Argument of the chat template that switches thinking off by false, e.g. enable_thinking. Left "
        "out: a request cannot switch it off.",
    )

    def request_fields(self) -> dict[str, Any]:
        """Return the fields of a chat request that ask vLLM for it, whatever else the request says of thinking."""
        if self.default == "off":
            # An effort switches enable_thinking on unless a request says it, whatever the template calls its own switch
            # (vLLM 0.22.1 to 0.33.0, chat_completion/protocol.py, read 2026-11-28).
            switches = {"enable_thinking", self.switch} if self.switch is not None else ()
            return {"chat_template_kwargs": dict.fromkeys(sorted(switches), False)} if switches else {}
        told = {"reasoning_effort": self.effort, "thinking_token_budget": self.budget_tokens}
        return {name: value for name, value in told.items() if value is not None}
