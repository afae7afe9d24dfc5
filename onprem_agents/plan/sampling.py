"""The sampling of a role where a request says nothing: the stack's, else its maker's where the checkpoint differs.

vLLM takes the defaults of generation_config.json beside the weights (`--generation-config auto`); what stands here
goes into `--override-generation-config`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic.alias_generators import to_camel

from onprem_agents.catalog import SAMPLING_PARAMETERS, Model, Sampling
from onprem_agents.errors import Problem
from onprem_agents.plan.thinking import Thinking
from onprem_agents.stack.settings import ModelRole
from onprem_agents.vllm import Release, version_key

# Before, a server takes no default of it (vLLM's wheels, config/model.py, read 2026-11).
_PRESENCE_PENALTY_SINCE = "0.31.0"


@dataclass(frozen=True, kw_only=True)
class SamplingPlan:
    """Defaults of the server by their names in a request: those that the stack says and those of the maker's card."""

    said: Mapping[str, float]
    applied: Mapping[str, float]
    card: Sampling | None
    """What the maker recommends for the way in which the model is served."""

    def overrides(self) -> dict[str, float] | None:
        """Return the value of `--override-generation-config`, None where the checkpoint's own does."""
        return {**self.applied, **self.said} or None

    def because(self) -> str | None:
        """Return why values are applied that the stack does not say; None where there are none."""
        if self.card is None or not self.applied:
            return None
        own = ", ".join(_in_checkpoint(name, self.card.configured[name]) for name in self.applied)
        return f"its maker recommends it for such work, and the checkpoint's own configuration says {own}"


def sampling_of(role: ModelRole, model: Model, thinking: Thinking | None, release: Release) -> SamplingPlan:
    """Return the sampling of a role; a model that does not think may have its own."""
    off = thinking is not None and not thinking.on
    card = (model.sampling_off if off else None) or model.sampling
    said = {name: value for name in SAMPLING_PARAMETERS if (value := getattr(role, name)) is not None}
    differing = card.differing() if card is not None else {}
    applied = {
        name: value
        for name, value in differing.items()
        if name not in said and (name != "presence_penalty" or _takes_presence_penalty(release))
    }
    return SamplingPlan(said=said, applied=applied, card=card)


def sampling_problems(role: ModelRole, release: Release, *, where: str) -> Iterator[Problem]:
    """Yield sampling that the release would ignore or refuse."""
    if role.presence_penalty is not None and not _takes_presence_penalty(release):
        yield Problem(
            where=f"{where}.{to_camel('presence_penalty')}",
            cause="release-too-old",
            found=f"{role.presence_penalty:g}",
            why=f"vLLM {release.release} has no default of it: the server would ignore it",
            fix=f"leave it out, or set platform.serving.vllm to {_PRESENCE_PENALTY_SINCE} or newer",
        )


def _takes_presence_penalty(release: Release) -> bool:
    return version_key(release.release) >= version_key(_PRESENCE_PENALTY_SINCE)


def _in_checkpoint(name: str, value: float | None) -> str:
    return f"{name} {value:g}" if value is not None else f"no {name}"
