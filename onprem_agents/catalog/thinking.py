"""How the thinking of models is steered: what a request or a server can say to them, family by family."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field, model_validator

from onprem_agents.catalog.fact import Fact, Source
from onprem_agents.catalog.model import Model

Effort = Literal["minimal", "low", "medium", "high", "xhigh", "max"]
"""The efforts that vLLM reads in a request, the weakest first; `none` switches thinking off (0.33.0, 2026-11)."""


class Marks(Fact):
    """The texts around the thoughts; `closing` is what ends them in the model's own words where a budget is used up."""

    start: str = Field(min_length=1)
    end: str = Field(min_length=1)
    closing: str = ""


class ThinkingControl(Fact):
    """What steers the thinking of the models of one reasoning parser, or of those that are named.

    `switch` is the argument of the chat template that switches thinking on and off, null where nothing does; a model
    is told each time where `always_told`, since releases differ in what holds otherwise. `efforts` are those that the
    model tells apart, the weakest first; `efforts_by_server` says whether the server's own defaults reach them. A
    budget is counted by vLLM between `marks`, or by the model itself under the template's `budget_argument`; without
    either there is none. A model whose tools do not work while it thinks has `calls_while_thinking: false`.
    """

    reasoning_parser: str | None = None
    models: tuple[str, ...] = ()
    switch: str | None = None
    switched_on: bool | str | int = True
    switched_off: bool | str | int = False
    always_told: bool = False
    efforts: tuple[Effort, ...] = ()
    efforts_by_server: bool = True
    marks: Marks | None = None
    budget_argument: str | None = None
    calls_while_thinking: bool = True
    source: Source

    @model_validator(mode="after")
    def _of_something(self) -> ThinkingControl:
        if (self.reasoning_parser is None) == (not self.models):
            raise ValueError("say either the reasoning parser or the models that it is about")
        return self

    @property
    def takes_budgets(self) -> bool:
        """Whether the number of tokens that it thinks can be bounded."""
        return self.marks is not None or self.budget_argument is not None


def control_of(model: Model, controls: Iterable[ThinkingControl]) -> ThinkingControl | None:
    """Return what steers a model, None for one that does not think or that nobody has looked into."""
    if not model.reasoning:
        return None
    by_name = [control for control in controls if model.name in control.models]
    by_parser = [control for control in controls if control.reasoning_parser == model.reasoning_parser]
    return next(iter((*by_name, *(by_parser if model.reasoning_parser is not None else ()))), None)
