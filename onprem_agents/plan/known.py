"""Arguments of which some are not known yet: what is wrong with the others already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onprem_agents.catalog import load_catalog
from onprem_agents.errors import Problem
from onprem_agents.plan.derive_servers import unknown_names
from onprem_agents.plan.plan_parts import names_unknown
from onprem_agents.plan.wording import AS_ARGUMENTS, OF_A_PLATFORM
from onprem_agents.stack.section import Section
from onprem_agents.stack.section_reader import read_section
from onprem_agents.stack.settings import Platform


def problems_of_form(section: type[Section], raw: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the form of arguments, and the names that the catalogue does not know.

    Whether a model fits, or two names clash, only the plan of all of them can say.
    """
    catalog = load_catalog()
    names = (
        OF_A_PLATFORM.problems(unknown_names(raw, catalog))
        if section is Platform
        else names_unknown(section, raw, catalog)
    )
    return [*read_section(section, raw, AS_ARGUMENTS)[1], *names]
