"""The KServe release of a cluster, as a setting says it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from onprem_agents.catalog import load_catalog
from onprem_agents.errors import Finding, UnknownFact
from onprem_agents.stack.untrusted import Shape, refusal


def _no_number(value: object) -> object:
    """Refuse what YAML has made a number: 0.20 without quotes is 0.2, another release."""
    if isinstance(value, (int, float)):
        raise refusal(
            Finding(
                cause="bad-value",
                found="",
                why="it is a number, and as one 0.20 is the same as 0.2: which release is meant is lost",
                fix="write it in quotes, such as '0.20'",
            )
        )
    return value


def _taken(version: str) -> str:
    try:
        load_catalog().kserve(version)
    except UnknownFact:
        software = load_catalog().software("KServe")
        raise refusal(
            Finding(
                cause="release-too-old",
                found="",
                why=f"KServe before {software.least} refuses the model servers: {software.refused}",
                fix=f"upgrade KServe in the cluster, to {software.newest} for instance, and say that release",
            )
        ) from None
    return version


KserveVersion = Annotated[
    str,
    Shape(
        "[0-9]{1,3}[.][0-9]{1,3}([.][0-9]{1,3})?",
        "a release of KServe: two or three numbers with dots between them",
        "0.20.0 or 0.20",
        published=False,
    ),
    AfterValidator(_taken),
    BeforeValidator(_no_number),
]
