"""How long its probes let a container start, and how long a model takes for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from onprem_agents.sizing.starting import start_seconds
from onprem_agents.sizing.weights import checkpoint_gib

from .graph import UNKNOWN, Value, dig
from .known import model_of
from .operation import number
from .serving import Server

# kubernetes.io/docs, "Configure liveness, readiness and startup probes", read 2026-11: what a probe has by default.
_DEFAULTS = {"initialDelaySeconds": 0, "periodSeconds": 10, "failureThreshold": 3}
PRESET_START_SECONDS = 600
"""The startup probe of the presets of LLMInferenceService, 60 × 10 s (kserve v0.20.0, config-llm-template.yaml)."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long something waits for a start: `field` is where it is said, `ends` what happens then."""

    seconds: float
    field: str
    ends: str


def probes_of(server: Server) -> Iterator[Patience]:
    """Yield the probe that ends a start which takes longer: the startup probe, the liveness probe without one."""
    for name in ("startupProbe", "livenessProbe"):
        probe = server.container.get(name)
        if probe is None:
            continue
        seconds = probe_seconds(probe)
        if seconds is not None:
            without = "" if name == "startupProbe" else " without a startupProbe"
            yield Patience(
                seconds=seconds,
                field=f"{name}{without}",
                ends="its container is killed, and starts from the beginning",
            )
        return


def probe_seconds(probe: Value) -> float | None:
    """Return the seconds until a probe has failed for good, None where a part of it is only known at run time."""
    told = {key: dig(probe, key) for key in _DEFAULTS}
    if probe is UNKNOWN or UNKNOWN in told.values():
        return None
    delay, period, failures = (
        default if (found := number(told[key])) is None else found for key, default in _DEFAULTS.items()
    )
    return delay + period * failures


def load_seconds(server: Server) -> tuple[int, str]:
    """Return the least time from weights on a disk to the first answer, and the words for what takes it.

    A model that is not known counts as one without weights whose kernels are compiled: every server takes that long.
    """
    known = model_of(server)
    if known is None or known.variant is None:
        return start_seconds(0.0, compiled=True), "any model takes"
    weights_gib = checkpoint_gib(known.model, known.variant)
    return start_seconds(weights_gib, compiled=True), f"{weights_gib:,.0f} GiB of weights take"
