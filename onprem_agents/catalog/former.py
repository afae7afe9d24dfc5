"""Names that people bring along: of other engines' files, of older documents, of settings that are called otherwise."""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from onprem_agents.catalog.fact import Fact, Source


class FormerModel(Fact):
    """Names of models that are not served, what became of them, and what to take instead.

    Either `names` are told, in any case, or `marks`, a pattern that names of one kind have in them. `cut` is what a
    name of that kind has more than the model's own. `instead` are names of models of the catalogue; where there are
    none, the name tells which model it is of.
    """

    names: tuple[str, ...] = ()
    marks: str | None = None
    cut: str | None = None
    became: str = Field(min_length=10)
    instead: tuple[str, ...] = ()
    source: Source

    @field_validator("marks", "cut")
    @classmethod
    def _pattern(cls, text: str | None) -> str | None:
        if text is not None:
            re.compile(text)
        return text

    @model_validator(mode="after")
    def _consistent(self) -> FormerModel:
        if bool(self.names) == (self.marks is not None):
            raise ValueError("either names or marks, not both and not neither")
        if self.names and not self.instead:
            raise ValueError(f"{self.names[0]}: what to take instead is not said")
        return self

    def means(self, name: str) -> bool:
        """Return whether this is about a model of that name."""
        wanted = name.casefold()
        if self.marks is None:
            return wanted in {known.casefold() for known in self.names}
        return re.search(self.marks, wanted) is not None

    def stripped(self, name: str) -> str:
        """Return the name without what those of this kind have more than the model's own."""
        rest = re.sub(self.cut, "", name.casefold()) if self.cut else name.casefold()
        return re.sub(r"[:\s]+", "-", rest).strip("-")


class FormerSetting(Fact):
    """A key, or values of one, that stand in other people's manifests and mean nothing, or something else, here.

    `key` is a key of the stack without the places in lists; without `values`, the key itself is meant. In `instead`,
    `{section}` stands for the section that holds the key, with its place.
    """

    key: str
    values: tuple[str, ...] = ()
    became: str = Field(min_length=10)
    instead: str = Field(min_length=3)
    source: Source

    def means(self, key: str, value: object) -> bool:
        """Return whether this is about that key and value."""
        if key != self.key:
            return False
        return not self.values or str(value).casefold() in {known.casefold() for known in self.values}
