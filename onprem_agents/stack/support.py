"""Where developers turn when something is wrong: part of the settings, and told to them in the contract."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from onprem_agents.stack.domain import PageUrl, Prose
from onprem_agents.stack.section import Section


class Support(Section):
    """Who helps developers, and where they see whether the platform is well."""

    address: Prose | None = Field(
        default=None,
        description="Whom developers ask: a mail address, a channel or a page, as they know it. Left out: nobody is "
        "named.",
    )
    status_page: PageUrl | None = Field(
        default=None,
        description="Address of the page that tells of outages. Left out: none is named.",
    )

    @property
    def lines(self) -> tuple[str, ...]:
        """What a developer is told, a line each."""
        told = (("Is the platform well?", self.status_page), ("Help:", self.address))
        return tuple(f"{what} {where}" for what, where in told if where is not None)


ToldSupport = Annotated[
    Support | None,
    Field(
        description="Where developers turn when something is wrong: 'onprem-agents setup' and 'doctor' tell it. Left "
        "out: they are told to ask the platform team."
    ),
]
