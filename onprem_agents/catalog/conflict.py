"""Options of vLLM that do harm together, or with some models: dated, with who says so."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from onprem_agents.catalog.fact import Fact, Source


class Side(Fact):
    """One option in the state in which it meets the others.

    `switch` is the value of a switch, given or by default; `method` the end of the method in a speculative
    configuration; `below` a figure that is given and too small: `one-image` is the model's `image_batch_tokens`.
    """

    option: str = Field(pattern=r"^--[a-z][a-z0-9-]+$")
    switch: bool | None = None
    method: str | None = None
    below: Literal["one-image"] | None = None

    @model_validator(mode="after")
    def _one_state(self) -> Side:
        if sum(state is not None for state in (self.switch, self.method, self.below)) != 1:
            raise ValueError(f"{self.option}: exactly one of switch, method and below")
        return self


class Conflict(Fact):
    """What meets what, and what comes of it; one side alone meets the families.

    `families` are those of the catalogue's models, none for any. `since` is the first release that shows it, `until`
    the first that is established not to; null: none is. With `stops-at-start` vLLM itself refuses; `wrong-answers`
    nobody refuses. `gives_way` is the option that a plan leaves out where the stack does not say all of them; null
    where the plan cannot come to it, or must refuse.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]+$")
    sides: tuple[Side, ...] = Field(min_length=1)
    families: tuple[str, ...] = ()
    since: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    until: str | None = Field(default=None, pattern=r"^\d+\.\d+\.\d+$")
    effect: Literal["stops-at-start", "wrong-answers"]
    symptom: str = Field(min_length=10)
    advice: str = Field(min_length=10)
    gives_way: str | None = None
    sources: tuple[Source, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _own_side(self) -> Conflict:
        if len(self.sides) == 1 and not self.families:
            raise ValueError(f"{self.name}: one side alone does harm with some families only")
        if self.gives_way is not None and self.gives_way not in {side.option for side in self.sides}:
            raise ValueError(f"{self.name}: {self.gives_way} is none of its sides")
        return self

    @property
    def told_by(self) -> str:
        """Its name, the threads and files that say so, and the last day on which they were read."""
        read = max(source.read for source in self.sources)
        return f"{self.name}: {', '.join(source.where for source in self.sources)}; read {read}"
