"""Exemptions from a policy: one object, with a reason, until a day."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .graph import Violation

DAY = r"^\d{4}-\d{2}-\d{2}$"
SCHEMA: Mapping[str, Any] = {
    "type": "array",
    "description": "Objects that the policy lets pass for a while, each with a reason.",
    "items": {
        "type": "object",
        "properties": {
            "resource": {
                "type": "string",
                "minLength": 1,
                "description": "As findings name it, `InferenceService agents/coder`, or its name alone.",
            },
            "reason": {"type": "string", "minLength": 1},
            "until": {"type": "string", "pattern": DAY, "description": "The last day, as 2027-01-31."},
        },
        "required": ["resource", "reason", "until"],
        "additionalProperties": False,
    },
}
"""JSON schema of the list, as a policy's configuration takes it."""


def without_exempted(
    violations: Sequence[Violation], exemptions: Sequence[Mapping[str, Any]], *, today: dt.date | None = None
) -> list[Violation]:
    """Return what is left of violations; one whose exemption is over says so.

    An exemption that cannot be read exempts nothing, and says why.
    """
    day = dt.datetime.now(dt.UTC).date() if today is None else today
    return [left for violation in violations for left in _left(violation, exemptions, day)]


def _left(
    violation: Violation, exemptions: Sequence[Mapping[str, Any]], today: dt.date
) -> Iterator[Violation]:
    message = violation.message
    for exemption in exemptions:
        if exemption.get("resource") not in (str(violation.resource), violation.resource.object_name):
            continue
        until = day_of(exemption.get("until"))
        if until is None or not exemption.get("reason"):
            message += (
                f" (Its exemption counts for nothing without a reason and a day in until: {exemption}.)"
            )
        elif until < today:
            message += f" (Its exemption ended on {until}: {exemption['reason']}.)"
        else:
            return
    yield Violation(resource=violation.resource, message=message, change=violation.change)


def day_of(text: Any) -> dt.date | None:
    """Return the day in a text as 2027-01-31, or that YAML read in one; None where there is none."""
    if isinstance(text, dt.date):
        return text  # as YAML reads it
    if not isinstance(text, str) or not re.match(DAY, text):
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
